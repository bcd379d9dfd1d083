// What is between devices that meet: real sockets, or links in memory with a clock that the test moves.

import type { Clock } from '../../src/domain/index.ts'
import {
  type DialledLink,
  dialPeer,
  Flusher,
  type LinkContext,
  type Listener,
  linkPair,
  listenPeer,
  type MemoryLink,
  type PeerDialOptions,
  type PeerHandlers,
  type PeerListenOptions,
} from '../../src/link/index.ts'
import { X509Certificate } from 'node:crypto'
import { type Limits, resolveLimits, SealwireError } from '../../src/protocol/index.ts'

export interface DirectNetwork {
  listen(options: PeerListenOptions, handlers: PeerHandlers): Promise<Listener>
  dial(options: PeerDialOptions): Promise<DialledLink>
}

/** TLS over sockets. `wait` is before each dial, and before each link is told of. */
export class TlsNetwork implements DirectNetwork {
  readonly #context: LinkContext
  readonly #wait: () => Promise<void>
  /** Devices that were let in, and those that were refused. */
  readonly opened: string[] = []
  readonly refused: string[] = []

  constructor(clock: Clock, limits: Partial<Limits> = {}, wait: () => Promise<void> = async () => {}) {
    const resolved = resolveLimits(limits)
    this.#context = { limits: resolved, flusher: new Flusher(resolved, clock) }
    this.#wait = wait
  }

  listen(options: PeerListenOptions, handlers: PeerHandlers): Promise<Listener> {
    const noting: PeerHandlers = {
      opened: (link) => {
        this.opened.push(link.remote.address)
        return handlers.opened(link)
      },
      refused: (remote, why, reason, cause) => {
        this.refused.push(cause?.message ?? why)
        handlers.refused(remote, why, reason, cause)
      },
    }
    return listenPeer(options, noting, this.#context)
  }

  async dial(options: PeerDialOptions): Promise<DialledLink> {
    await this.#wait()
    const link = await dialPeer(options, this.#context)
    await this.#wait()
    return link
  }
}

/** Links in memory, which both sides have verified. Each dial takes `delayMs`, and so does its refusal. */
export class MemoryNetwork implements DirectNetwork {
  readonly #clock: Clock
  readonly #context: LinkContext
  readonly #delayMs: () => number
  readonly #listening = new Map<number, { readonly options: PeerListenOptions; readonly handlers: PeerHandlers }>()
  readonly pairs: (readonly [MemoryLink, MemoryLink])[] = []
  /** Whether a dial gets no answer, by the certificates of who dials and who listens. */
  wall: (dialler: string, listener: string | undefined) => boolean = () => false
  dials = 0
  #port = 40_000

  constructor(clock: Clock, delayMs: () => number = () => 0) {
    this.#clock = clock
    this.#delayMs = delayMs
    const limits = resolveLimits()
    this.#context = { limits, flusher: new Flusher(limits, clock) }
  }

  /** How many were given, from 40,000 on. */
  get ports(): number {
    return this.#port - 40_000
  }

  get listeners(): number {
    return this.#listening.size
  }

  async listen(options: PeerListenOptions, handlers: PeerHandlers): Promise<Listener> {
    const port = options.port === 0 ? this.#port++ : options.port
    this.#listening.set(port, { options, handlers })
    const close = (): void => void this.#listening.delete(port)
    return { host: options.host, port, close, [Symbol.asyncDispose]: async () => close() }
  }

  async dial({ port, identity, verify, signal }: PeerDialOptions): Promise<DialledLink> {
    this.dials++
    await this.#pass(signal)
    const listening = this.#listening.get(port)
    if (this.wall(identity.chain, listening?.options.identity().chain)) await this.#never(signal)
    if (listening === undefined) throw new SealwireError('unreachable', 'nobody is there')
    const { options, handlers } = listening
    verify(derOf(options.identity().chain))
    const [near, far] = linkPair(this.#context)
    shows(near, options.identity().chain)
    shows(far, identity.chain)
    try {
      options.verify(derOf(identity.chain))
    } catch (cause) {
      handlers.refused(far.remote, 'handshake', 'client_certificate', SealwireError.from(cause))
      setImmediate(() => near.terminate()) // Who dials hears of it behind his handshake.
      return near
    }
    this.pairs.push([near, far])
    far.attach(handlers.opened(far))
    await this.#pass(signal).catch((reason: unknown) => {
      near.attach({ received() {}, drained() {}, closed() {} })
      near.terminate()
      throw reason
    })
    return near
  }

  async #pass(signal: AbortSignal | undefined): Promise<void> {
    const delayMs = this.#delayMs()
    if (delayMs === 0) return
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.after(delayMs, resolve)
      signal?.addEventListener('abort', () => {
        timer.cancel()
        reject(new SealwireError('unreachable', 'given up'))
      })
    })
  }

  #never(signal: AbortSignal | undefined): Promise<never> {
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new SealwireError('unreachable', 'given up'))))
  }
}

function derOf(chain: string): Uint8Array {
  return new Uint8Array(new X509Certificate(chain).raw)
}

function shows(link: MemoryLink, chain: string): void {
  Object.defineProperty(link, 'security', { value: { ...link.security, peerCertificate: derOf(chain) } })
}
