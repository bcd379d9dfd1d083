// The event that brings one entry to many sessions: encoded once, and the same for everybody but for the number in front and
// the checksum behind. A long one is also framed once: only these are written anew for each link, and a link that has nothing
// waiting takes it from here without a copy.

import { contractCommands } from '../../protocol/contract/index.ts'
import { type Checksum, frameHeaderBytes, frameTrailerBytes, sealFrame, writeFrame } from '../../protocol/index.ts'
import type { Link } from '../../link/index.ts'
import { entryBytesOf, type StoredEntry } from '../../store/index.ts'
import { encodeEntry, inboxEventHead, inboxEventHeadBytesMax } from './entry-event.ts'

export class EntryFrame {
  readonly #stored: StoredEntry
  #entry: Uint8Array | undefined
  /** Room for the longest head, the entry, room for the checksum. */
  #frame: Uint8Array | undefined

  constructor(stored: StoredEntry) {
    this.#stored = stored
  }

  /** About what it takes on the wire. */
  get bytes(): number {
    return entryBytesOf(this.#stored)
  }

  /** Writes the event that says: this is entry `seq` of your inbox. */
  writeTo(link: Pick<Link, 'bytes' | 'reserve' | 'send'>, seq: bigint, checksum: Checksum): void {
    const entry = (this.#entry ??= encodeEntry(this.#stored))
    const head = inboxEventHead(seq)
    if (entry.length < framedBytesMin) writeFrame(link, contractCommands.event, entry, head, checksum)
    else link.send(this.#framed(entry, head, checksum))
  }

  /** Valid until the next call. */
  #framed(entry: Uint8Array, head: Uint8Array, checksum: Checksum): Uint8Array {
    const frame = (this.#frame ??= this.#makeFrame(entry))
    const start = entryAt - head.length - frameHeaderBytes
    frame.set(head, entryAt - head.length)
    sealFrame(frame, start, contractCommands.event, head.length + entry.length, checksum)
    return frame.subarray(start)
  }

  #makeFrame(entry: Uint8Array): Uint8Array {
    const frame = new Uint8Array(entryAt + entry.length + frameTrailerBytes)
    frame.set(entry, entryAt)
    return frame
  }
}

const entryAt = frameHeaderBytes + inboxEventHeadBytesMax
/** From here on a link takes bytes without a copy; see link/output.ts. */
const framedBytesMin = 16 * 1024
