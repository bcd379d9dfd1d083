// The metrics of a server, put together: what is counted, what is read when somebody asks, and whether it is ready. It begins
// before the server does and ends after it, so that whoever asks is answered meanwhile too.

import type { Clock } from '../../domain/index.ts'
import type { Limits } from '../../protocol/index.ts'
import type { Store } from '../../store/index.ts'
import type { Machine } from '../admission.ts'
import type { Server } from '../server.ts'
import { exposition } from './exposition.ts'
import { Lateness } from './lateness.ts'
import { metricTable } from './metric-table.ts'
import { observedStore, StoreCounts } from './observed-store.ts'
import { processReadings } from './process.ts'
import { type Findings, paymentsStates, Readiness, type Report } from './readiness.ts'
import { connectionReadings, limitReadings, type Readings, requestReadings, storeReadings } from './readings.ts'

/** What metrics work with. */
export interface MetricsParts {
  /** The data folder. */
  readonly folder: string
  readonly clock: Clock
  readonly limits: Limits
  readonly machine: Machine
  /** Of the program. */
  readonly version: string
}

/** What is measured from the moment when the server listens. */
export interface Measured {
  readonly server: Server
  readonly store: Pick<Store, 'run'>
  /** When each certificate ends, in milliseconds since 1970. */
  readonly certificates: () => Readonly<Record<'server' | 'authority', number>>
}

export class Metrics implements Disposable {
  /** For the store that is to be observed. */
  readonly storeCounts = new StoreCounts()
  readonly #parts: MetricsParts
  readonly #lateness: Lateness
  readonly #readiness: Readiness
  readonly #startedAt: number
  #measured: Measured | undefined

  constructor(parts: MetricsParts) {
    const { folder, clock, limits } = parts
    this.#parts = parts
    this.#lateness = new Lateness(clock)
    this.#readiness = new Readiness({ folder, clock, limits, counts: this.storeCounts })
    this.#startedAt = clock.now() / 1000 - process.uptime()
  }

  /** The same store, counted. */
  observe(store: Store): Store {
    return observedStore(store, this.storeCounts, () => this.#parts.clock.monotonic())
  }

  /** The server listens everywhere. `store` is asked whether it is well, and should not be counted. */
  serve(measured: Measured): void {
    this.#measured = measured
    measured.server.inside.counts.measures = true
    this.#readiness.serve(measured.store, measured.server.money !== undefined)
  }

  stop(): void {
    this.#readiness.stop()
  }

  /** Never rejects. */
  async report(): Promise<Report> {
    return (await this.#readiness.find()).report
  }

  /** All of them, in Prometheus' text format. */
  async page(): Promise<string> {
    const { version, machine } = this.#parts
    const [own, findings] = await Promise.all([processReadings(version, machine), this.#readiness.find()])
    const inside = this.#measured?.server.inside
    return exposition(metricTable, {
      ...own,
      sealwire_start_time_seconds: this.#startedAt,
      sealwire_event_loop_delay_seconds: this.#lateness.seconds,
      ...this.#foundReadings(findings),
      ...storeReadings(this.storeCounts),
      ...(inside && { ...connectionReadings(inside), ...requestReadings(inside), ...limitReadings(inside, this.storeCounts) }),
    } satisfies Partial<Readings>)
  }

  [Symbol.dispose](): void {
    this.#lateness[Symbol.dispose]()
  }

  #foundReadings({ report, disk, postings, checkpointAt }: Findings) {
    const { clock, limits } = this.#parts
    const ends = Object.entries(this.#measured?.certificates() ?? {})
    return {
      sealwire_ready: report.ready ? 1 : 0,
      sealwire_database_bytes: disk.database,
      sealwire_database_log_bytes: disk.log,
      sealwire_disk_free_bytes: disk.free,
      sealwire_disk_free_min_bytes: limits.diskBytesFreeMin,
      sealwire_payments: paymentsStates.map((state) => [[state], state === report.payments ? 1 : 0] as const),
      sealwire_ledger_postings: postings,
      sealwire_checkpoint_age_seconds: checkpointAt === undefined ? undefined : Math.max(0, clock.now() - checkpointAt) / 1000,
      sealwire_certificate_expiry_time_seconds: ends.map(([name, at]) => [[name], at / 1000] as const),
    } satisfies Partial<Readings>
  }
}
