// One end of a simulated connection: the product's own link, whose transport is a wire.

import { BufferedLink, type LinkContext, type LinkEnd, type LinkSecurity, type RemoteAddress } from '../../src/link/index.ts'
import type { Wire, WireEnd } from './wire.ts'

export interface SimLinkOptions {
  readonly remote: RemoteAddress
  readonly context: LinkContext
  /** Of the device at the other end, where this is the server's end. */
  readonly peerStaticKey?: Uint8Array | undefined
  /** Told once, when it is over or its program was killed. */
  readonly gone: () => void
}

export class SimLink extends BufferedLink implements WireEnd {
  readonly security: LinkSecurity
  readonly #gone: () => void
  #out: Wire | undefined
  #in: Wire | undefined
  #paused = false
  #hasEnded = false
  #hasHeardEnd = false
  #isGone = false
  #isKilled = false

  constructor({ remote, context, peerStaticKey, gone }: SimLinkOptions) {
    super(remote, context)
    this.security = { protocol: 'noise', cipher: '', alpn: '', peerCertificate: undefined, peerStaticKey }
    this.#gone = gone
  }

  /** Its two directions. */
  connect(out: Wire, into: Wire): void {
    this.#out = out
    this.#in = into
  }

  get reads(): boolean {
    return !this.#paused && !this.#isGone
  }

  /** Not over, as far as this end knows. */
  get isThere(): boolean {
    return !this.#isGone
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#in?.resume()
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.#isKilled) return end - start
    return this.#out?.take(bytes.subarray(start, end)) ?? -1
  }

  /** The transport takes more. */
  roomier(): void {
    if (!this.#isGone) this.writable()
  }

  arrived(bytes: Uint8Array): void {
    this.deliver(bytes)
  }

  ended(): void {
    this.#hasHeardEnd = true
    if (this.open) this.peerEnded()
    this.#endBoth()
  }

  lost(): void {
    this.over('reset')
  }

  /** What goes out from here breaks; this end does not know. */
  breakOut(afterMs: number): void {
    this.#out?.cut(afterMs)
  }

  /** The program of this end was killed: it does nothing any more, and is told nothing. */
  kill(afterMs?: number): void {
    if (this.#isGone) return
    this.#isKilled = true
    this.#leave()
    this.#out?.cut(afterMs)
  }

  protected endTransport(): void {
    this.#hasEnded = true
    this.#out?.finish()
    this.#endBoth()
  }

  protected cutTransport(): void {
    this.#out?.cut()
  }

  protected override over(end: LinkEnd): void {
    if (this.#isKilled) return
    super.over(end)
    this.#leave()
  }

  #endBoth(): void {
    if (this.#hasEnded && this.#hasHeardEnd) this.over('ended')
  }

  #leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#in?.drop()
    this.#gone()
  }
}
