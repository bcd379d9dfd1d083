// A TLS listener on a free port with everything that a link test wants to know about it.

import { systemClock } from '../../src/domain/index.ts'
import { Flusher, type Link, type LinkContext, type Listener, listenTls, type Ticket } from '../../src/link/index.ts'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import type { TestIdentity } from './tls-identity.ts'

export interface Accepted {
  readonly link: Link
  readonly recorder: Recorder
}

export class TestListener implements Disposable {
  readonly context: LinkContext
  readonly listener: Listener
  readonly accepted: Accepted[] = []
  readonly failures: string[] = []
  /** Tickets given and not yet given back. */
  tickets = 0
  /** Set to refuse whoever comes. */
  refuse = false
  #wake: (() => void) | undefined

  constructor({ identity }: TestIdentity, overrides: Partial<Limits> = {}, host = '127.0.0.1') {
    const limits = resolveLimits(overrides)
    this.context = { limits, flusher: new Flusher(limits, systemClock) }
    this.listener = listenTls(
      { host, port: 0, identity: () => identity },
      {
        admit: () => (this.refuse ? undefined : this.#ticket()),
        opened: (link) => {
          const recorder = new Recorder()
          this.accepted.push({ link, recorder })
          this.#wake?.()
          return recorder
        },
        failed: (_remote, why) => {
          this.failures.push(why)
          this.#wake?.()
        },
      },
      this.context,
    )
  }

  get port(): number {
    return this.listener.port
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  async first(): Promise<Accepted> {
    await this.until(() => this.accepted.length > 0)
    return this.accepted[0] as Accepted
  }

  [Symbol.dispose](): void {
    this.listener.close()
    for (const { link } of this.accepted) link.terminate()
  }

  #ticket(): Ticket {
    this.tickets++
    return {
      established() {},
      release: () => {
        this.tickets--
        this.#wake?.()
      },
    }
  }
}
