// A payment goes to the server, and where that does not answer soon the same signed order goes to its payee as well, over a direct
// link. What comes first counts: the answer of the server, or a receipt of its ledger. As long as somebody else has the order, a
// refusal of the server is not the end of it, unless it can never be carried out.
//
//   server ──answers within directPayMs──▶ done
//     └──no answer, no connection──▶ over each link in turn ─┬▶ settled, and the receipt is good: done
//                                                            ├▶ held, a bad receipt: what the server says, while there is a connection
//                                                            │  to it; else it is not known what becomes of it
//                                                            └▶ nothing: what the server says

import type { Clock } from '../../domain/clock.ts'
import type { Params, PayOrder, Result } from '../../protocol/contract/index.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import { codes, type Limits, SealwireError } from '../../protocol/index.ts'
import type { Calls } from '../calls.ts'
import { carryOut, isDecided } from '../payments/outcome.ts'
import { isPassing } from '../refusals.ts'
import type { LinkTurns } from './link-turns.ts'
import { provenTransfer } from './settled-proof.ts'

/** As much of a link with another device as payments need. */
export interface PayLink {
  readonly peer: { readonly name: string }
  readonly open: boolean
  request(
    method: 'direct.pay',
    params: PeerParams<'direct.pay'>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<PeerResult<'direct.pay'>>
}

export interface HandOverParts {
  readonly clock: Pick<Clock, 'after'>
  readonly limits: Pick<Limits, 'directPayMs' | 'directPayAnswerMs'>
  readonly calls: Pick<Calls, 'ready' | 'pause'>
  readonly online: () => boolean
  readonly turns: LinkTurns
  /** Key of the ledger, as the home keeps it. */
  readonly ledgerKey: () => Uint8Array | undefined
}

/** A payment and its payee. */
export interface Handing {
  readonly params: Params<'payment.order'>
  readonly order: PayOrder
  /** Names. */
  readonly payer: string
  readonly payee: string
  readonly links: () => readonly PayLink[]
  /** Somebody else may have it, from an earlier time. */
  readonly wasHanded: boolean
  /** Somebody else may have it from now on. @throws {SealwireError} when that cannot be remembered: then it is not handed over. */
  handed(): Promise<void>
}

type WireTransfer = Result<'payment.order'>
type Outcome = { readonly transfer: WireTransfer } | { readonly error: SealwireError }

/**
 * Carries out a payment over the server, or over its payee.
 * @throws {SealwireError} as `carryOut`; `unknown_outcome` when the payee keeps it, and when the server has refused what the payee
 * may still bring; `untrusted` for a receipt that is not good: then nothing is known either.
 */
export async function payEitherWay(parts: HandOverParts, handing: Handing, signal: AbortSignal | undefined): Promise<WireTransfer> {
  const over = new AbortController()
  const both = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
  const server = outcomeOf(carryOut(parts.calls, handing.params, { signal: both }))
  const handOver = new HandOver(parts, handing, both)
  try {
    const soon = parts.online() ? await within(parts.clock, parts.limits.directPayMs, server) : undefined
    return soon === undefined ? await handOver.either(server) : handOver.told(soon)
  } finally {
    over.abort()
  }
}

class HandOver {
  readonly #parts: HandOverParts
  readonly #handing: Handing
  readonly #signal: AbortSignal
  #isHanded: boolean

  constructor(parts: HandOverParts, handing: Handing, signal: AbortSignal) {
    this.#parts = parts
    this.#handing = handing
    this.#signal = signal
    this.#isHanded = handing.wasHanded
  }

