// Frames over a link, for one of its two sides. What a read brought is decoded and handed on at once, frame by frame; the
// first thing that ends the connection is the reason that is told, once, and nothing is told after it.

import type { DialledLink, Link, LinkEnd, LinkReceiver } from '../link/index.ts'
import { type Checksum, FrameDecoder, type Packet, SealwireError, writeFrame } from '../protocol/index.ts'
import { linkEnds } from '../link/link-end.ts'

/** Who is told what happens on a connection. */
export interface ConnectionUser {
  /** One frame. What this throws ends the connection and is the reason. */
  packet(packet: Packet): void
  /** More was read, and is about to be decoded. What this throws ends the connection too. */
  reading(): void
  /** `keepsUp` was false and is true again. */
  drained(): void
  /** The connection is over; `undefined` when that was wished for. */
  ended(reason: SealwireError | undefined): void
}

/** What becomes of a connection. */
export interface ConnectionParts {
  readonly checksum: Checksum
  /** What the end of the link means. Default: that a server was lost. */
  readonly lost?: (end: LinkEnd) => SealwireError
}

/** Whoever makes it attaches it to the link. */
export class Connection implements LinkReceiver {
  /** Who is told; whoever takes over sets itself. */
  user: ConnectionUser
  readonly #link: Link & Pick<DialledLink, 'renewBefore'>
  readonly #checksum: Checksum
  readonly #lost: (end: LinkEnd) => SealwireError
  readonly #decoder: FrameDecoder
  #over = false

  constructor(link: Link & Pick<DialledLink, 'renewBefore'>, user: ConnectionUser, { checksum, lost = serverLost }: ConnectionParts) {
    this.#link = link
    this.user = user
    this.#checksum = checksum
    this.#lost = lost
    this.#decoder = new FrameDecoder({ checksum })
  }

  /** False from its end on. */
  get open(): boolean {
    return !this.#over
  }

  /** Until when another connection should be made: ms of the monotonic clock. `undefined` where this one has no end of its own. */
  get renewBefore(): number | undefined {
    return this.#link.renewBefore
  }

  /** False while the other side takes less than is written: whoever has something to send should wait for `drained`. */
  get keepsUp(): boolean {
    return this.#link.keepsUp
  }

  send(command: number, body: Uint8Array): void {
    writeFrame(this.#link, command, body, undefined, this.#checksum)
  }

  /** Hands over what was written, then closes. */
  close(reason: SealwireError | undefined): void {
    if (this.#end(reason)) this.#link.close()
  }

  /** Ends the connection at once. */
  cut(reason: SealwireError | undefined): void {
    if (this.#end(reason)) this.#link.terminate()
  }

  received(bytes: Uint8Array): void {
    if (this.#over) return
    try {
      this.user.reading()
      this.#decoder.push(bytes)
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
        this.user.packet(packet)
        if (this.#over) return
      }
    } catch (reason) {
      this.cut(SealwireError.from(reason))
    }
  }

  drained(): void {
    if (!this.#over) this.user.drained()
  }

  closed(end: LinkEnd): void {
    this.#end(this.#lost(end))
  }

  /** True the first time. */
  #end(reason: SealwireError | undefined): boolean {
    if (this.#over) return false
    this.#over = true
    this.user.ended(reason)
    return true
  }
}

function serverLost(end: LinkEnd): SealwireError {
  return new SealwireError('connection_lost', linkEnds[end], { hint: end === 'refused' ? joinElsewhere : 'connect again' })
}

/** Where certificates are required nobody gets one here. */
const joinElsewhere =
  'whoever has joined comes from the home that has; to join use the invite link, or the address that the operator calls the one for joining'
