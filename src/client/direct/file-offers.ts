// Files that this device has sent in this run, for those who were meant. What is given is what was sent and nothing else: a file
// that somebody has written to since is the server's alone, and so is one of a conversation in which something was deleted.

import { nameKey } from '../../domain/case-fold.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import type { Disk, FileOffer } from '../files.ts'
import type { PeerLink } from './peer-link.ts'

/** Whoever asks. */
export type AskingLink = Pick<PeerLink, 'peer'>

export class FileOffers {
  readonly #disk: Disk
  readonly #limits: Limits
  /** By their ids, the newest last. */
  readonly #offers = new Map<string, FileOffer>()
  /** How many chunks are being read for whom. */
  readonly #reading = new WeakMap<AskingLink, number>()

  constructor(disk: Disk, limits: Limits) {
    this.#disk = disk
    this.#limits = limits
  }

  add(offer: FileOffer): void {
    const key = fileKey(offer.id)
    this.#offers.delete(key)
    this.#offers.set(key, offer)
    const [oldest] = this.#offers.keys()
    if (this.#offers.size > this.#limits.directFilesMax && oldest !== undefined) this.#offers.delete(oldest)
  }

  /** Those of a conversation. */
  remove(conversation: number): void {
    for (const [key, offer] of this.#offers) if (offer.conversation === conversation) this.#offers.delete(key)
  }

  /** @throws {SealwireError} `not_found` for everything that is not there for this link; `busy`. */
  async answer({ id, offset, length }: PeerParams<'direct.file'>, link: AskingLink): Promise<PeerResult<'direct.file'>> {
    const offer = this.#offerFor(id, link)
    if (offset + length > offer.size) throw notThere()
    const reading = this.#reading.get(link) ?? 0
    if (reading >= this.#limits.directChunksMax) throw new SealwireError('busy', 'too many chunks are being read')
    this.#reading.set(link, reading + 1)
    try {
      const data = await this.#read(offer, offset, length)
      this.#offerFor(id, link)
      return { data }
    } finally {
      this.#reading.set(link, (this.#reading.get(link) ?? 1) - 1)
    }
  }

  #offerFor(id: Uint8Array, { peer }: AskingLink): FileOffer {
    const offer = this.#offers.get(fileKey(id))
    if (offer === undefined || nameKey(offer.peer) !== nameKey(peer.name)) throw notThere()
    return offer
  }

  async #read({ path, version }: FileOffer, offset: number, length: number): Promise<Uint8Array> {
    try {
      await using source = await this.#disk.source(path)
      const data = await source.read(offset, length)
      // Behind the reading: what was written meanwhile is seen too.
      if ((await source.version?.()) === version) return data
    } catch (cause) {
      if (!SealwireError.is(cause)) throw cause
      throw notThere(cause)
    }
    throw notThere()
  }
}

/** What a file is known by. */
export function fileKey(id: Uint8Array): string {
  return Buffer.from(id).toString('hex')
}

function notThere(cause?: SealwireError): SealwireError {
  return new SealwireError('not_found', 'this device has no such file for you', { cause })
}
