// Whether a server can do what it is there for: asked of the store itself, because everything else can look well while the disk
// has gone. What was found is told again for a moment, so that however many ask, the store is asked seldom.
//
//   starting ──serve()──▶ serving ──stop()──▶ stopping

import type { Clock } from '../../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { Output, Store } from '../../store/index.ts'
import { diskFigures, type DiskFigures } from './disk.ts'
import type { StoreCounts } from './observed-store.ts'

/** `full`: nothing more is stored, all else works. `doubtful`: what was said last may or may not have been stored. */
export type StoreState = 'ok' | 'full' | 'doubtful' | 'slow' | 'unavailable'
/** `none`: this server keeps no ledger. `unknown`: the store does not say. */
export type PaymentsState = (typeof paymentsStates)[number]
export const paymentsStates = ['accepting', 'refused', 'unknown', 'none'] as const

/** What `/ready` says. */
export interface Report {
  readonly ready: boolean
  readonly phase: 'starting' | 'serving' | 'stopping'
  readonly listening: boolean
  readonly store: StoreState
  readonly payments: PaymentsState
  /** Sentences without a full stop; none when everything is well. */
  readonly why: readonly string[]
}

/** What was found, for metrics. */
export interface Findings {
  readonly report: Report
  readonly disk: DiskFigures
  readonly postings: number | undefined
  /** Milliseconds since 1970. */
  readonly checkpointAt: number | undefined
}

/** What readiness works with. */
export interface ReadinessParts {
  readonly folder: string
  readonly clock: Clock
  readonly limits: Pick<Limits, 'diskBytesFreeMin'>
  readonly counts: StoreCounts
}

export class Readiness {
  readonly #parts: ReadinessParts
  #phase: Report['phase'] = 'starting'
  #store: Pick<Store, 'run'> | undefined
  #keepsLedger = false
  #found: Promise<Findings> | undefined
  #foundAt = Number.NEGATIVE_INFINITY

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  /** The server listens everywhere. */
  serve(store: Pick<Store, 'run'>, keepsLedger: boolean): void {
    this.#store = store
    this.#keepsLedger = keepsLedger
    this.#enter('serving')
  }

  stop(): void {
    this.#enter('stopping')
  }

  /** Never rejects, and takes no longer than `monitorProbeMsMax` and a moment. */
  find(): Promise<Findings> {
    const now = this.#parts.clock.monotonic()
    if (this.#found !== undefined && now - this.#foundAt < freshMs) return this.#found
    this.#foundAt = now
    this.#found = this.#look()
    return this.#found
  }

  #enter(phase: Report['phase']): void {
    this.#phase = phase
    this.#found = undefined
  }

  async #look(): Promise<Findings> {
    const phase = this.#phase
    const [disk, answer] = await Promise.all([diskFigures(this.#parts.folder), this.#ask()])
    const store = this.#storeState(disk, answer)
    const payments = this.#paymentsState(store, answer.ledger)
    const ready = phase === 'serving' && store === 'ok'
    const report = { ready, phase, listening: phase === 'serving', store, payments, why: reasons(phase, store, payments) }
    const { ledger, checkpoint } = answer
    const checkpointAt = checkpoint === undefined ? undefined : Number(checkpoint.at)
    return { report, disk, postings: ledger === undefined ? undefined : Number(ledger.size), checkpointAt }
  }

  async #ask(): Promise<Answer> {
    const store = this.#store
    if (store === undefined) return { problem: 'unavailable' }
    const { promise: late, resolve } = Promise.withResolvers<Answer>()
    const timer = this.#parts.clock.after(probeMsMax, () => resolve({ problem: 'slow' }))
    try {
      return await Promise.race([late, this.#keepsLedger ? askLedger(store) : askAnything(store)])
    } catch (reason) {
      return { problem: SealwireError.from(reason).code === 'unknown_outcome' ? 'doubtful' : 'unavailable' }
    } finally {
      timer.cancel()
    }
  }

  #storeState({ free }: DiskFigures, { problem }: Answer): StoreState {
    const { clock, counts, limits } = this.#parts
    if (problem !== undefined) return problem
    if (clock.monotonic() - counts.doubtfulAt < doubtMs) return 'doubtful'
    return free !== undefined && free < limits.diskBytesFreeMin ? 'full' : 'ok'
  }

  #paymentsState(store: StoreState, ledger: Answer['ledger']): PaymentsState {
    if (!this.#keepsLedger) return 'none'
    if (ledger === undefined) return 'unknown'
    return ledger.fault === undefined && store !== 'full' ? 'accepting' : 'refused'
  }
}

interface Answer {
  readonly problem?: Exclude<StoreState, 'ok' | 'full'>
  readonly ledger?: Output<'ledger.state'>
  readonly checkpoint?: Output<'ledger.checkpointFind'>
}

async function askLedger(store: Pick<Store, 'run'>): Promise<Answer> {
  const [ledger, checkpoint] = await Promise.all([store.run('ledger.state', {}), store.run('ledger.checkpointFind', {})])
  return { ledger, checkpoint }
}

/** Nobody has this number. */
async function askAnything(store: Pick<Store, 'run'>): Promise<Answer> {
  await store.run('account.findById', { id: 0n })
  return {}
}

function reasons(phase: Report['phase'], store: StoreState, payments: PaymentsState): readonly string[] {
  const sentences = [phases[phase], ...(phase === 'serving' ? [stores[store], payments === 'refused' ? 'payments are refused' : ''] : [])]
  return sentences.filter((sentence) => sentence !== '')
}

const phases: Readonly<Record<Report['phase'], string>> = {
  starting: 'the server is starting',
  serving: '',
  stopping: 'the server is stopping',
}
const stores: Readonly<Record<StoreState, string>> = {
  ok: '',
  full: 'the disk is nearly full: nothing more is stored',
  doubtful: 'the store could not say whether something was stored',
  slow: 'the store does not answer in time',
  unavailable: 'the store has failed',
}
const freshMs = limitTable.monitorFreshMs.value
const probeMsMax = limitTable.monitorProbeMsMax.value
const doubtMs = limitTable.monitorDoubtMs.value
