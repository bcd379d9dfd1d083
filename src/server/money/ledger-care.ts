// What the ledger needs without anybody asking: holds whose time is over go back, requests to pay end, and after a start
// everything is recomputed once, in the background, with rests, so that nobody waits for it.

import type { Clock, Timer } from '../../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { HoldPlace, Store, StuckHold } from '../../store/index.ts'
import { type LedgerProofParts, proveLedger } from './ledger-proof.ts'
import type { Log } from '../log.ts'
import type { Payments } from './payments.ts'

/** What the care works with. */
export interface LedgerCareParts extends LedgerProofParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'ledgerVerifyRows' | 'retentionSweepMs'>
  readonly payments: Pick<Payments, 'tell'>
}

/** Rows of one step. */
const stepMax = BigInt(limitTable.ledgerCareStepMax.value)
/** The store works on the proof at most every fourth moment. */
const restsPerStep = 3
const restMsMin = 5

export class LedgerCare {
  readonly #parts: LedgerCareParts
  readonly #timer: Timer
  readonly #closing = new AbortController()
  #sweeping: Promise<void> | undefined
  #proving: Promise<void> | undefined

  constructor(parts: LedgerCareParts) {
    this.#parts = parts
    this.#timer = parts.clock.every(parts.limits.retentionSweepMs, () => this.#sweep())
  }

  /** Recomputes the ledger in the background. */
  prove(): void {
    this.#proving ??= this.#prove()
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closing.abort(new SealwireError('unavailable', 'the server is stopping'))
    this.#timer.cancel()
    await Promise.all([this.#sweeping, this.#proving])
  }

  #sweep(): void {
    this.#sweeping ??= this.#expire().finally(() => {
      this.#sweeping = undefined
    })
  }

  async #expire(): Promise<void> {
    const { store, clock, log, payments } = this.#parts
    let after: HoldPlace | undefined
    let [stuckHolds, oldest]: [number, StuckHold | undefined] = [0, undefined]
    try {
      for (let isMore = true; isMore && !this.#closing.signal.aborted; ) {
        const { holds, stuck, next, requests, more } = await store.run('ledger.expireHolds', {
          at: BigInt(clock.now()),
          max: stepMax,
          after,
        })
        payments.tell(holds, requests)
        if (holds.length + requests.length > 0) log.info('holds and requests expired', { holds: holds.length, requests: requests.length })
        oldest ??= stuck[0]
        stuckHolds += stuck.length
        after = next ?? after
        isMore = more
      }
    } catch (reason) {
      log.warning('no holds expired', { why: SealwireError.from(reason).code })
    }
    if (oldest !== undefined)
      log.warning('holds cannot go back', { holds: stuckHolds, first: Buffer.from(oldest.id).toString('hex'), why: oldest.why })
  }

  async #prove(): Promise<void> {
    const { log, clock } = this.#parts
    const { signal } = this.#closing
    let began = clock.monotonic()
    const rest = async (): Promise<void> => {
      await pause(clock, Math.max(restMsMin, (clock.monotonic() - began) * restsPerStep), signal)
      began = clock.monotonic()
    }
    try {
      const { rows, fault } = await proveLedger(this.#parts, { deep: false, rest, signal })
      if (fault === undefined) log.info('ledger proved', { rows })
      else
        log.error('the ledger is not what it must be: payments are refused, run sealwire ledger verify', {
          row: fault.row,
          what: fault.what,
        })
    } catch (reason) {
      if (!signal.aborted) log.warning('ledger not proved', { why: SealwireError.from(reason).code })
    }
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = clock.after(ms, resolve)
  const give = (): void => resolve()
  signal.addEventListener('abort', give, { once: true })
  await promise
  signal.removeEventListener('abort', give)
  timer.cancel()
}
