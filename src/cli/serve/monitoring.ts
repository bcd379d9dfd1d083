// What watches a server from its start to its end, where the operator asked for it (`--metrics`).

import type { Store, StoreWatch } from '../../store/index.ts'
import { realMachine } from '../../server/machine.ts'
import type { Metrics } from '../../server/metrics/metrics.ts'
import type { Monitor } from '../../server/monitor.ts'
import type { Server } from '../../server/server.ts'
import type { ServeConfig } from './config.ts'
import type { Endpoint } from '../options/endpoint.ts'
import type { IdentityKeeper } from './identity-keeper.ts'
import type { RunParts } from './run-server.ts'
import { version } from '../version.ts'

/** What there is to be watched, once it listens. */
export interface Watched {
  readonly server: Server
  readonly store: Store
  readonly keeper: IdentityKeeper
}

export class Monitoring implements AsyncDisposable {
  readonly #metrics: Metrics
  readonly #monitor: Monitor

  private constructor(metrics: Metrics, monitor: Monitor) {
    this.#metrics = metrics
    this.#monitor = monitor
  }

  /** Answers from now on; `undefined` where nobody asked for it. @throws {SealwireError} what `listenMonitor` throws. */
  static async open(
    { metrics: endpoint, data: folder, limits }: ServeConfig,
    { clock, log }: Pick<RunParts, 'clock' | 'log'>,
  ): Promise<Monitoring | undefined> {
    if (endpoint === undefined) return undefined
    const [{ Metrics }, { listenMonitor }] = await Promise.all([
      import('../../server/metrics/metrics.ts'),
      import('../../server/monitor.ts'),
    ])
    const pages = new Metrics({ folder, clock, limits, machine: realMachine, version: version() })
    try {
      return new Monitoring(pages, await listenMonitor(endpoint, { pages, clock, log }))
    } catch (reason) {
      pages[Symbol.dispose]()
      throw reason
    }
  }

  get endpoint(): Endpoint {
    return this.#monitor.endpoint
  }

  get watch(): StoreWatch {
    return this.#metrics.storeCounts
  }

  /** The same store, counted. */
  observe(store: Store): Store {
    return this.#metrics.observe(store)
  }

  /** Everything listens. */
  serve({ server, store, keeper }: Watched): void {
    this.#metrics.serve({ server, store, certificates: () => certificateEnds(keeper) })
  }

  /** The server begins to stop. */
  stop(): void {
    this.#metrics.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#monitor[Symbol.asyncDispose]()
    this.#metrics[Symbol.dispose]()
  }
}

function certificateEnds({ current: { certificate, own } }: IdentityKeeper) {
  return { server: certificate.validToDate.getTime(), authority: own.authorityNotAfter }
}
