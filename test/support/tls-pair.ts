// A TLS listener on a free port with everything that a link test wants to know about it.

import { systemClock } from '../../src/domain/index.ts'
import {
  type ClientCertificates,
  Flusher,
  type Link,
  type LinkContext,
  type Listener,
  type ListenHandlers,
  listenTls,
  type Ticket,
} from '../../src/link/index.ts'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import type { TestIdentity } from './tls-identity.ts'

export interface Accepted {
  readonly link: Link
  readonly recorder: Recorder
}

export interface TestListenerOptions {
  readonly limits?: Partial<Limits>
  /** Default 127.0.0.1. */
  readonly host?: string
  /** The adapter; default is the one of this runtime. */
  readonly listen?: typeof listenTls
  readonly clientCertificates?: ClientCertificates
  /** True cuts a link that was opened, before it is given to anybody. */
  readonly unwanted?: (link: Link) => boolean
}

export class TestListener implements Disposable {
  readonly context: LinkContext
  readonly accepted: Accepted[] = []
  readonly failures: string[] = []
  /** Whoever comes next is shown this one. */
  identity: TestIdentity
  /** Tickets given and not yet given back. */
  tickets = 0
  /** Of those, whose handshake is done. */
  established = 0
  /** Set to refuse whoever comes. */
  refuse = false
  /** Cuts the handshakes under way, oldest first. */
  readonly evictions: (() => void)[] = []
  #listener: Listener | undefined
  #wake: (() => void) | undefined

  private constructor(identity: TestIdentity, limits: Limits) {
    this.identity = identity
    this.context = { limits, flusher: new Flusher(limits, systemClock) }
  }

  static async start(identity: TestIdentity, options: TestListenerOptions = {}): Promise<TestListener> {
    const { limits = {}, host = '127.0.0.1', listen = listenTls, clientCertificates = 'off', unwanted = () => false } = options
    const server = new TestListener(identity, resolveLimits(limits))
    const listened = { host, port: 0, identity: () => server.identity.identity, clientCertificates }
    server.#listener = await listen(listened, server.#handlers(unwanted), server.context)
    return server
  }

  get port(): number {
    return this.#listener?.port ?? 0
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  async first(): Promise<Accepted> {
    await this.until(() => this.accepted.length > 0)
    return this.accepted[0] as Accepted
  }

  /** Stops accepting. */
  close(): void {
    this.#listener?.close()
  }

  [Symbol.dispose](): void {
    this.close()
    for (const { link } of this.accepted) link.terminate()
  }

  #handlers(unwanted: (link: Link) => boolean): ListenHandlers<Ticket> {
    return {
      admit: (_address, evict) => (this.refuse ? undefined : this.#ticket(evict)),
      opened: (link) => {
        const recorder = new Recorder()
        if (unwanted(link)) link.terminate()
        this.accepted.push({ link, recorder })
        this.#wake?.()
        return recorder
      },
      failed: (_remote, why) => {
        this.failures.push(why)
        this.#wake?.()
      },
    }
  }

  #ticket(evict: () => void): Ticket {
    this.tickets++
    this.evictions.push(evict)
    this.#wake?.()
    return {
      established: () => {
        this.established++
      },
      release: () => {
        this.tickets--
        this.#wake?.()
      },
    }
  }
}
