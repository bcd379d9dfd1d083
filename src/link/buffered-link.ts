// What all links over a byte stream have in common: the output, the states, and the promise that `closed` is told once,
// later, and never in the middle of the receiver's own work. An adapter adds only its transport.
//
//   open ──close()──▶ closing ──output handed over──▶ finished() ──transport closed──▶ over
//     │                  └──────────not taken within outputStallMsMax──▶ cut ─────────▶ over
//     │                  └──peer goes on sending, more than a little──────────▶ cut ─────────▶ over
//     ├──peer ended──▶ closing (the answers to what it had sent still go out)
//     └──terminate(), reset, corrupt, slow consumer────────────────────────────────▶ over

import type { Timer } from '../domain/index.ts'
import type { Limits } from '../protocol/index.ts'
import type { Flusher } from './flusher.ts'
import type { Link, LinkEnd, LinkReceiver, LinkSecurity, RemoteAddress } from './link.ts'
import { Output, type OutputOwner } from './output.ts'
import { Traffic } from './traffic.ts'

/** What every link of a process shares. */
export interface LinkContext {
  readonly limits: Limits
  readonly flusher: Flusher
  /** Counts what links are given to write. Default: nobody wants to know. */
  readonly traffic?: Traffic | undefined
}

/** A link whose adapter brings only a transport. */
export abstract class BufferedLink implements Link, OutputOwner {
  readonly remote: RemoteAddress
  readonly #context: LinkContext
  readonly #output: Output
  readonly #traffic: Traffic
  #receiver: LinkReceiver | undefined
  #state: 'open' | 'closing' | 'over' = 'open'
  #end: LinkEnd | undefined
  #deadline: Timer | undefined
  /** What came in and was thrown away while closing, in bytes. */
  #ignoredBytes = 0

  constructor(remote: RemoteAddress, context: LinkContext) {
    this.remote = remote
    this.#context = context
    this.#output = new Output(this, context.flusher, context.limits)
    this.#traffic = context.traffic ?? uncounted
  }

  abstract readonly security: LinkSecurity
  abstract pause(): void
  abstract resume(): void
  /** Hands `bytes[start, end)` to the transport, which keeps none of it: how many it took, -1 when it is gone. */
  abstract write(bytes: Uint8Array, start: number, end: number): number
  /** Everything is handed over: end our direction of the transport. */
  protected abstract endTransport(): void
  /** Close the transport now, whatever it still holds. */
  protected abstract cutTransport(): void

  get open(): boolean {
    return this.#state === 'open'
  }

  get bytes(): Uint8Array {
    return this.#output.bytes
  }

  get queuedBytes(): number {
    return this.#output.queuedBytes
  }

  get keepsUp(): boolean {
    return this.#output.keepsUp
  }

  reserve(count: number): number {
    this.#traffic.frames++
    this.#traffic.bytes += count
    return this.#output.reserve(count)
  }

  reserveLater(count: number): number {
    this.#traffic.frames++
    this.#traffic.bytes += count
    return this.#output.reserveLater(count)
  }

  send(bytes: Uint8Array): void {
    this.#traffic.frames++
    this.#traffic.bytes += bytes.length
    this.#output.send(bytes)
  }

  flush(): void {
    this.#output.flush()
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    const { limits, flusher } = this.#context
    this.#deadline = flusher.clock.after(limits.outputStallMsMax, () => this.terminate())
    this.#output.finish()
  }

  terminate(end: LinkEnd = 'terminated'): void {
    if (this.#state === 'over') return
    this.over(end)
    this.cutTransport()
  }

  finished(): void {
    this.#end ??= 'closed'
    this.endTransport()
  }

  overflowed(): void {
    this.terminate('slow_consumer')
  }

  drained(): void {
    if (this.#state === 'open') this.#receiver?.drained()
  }

  /** From now on `receiver` is told what happens. */
  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver
  }

  /** The transport read `bytes`; they belong to the receiver. */
  protected deliver(bytes: Uint8Array): void {
    if (this.#state === 'open') {
      this.#receiver?.received(bytes)
      return this.#output.answered()
    }
    this.#ignoredBytes += bytes.length
    if (this.#ignoredBytes > this.#context.limits.closingBytesMax) this.terminate()
  }

  /** The transport takes bytes again. */
  protected writable(): void {
    this.#output.resume()
  }

  /** The peer sends no more. */
  protected peerEnded(): void {
    this.#end ??= 'ended'
    this.close()
  }

  /** The transport is closed; the first reason given is the one that is told. */
  protected over(end: LinkEnd): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#deadline?.cancel()
    this.#output.discard()
    const told = this.#end ?? end
    queueMicrotask(() => this.#receiver?.closed(told))
  }
}

const uncounted = new Traffic()
