// The operator of a server under test, with a journal like that of the payers: mints and burns, freezes accounts for a while, and
// raises the bound of one of them. What got no answer is asked again with the same id, however often the server is gone.

import { setTimeout as wait } from 'node:timers/promises'
import { askServer } from '../../src/cli/operator/connection.ts'
import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { OperatorMethod, OperatorParams } from '../../src/protocol/operator.ts'
import { messageId } from '../support/device-client.ts'
import { MoneyJournal } from './money-journal.ts'
import { below, type Random } from './random.ts'

/** What is done. Amounts are minor units. */
export interface OperatorAttempt {
  readonly n: number
  readonly at: number
  readonly kind: 'mint' | 'burn' | 'freeze' | 'thaw' | 'bound' | 'credit'
  readonly account: number
  readonly id?: string
  readonly amount?: number
}

/** What became of it. */
type OperatorOutcome = { readonly n: number; readonly at: number } & ({ readonly posting?: number } | { readonly code: string })

export class MoneyOperator implements Disposable {
  readonly #folder: string
  readonly #accounts: readonly (readonly [name: string, account: number])[]
  readonly #journal: MoneyJournal<OperatorAttempt | OperatorOutcome>
  #attempts = 0
  /** Of the account that has one. */
  #bound = 0

  constructor(folder: string, accounts: Readonly<Record<string, number>>, journal: string) {
    this.#folder = folder
    this.#accounts = Object.entries(accounts)
    this.#journal = new MoneyJournal(journal)
  }

  get attempts(): number {
    return this.#attempts
  }

  /** What everybody begins with; the last but one may spend so much in a day, the last one may owe so much. */
  async begin(start: number, bound: number, credit: number): Promise<void> {
    for (const at of this.#accounts.keys()) await this.#issue('mint', at, start)
    await this.#raise(bound)
    await this.#carryOut({ kind: 'credit', account: this.#accountAt(-1), amount: credit }, 'ledger.limits', {
      name: this.#nameAt(-1),
      credit: text(credit),
    })
  }

  /** Something at random. */
  async act(random: Random, frozenMs: number): Promise<void> {
    const at = below(random, this.#accounts.length)
    const lot = random()
    // Much: whoever is bound to little in a day is paid, and pays nobody, and in the end would have everything.
    if (lot < 0.45) await this.#issue('mint', at, 1 + below(random, 200_000))
    else if (lot < 0.85) await this.#issue('burn', at, 1 + below(random, 6_000))
    else if (lot < 0.95) await this.#freeze(at, frozenMs)
    else await this.#raise(this.#bound + below(random, 100_000))
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]()
  }

  async #issue(kind: 'mint' | 'burn', at: number, amount: number): Promise<void> {
    const id = messageId()
    const attempt = { kind, account: this.#accountAt(at), id: Buffer.from(id).toString('hex'), amount }
    await this.#carryOut(attempt, `ledger.${kind}`, { id, name: this.#nameAt(at), amount: text(amount) })
  }

  async #freeze(at: number, ms: number): Promise<void> {
    const name = this.#nameAt(at)
    await this.#carryOut({ kind: 'freeze', account: this.#accountAt(at) }, 'account.freeze', { name })
    await wait(ms)
    await this.#carryOut({ kind: 'thaw', account: this.#accountAt(at) }, 'account.unfreeze', { name })
  }

  async #raise(bound: number): Promise<void> {
    this.#bound = bound
    await this.#carryOut({ kind: 'bound', account: this.#accountAt(-2), amount: bound }, 'ledger.limits', {
      name: this.#nameAt(-2),
      dayMax: text(bound),
    })
  }

  /** Nothing of what it does is left undecided: a bound that may be in force or not would prove nothing. */
  async #carryOut<M extends OperatorMethod>(
    attempt: Omit<OperatorAttempt, 'n' | 'at'>,
    method: M,
    params: OperatorParams<M>,
  ): Promise<void> {
    const n = this.#attempts++
    this.#note({ n, at: Date.now(), ...attempt })
    let isDoubtful = attempt.kind !== 'mint' && attempt.kind !== 'burn'
    for (;;) {
      const answer = await this.#ask(method, params)
      if (typeof answer === 'object') {
        const posting = 'posting' in answer ? { posting: Number(answer.posting) } : {}
        return this.#note({ n, at: Date.now(), ...posting })
      }
      // A server that cannot look now says nothing of what was asked before.
      isDoubtful ||= isOpen(answer)
      if (isOpen(answer) || (isDoubtful && isPassing(answer))) await wait(againMs)
      else return this.#note({ n, at: Date.now(), code: answer })
    }
  }

  /** The result, or the code of why there is none. */
  async #ask<M extends OperatorMethod>(method: M, params: OperatorParams<M>): Promise<object | string> {
    try {
      return await askServer(this.#folder, method, params, { clock: systemClock, limits: resolveLimits() })
    } catch (reason) {
      return SealwireError.from(reason).code
    }
  }

  #note(line: OperatorAttempt | OperatorOutcome): void {
    this.#journal.add(line)
    this.#journal.flush()
  }

  #nameAt(at: number): string {
    return this.#accounts.at(at)?.[0] ?? ''
  }

  #accountAt(at: number): number {
    return this.#accounts.at(at)?.[1] ?? 0
  }
}

/** It may have happened, or was never heard. */
function isOpen(code: string): boolean {
  return ['nobody', 'busy', 'lost', 'unknown_outcome', 'unreachable', 'data_unusable', 'internal'].includes(code)
}

function isPassing(code: string): boolean {
  return code === 'storage_full' || code === 'unavailable'
}

/** Decimal text of minor units with two places. */
function text(minor: number): string {
  return `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`
}

const againMs = 50
