// A play of random orders on the ledger and on paper at once.

import { expect } from 'bun:test'
import type { LedgerOrder } from '../../../../src/store/index.ts'
import { LedgerModel, type Verdict } from './ledger-model.ts'
import { LedgerStage } from './ledger-stage.ts'

export const accounts = 8
const units = ['credits', 'gold'] as const

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Accounts that pay each other at random: what the ledger and the paper say of each step. */
export class Play {
  readonly stage: LedgerStage
  readonly model = new LedgerModel()
  readonly #random: (below: number) => number
  /** What was carried out: by its name on paper, with the answer. */
  readonly done: { readonly order: LedgerOrder; readonly answer: unknown }[] = []
  readonly refused = new Map<string, number>()
  readonly #holds: LedgerOrder[] = []
  readonly #payments: LedgerOrder[] = []

  /** `folder`: default in memory. */
  constructor(seed: number, folder?: string) {
    this.#random = randomOf(seed)
    this.stage = new LedgerStage(accounts, 0n, folder === undefined ? {} : { folder })
    this.stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
  }

  step(): void {
    const kind = this.#random(100)
    if (kind < 35) this.#pay()
    else if (kind < 50) this.#hold()
    else if (kind < 60) this.#split()
    else if (kind < 70) this.#capture()
    else if (kind < 75) this.#void()
    else if (kind < 85) this.#refund()
    else if (kind < 92) this.#again()
    else if (kind < 96) this.#issue()
    else this.#operate()
    this.stage.at += BigInt(this.#random(60_000))
  }

  compare(): void {
    const { stage, model } = this
    for (let id = 1n; id <= BigInt(accounts); id++) {
      const has = stage.run('ledger.balance', { accountId: id }).map(({ unit, balance, held }) => [unit, balance, held])
      const held = (unit: string) =>
        [...model.holds.values()].filter((hold) => hold.payer === id && hold.unit === unit && hold.status === 'pending')
      const should = units.map(
        (unit) => [unit, model.of(id, unit), held(unit).reduce((sum, hold) => sum + hold.held, 0n)] as (string | bigint)[],
      )
      expect(has).toEqual(should)
    }
    const books = stage.run('ledger.accounts', { after: 0n, max: 100n })
    for (const unit of units) {
      const of = books.filter((book) => book.unit === unit)
      expect(of.reduce((sum, { balance }) => sum + balance, 0n)).toBe(0n)
      expect(of.find(({ kind }) => kind === 'issuance')?.balance).toBe(-model.total(unit))
    }
    expect(stage.run('ledger.state', {}).size).toBe(model.postings)
  }

  #pay(): void {
    const [payer, payee, unit, amount, until] = [this.#account(), this.#account(), this.#unit(), this.#amount(), this.#until()]
    const order = this.stage.pay(payer, payee, amount, { unit, expiresAt: until })
    const name = this.#nameOf(order)
    if (this.#carryOut(order, () => this.model.pay(name, payer, unit, [[payee, amount]], this.stage.at, until))) this.#payments.push(order)
  }

  #hold(): void {
    const [payer, payee, unit, amount, until] = [this.#account(), this.#account(), this.#unit(), this.#amount(), this.#until()]
    const order = this.stage.hold(payer, payee, amount, { unit, expiresAt: until })
    const name = this.#nameOf(order)
    if (this.#carryOut(order, () => this.model.pay(name, payer, unit, [[payee, amount]], this.stage.at, until, true)))
      this.#holds.push(order)
  }

  #split(): void {
    const [payer, unit, first, until] = [this.#account(), this.#unit(), this.#account(), this.#until()]
    const payees = Array.from({ length: 2 + this.#random(4) }, (_, at) => ((first + BigInt(at)) % BigInt(accounts)) + 1n)
    const parts = payees.map((payee) => [payee, this.#amount() / 3n + 1n] as const)
    const order = this.stage.split(payer, parts, { unit, expiresAt: until })
    if (this.#carryOut(order, () => this.model.pay(this.#nameOf(order), payer, unit, parts, this.stage.at, until)))
      this.#payments.push(order)
  }

  #capture(): void {
    const hold = this.#recent(this.#holds)
    if (hold === undefined) return
    const [by, amount] = [this.#partyOf(hold), this.#amount()]
    this.#carryOut(this.stage.capture(by, hold, amount), () => this.model.capture(this.#nameOf(hold), by, amount, this.stage.at))
  }

  #void(): void {
    const hold = this.#recent(this.#holds)
    if (hold === undefined) return
    const by = this.#partyOf(hold)
    this.#carryOut(this.stage.void(by, hold), () => this.model.void(this.#nameOf(hold), by, this.stage.at))
  }

  #refund(): void {
    const original = this.#recent(this.#random(3) === 0 ? this.#holds : this.#payments)
    if (original === undefined) return
    const [by, amount] = [this.#partyOf(original), this.#amount()]
    this.#carryOut(this.stage.refund(by, original, amount), () => this.model.refund(this.#nameOf(original), by, amount, this.stage.at))
  }

  /** The same bytes bring the same answer, other bytes a conflict, and neither moves anything. */
  #again(): void {
    const known = this.done[this.#random(Math.max(1, this.done.length))]
    if (known === undefined) return
    const { order, answer } = known
    if (this.#random(4) === 0) expect(this.stage.refusal({ ...order, signed: Uint8Array.of(...order.signed, 0) })).toBe('conflict')
    else expect(this.stage.order({ ...order, at: this.stage.at }).transfer).toEqual(answer as ReturnType<LedgerStage['order']>['transfer'])
  }

  #issue(): void {
    const [accountId, unit, amount, burns] = [this.#account(), this.#unit(), this.#amount() * 10n, this.#random(4) === 0]
    const input = { id: this.stage.id(), accountId, unit, amount, at: this.stage.at }
    const verdict = this.model.issue(accountId, unit, burns ? -amount : amount)
    expect(this.stage.codeOf(() => this.stage.run(burns ? 'ledger.burn' : 'ledger.mint', input)) as Verdict).toBe(verdict)
  }

  #operate(): void {
    const [accountId, unit] = [this.#account(), this.#unit()]
    const key = `${accountId} ${unit}`
    const what = this.#random(8)
    if (what === 0) {
      const frozen = this.model.frozen.has(accountId) || this.#random(2) === 0
      this.stage.run('ledger.freeze', { accountId, frozen: !frozen, at: this.stage.at })
      if (frozen) this.model.frozen.delete(accountId)
      else this.model.frozen.add(accountId)
    } else if (what === 1) {
      const floor = -BigInt(this.#random(300))
      this.stage.run('ledger.limits', { unit, accountId, floor })
      this.model.floors.set(key, floor)
    } else if (what === 2) {
      const dayMax = this.#random(2) === 0 ? null : BigInt(this.#random(5_000))
      this.stage.run('ledger.limits', { unit, accountId, dayMax })
      if (dayMax === null) this.model.dayMax.delete(key)
      else this.model.dayMax.set(key, dayMax)
    } else {
      expect(this.stage.run('ledger.expireHolds', { at: this.stage.at, max: 1_000n }).holds).toHaveLength(this.model.expire(this.stage.at))
    }
  }

  /** Whether it was carried out; the paper must have said the same. */
  #carryOut(order: LedgerOrder, paper: () => Verdict): boolean {
    const code = this.stage.codeOf(() => this.done.push({ order, answer: this.stage.order(order).transfer }))
    expect(code as Verdict).toBe(paper())
    this.refused.set(String(code), (this.refused.get(String(code)) ?? 0) + 1)
    return code === undefined
  }

  #nameOf({ order }: LedgerOrder): string {
    return Buffer.from(order.id).toString('hex')
  }

  #account(): bigint {
    return BigInt(1 + this.#random(accounts))
  }

  #unit(): string {
    return units[this.#random(4) === 0 ? 1 : 0]
  }

  #amount(): bigint {
    return BigInt(1 + this.#random(100))
  }

  #until(): bigint {
    return this.stage.at + BigInt(this.#random(20) === 0 ? 0 : 1 + this.#random(3_000_000))
  }

  /** Mostly who is to be paid, sometimes who pays, sometimes anybody. */
  #partyOf({ order }: LedgerOrder): bigint {
    const which = this.#random(10)
    if (which === 0) return this.#account()
    if (which === 1 && 'payer' in order) return order.payer
    if ('parts' in order) return order.parts[this.#random(order.parts.length)]?.payee ?? 1n
    return 'payee' in order ? order.payee : 1n
  }

  #recent(orders: readonly LedgerOrder[]): LedgerOrder | undefined {
    return orders.at(-1 - this.#random(Math.min(40, Math.max(1, orders.length))))
  }
}
