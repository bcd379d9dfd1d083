// Files over direct links: those that this device has sent are given to whom they were sent (file-offers.ts), and those that others
// have sent are asked for where there is a link with the device that has. Whatever goes wrong there, the server has the file as well.

import type { Clock } from '../../domain/clock.ts'
import { Recent } from '../../domain/recent.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Disk, FileOffer, FileReference, FilesDirect } from '../files.ts'
import { type AskingLink, fileKey, FileOffers } from './file-offers.ts'
import type { PeerLink } from './peer-link.ts'

export interface DirectFilesParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly disk: Disk
  /** The links with the devices of somebody. */
  links(name: string): readonly Pick<PeerLink, 'open' | 'peer' | 'request'>[]
}

type Link = ReturnType<DirectFilesParts['links']>[number]

export class DirectFiles implements FilesDirect {
  readonly #parts: DirectFilesParts
  readonly #offers: FileOffers
  /** Which files a link does not have. */
  readonly #without = new WeakMap<Link, Recent<string, true>>()
  /** Of which something else came than the file. */
  readonly #distrusted: Recent<string, true>

  constructor(parts: DirectFilesParts) {
    this.#parts = parts
    this.#offers = new FileOffers(parts.disk, parts.limits)
    this.#distrusted = new Recent(parts.limits.directFilesLeftMax)
  }

  offered(offer: FileOffer): void {
    this.#offers.add(offer)
  }

  withdrawn(conversation: number): void {
    this.#offers.remove(conversation)
  }

  /** What `direct.file` is answered with. @throws {SealwireError} `not_found` for everything that is not there for this link; `busy`. */
  answer(params: PeerParams<'direct.file'>, link: AskingLink): Promise<PeerResult<'direct.file'>> {
    return this.#offers.answer(params, link)
  }

  distrust({ id }: FileReference): void {
    this.#distrusted.add(fileKey(id), true)
  }

  chunk(file: FileReference, offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> | undefined {
    const link = this.#linkFor(file)
    return link === undefined ? undefined : this.#ask(link, { id: file.id, offset, length }, signal)
  }

  #linkFor({ id, from, device }: FileReference): Link | undefined {
    const key = fileKey(id)
    if (from === undefined || this.#distrusted.find(key) === true) return undefined
    const has = (link: Link): boolean => link.open && this.#without.get(link)?.find(key) !== true
    return this.#parts.links(from).find((link) => (device === undefined || link.peer.device === device) && has(link))
  }

  async #ask(link: Link, params: PeerParams<'direct.file'>, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const late = new AbortController()
    const timer = this.#parts.clock.after(this.#parts.limits.directChunkMsMax, () => late.abort())
    try {
      const signals = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
      const { data } = await link.request('direct.file', params, { signal: signals })
      if (data.length === params.length) return data
    } catch (reason) {
      if (!SealwireError.is(reason)) throw reason
      // It has the file, but not now.
      if (signal?.aborted === true || reason.code === 'busy') return undefined
    } finally {
      timer.cancel()
    }
    this.#leave(link, fileKey(params.id))
    return undefined
  }

  #leave(link: Link, key: string): void {
    const without = this.#without.get(link) ?? new Recent(this.#parts.limits.directFilesLeftMax)
    without.add(key, true)
    this.#without.set(link, without)
  }
}
