// A link in the messages of a WebSocket, over a TLS link on which the upgrade is done. What a turn has written becomes one
// message as far as the link below takes it: what waits for a slow peer waits here, where it is bounded, and the link below
// holds little more than `outputBytesHigh`.
//
// A WebSocket knows its end from one that somebody else made: a stream that ends without a Close frame is `truncated`.

import { TokenBucket } from '../../domain/index.ts'
import { BufferedLink, type LinkContext } from '../buffered-link.ts'
import type { Link, LinkEnd, LinkReceiver, LinkSecurity } from '../link.ts'
import { closeCodes, frameHeader, FrameReader, type FrameUser, mask, opcodes } from './frame.ts'

/** Which side of the WebSocket we are: clients mask what they send. */
export type WebSocketRole = 'server' | 'client'

export class WebSocketLink extends BufferedLink {
  readonly security: LinkSecurity
  /** Told what happens on the link below, from behind the upgrade on. */
  readonly transport: LinkReceiver
  readonly #below: Link
  readonly #role: WebSocketRole
  readonly #reader: FrameReader
  readonly #context: LinkContext
  /** Of frames that bring nothing; few peers ever send one. */
  #empties: TokenBucket | undefined
  #pieces: Uint8Array[] = []
  #isOver = false
  #peerHasClosed = false

  constructor(below: Link, role: WebSocketRole, context: LinkContext) {
    super(below.remote, context)
    this.security = below.security
    this.#below = below
    this.#role = role
    this.#context = context
    this.#reader = new FrameReader({ masked: role === 'server', messageBytesMax: context.limits.webMessageBytesMax }, this.#frames())
    this.transport = {
      received: (bytes) => this.#received(bytes),
      drained: () => this.writable(),
      closed: (end) => this.over(end === 'ended' && !this.#peerHasClosed ? 'truncated' : end),
    }
  }

  pause(): void {
    this.#below.pause()
  }

  resume(): void {
    this.#below.resume()
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#below.open) return -1
    let at = start
    while (at < end && this.#takesMore()) {
      const next = Math.min(end, at + messageBytes)
      this.#send(opcodes.binary, bytes.subarray(at, next))
      at = next
    }
    this.#below.flush()
    return at - start
  }

  protected endTransport(): void {
    this.#below.resume() // The answer of the peer is to be read.
    this.#sayClose(closeCodes.normal)
    if (this.#peerHasClosed) this.#below.close()
  }

  protected cutTransport(): void {
    this.#below.terminate()
  }

  protected override over(end: LinkEnd): void {
    this.#isOver = true
    super.over(end)
  }

  /** What the link below calls behind may have left it already when it is flushed, and then no `drained` comes. */
  #takesMore(): boolean {
    if (!this.#below.keepsUp) this.#below.flush()
    return this.#below.open && this.#below.keepsUp
  }

  #received(bytes: Uint8Array): void {
    if (this.#isOver) return
    const violation = this.#reader.push(bytes)
    const [first, second] = this.#pieces
    if (first !== undefined) this.deliver(second === undefined ? first : Buffer.concat(this.#pieces))
    this.#pieces = []
    if (violation !== undefined) this.#violated(violation)
    else if (this.#peerHasClosed) this.#peerClosed()
  }

  #frames(): FrameUser {
    return {
      data: (bytes) => this.#pieces.push(bytes),
      ping: (payload) => {
        if (this.#below.keepsUp) this.#send(opcodes.pong, payload)
      },
      empty: () => this.#takesEmpty(),
      close: () => {
        this.#peerHasClosed = true
      },
    }
  }

  #takesEmpty(): boolean {
    const { limits, flusher } = this.#context
    const now = flusher.clock.monotonic()
    this.#empties ??= new TokenBucket(limits.webEmptyFramesPerSecondMax, limits.webEmptyFramesBurstMax, now)
    return this.#empties.take(now)
  }

  #peerClosed(): void {
    if (this.open) return this.peerEnded()
    // Either it answers our own Close, and all is said, or ours follows the output that is still on its way.
    if (this.queuedBytes === 0) this.#below.close()
  }

  #violated(code: number): void {
    if (this.#isOver) return
    // Our own Close is said, or about to be: nothing more is read from who goes on.
    if (!this.open) return this.terminate('corrupt')
    this.#sayClose(code)
    this.over('corrupt')
    this.#below.close()
  }

  #sayClose(code: number): void {
    this.#send(opcodes.close, Uint8Array.of(code >> 8, code & 0xff))
    this.#below.flush()
  }

  #send(opcode: number, payload: Uint8Array): void {
    if (this.#role === 'server') {
      this.#below.send(frameHeader(opcode, payload.length))
      return this.#below.send(payload)
    }
    const key = crypto.getRandomValues(new Uint8Array(4))
    const masked = payload.slice()
    mask(masked, key, 0)
    this.#below.send(frameHeader(opcode, payload.length, key))
    this.#below.send(masked)
  }
}

/** The largest message that is sent. */
const messageBytes = 64 * 1024