  async either(server: Promise<Outcome>): Promise<WireTransfer> {
    const decided = server.then((outcome) => ('transfer' in outcome || isForGood(outcome.error) ? outcome : undefined))
    const over = new AbortController()
    const timer = this.#parts.clock.after(this.#parts.limits.directPayAnswerMs, () => over.abort())
    try {
      const first = await firstOf([decided, this.#overLinks()])
      if (first === undefined) return this.told(await server)
      // The word of a payee alone does not end the wait for the server.
      return valueOf('transfer' in first ? first : ((await this.#heard(decided, AbortSignal.any([over.signal, this.#signal]))) ?? first))
    } finally {
      timer.cancel()
    }
  }

  /** What the server decides before the signal, as long as there is a connection to it. */
  async #heard(decided: Promise<Outcome | undefined>, over: AbortSignal): Promise<Outcome | undefined> {
    const { clock, online } = this.#parts
    const answered = decided.then((outcome) => ({ outcome }))
    while (online() && !over.aborted) {
      const answer = await within(clock, lookMs, answered)
      if (answer !== undefined) return answer.outcome
    }
    return undefined
  }

  /** What the server says, to somebody who may have given the order away. */
  told(outcome: Outcome): WireTransfer {
    const isOpen = 'error' in outcome && !isForGood(outcome.error)
    if (isOpen && this.#isHanded) throw mayStill(this.#handing.payee, outcome.error)
    return valueOf(outcome)
  }

  /** `undefined` when nothing came of it. */
  async #overLinks(): Promise<Outcome | undefined> {
    for (const link of this.#handing.links()) {
      const endTurn = link.open ? await this.#parts.turns.take(link, this.#signal) : undefined
      if (endTurn === undefined) continue
      const answer = await this.#asked(link, endTurn)
      if (answer === undefined) return undefined
      if (!SealwireError.is(answer)) return this.#judged(answer)
      // The word of a payee is no refusal, but there is no use in asking the other devices.
      if (!isPassing(answer)) return undefined
    }
    return undefined
  }

  #judged(answer: PeerResult<'direct.pay'>): Outcome {
    const { params, order, payer, payee } = this.#handing
    if (answer.state === 'held') return { error: held(payee) }
    try {
      return {
        transfer: provenTransfer({ order, payer, payee, signed: params.order, memo: params.memo }, answer.receipt, this.#parts.ledgerKey()),
      }
    } catch (reason) {
      return { error: SealwireError.from(reason) }
    }
  }

  /** Before anybody else has it: a program that ends now, and is started again, must not say that nothing was paid. */
  async #isRemembered(): Promise<boolean> {
    try {
      await this.#handing.handed()
      this.#isHanded = true
      return true
    } catch {
      // The server says what becomes of it, and nobody else.
      return false
    }
  }

  /** What a device answers, or why it does not; `undefined` when it is not asked, or nobody waits for it any more. */
  async #asked(link: PayLink, endTurn: () => void): Promise<PeerResult<'direct.pay'> | SealwireError | undefined> {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<undefined>()
    this.#signal.addEventListener('abort', () => abort(undefined), { once: true })
    // Whoever has given up was told what became of it: nobody gets it after that.
    const answer = this.#isRemembered().then((isIt) => (isIt && !this.#signal.aborted ? this.#answer(link) : undefined))
    return Promise.race([answer.finally(endTurn), aborted])
  }

  /** It is waited for also when the server was faster: the next order to this device comes after it. */
  async #answer(link: PayLink): Promise<PeerResult<'direct.pay'> | SealwireError> {
    const { order, memo } = this.#handing.params
    const late = new AbortController()
    const timer = this.#parts.clock.after(this.#parts.limits.directPayAnswerMs, () => late.abort())
    try {
      return await link.request('direct.pay', { order, ...(memo === undefined ? {} : { memo }) }, late)
    } catch (reason) {
      return SealwireError.from(reason)
    } finally {
      timer.cancel()
    }
  }
}

/** Whether these bytes are never carried out, by whomever they are brought. */
function isForGood(error: SealwireError): boolean {
  return isDecided(error) && !codes[error.code].retry
}

async function outcomeOf(transfer: Promise<WireTransfer>): Promise<Outcome> {
  try {
    return { transfer: await transfer }
  } catch (reason) {
    return { error: SealwireError.from(reason) }
  }
}

function valueOf(outcome: Outcome): WireTransfer {
  if ('transfer' in outcome) return outcome.transfer
  throw outcome.error
}

/** The first one that brings something. */
async function firstOf<T>(promises: readonly Promise<T | undefined>[]): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<T | undefined>()
  for (const each of promises) void each.then((value) => value !== undefined && resolve(value))
  void Promise.all(promises).then(() => resolve(undefined))
  return promise
}

/** What comes within so many ms. */
async function within<T>(clock: HandOverParts['clock'], ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = clock.after(ms, () => resolve(undefined))
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.cancel()
  }
}

function held(payee: string): SealwireError {
  return new SealwireError('unknown_outcome', `the order was handed over to ${payee}, and is worth nothing until it is settled`, { hint })
}

function mayStill(payee: string, cause: SealwireError): SealwireError {
  return new SealwireError('unknown_outcome', `the order was handed over to ${payee}, who may still have it settled`, { cause, hint })
}

/** So often is looked whether there is still a connection. */
const lookMs = 100
const hint = 'order the same under the same id, or ask what became of it'
