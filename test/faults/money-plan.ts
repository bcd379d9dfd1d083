// What a payer does next: all kinds of orders and requests, among them many that must be refused, or that were carried out already.

import { randomBytes } from 'node:crypto'
import type { Attempt } from './money-journal.ts'
import type { Known, MoneyKnown } from './money-known.ts'
import { below, type Random } from './random.ts'

/** What a payer chooses from. */
export interface PlanParts {
  readonly random: Random
  readonly account: number
  /** Numbers of all accounts. */
  readonly accounts: readonly number[]
  readonly known: MoneyKnown
}

/** What is tried: something new, or an attempt of before, byte for byte. */
export type Plan = { readonly fresh: Omit<Attempt, 'n' | 'at' | 'digest'> } | { readonly again: Attempt }

export function plan(parts: PlanParts): Plan {
  const { random, known } = parts
  let lot = below(random, lots)
  for (const [share, make] of deeds) {
    if (lot < share) return make(parts) ?? { fresh: pay(parts) }
    lot -= share
  }
  const again = known.posted.any(random)
  return again === undefined ? { fresh: pay(parts) } : { again }
}

type Fresh = Omit<Attempt, 'n' | 'at' | 'digest'>

function pay(parts: PlanParts): Fresh {
  const { random } = parts
  const memo = random() < 0.2 ? { memo: `lunch ${below(random, 1000)}` } : {}
  return { kind: 'pay', id: freshId(), to: other(parts), amount: some(random), expires: expiry(random), ...memo }
}

function hold(parts: PlanParts): Fresh {
  const { random } = parts
  const expires = Date.now() + (random() < 0.3 ? 500 + below(random, 3_000) : holdMs)
  return { kind: 'hold', id: freshId(), to: other(parts), amount: some(random), expires }
}

function split(parts: PlanParts): Fresh {
  const { random } = parts
  const others = parts.accounts.filter((each) => each !== parts.account)
  const count = 2 + below(random, 3)
  const from = below(random, others.length)
  const shares = Array.from({ length: count }, (_, at): [number, number] => {
    return [others[(from + at) % others.length] ?? 0, 1 + below(random, 1_000)]
  })
  return { kind: 'split', id: freshId(), expires: expiry(random), parts: shares }
}

function request(parts: PlanParts): Fresh {
  const { random } = parts
  const expires = Date.now() + requestMs
  return { kind: 'request', id: freshId(), to: other(parts), amount: 100 + some(random), expires, memo: 'for the boat' }
}

/** More than there is of it, sometimes: the rest is known from before. */
function about(kind: 'capture' | 'refund', { random }: PlanParts, it: Known | undefined): Fresh | undefined {
  if (it === undefined) return undefined
  const amount = random() < 0.1 ? it.left + 1 : 1 + below(random, it.left)
  it.left = Math.max(1, it.left - amount)
  return { kind, id: freshId(), of: [it.signer, it.id], amount }
}

function capture(parts: PlanParts): Fresh | undefined {
  const { holds } = parts.known
  return about('capture', parts, parts.random() < 0.8 ? holds.take(parts.random) : holds.any(parts.random))
}

function voidHold({ random, known }: PlanParts): Fresh | undefined {
  const it = random() < 0.8 ? known.holds.take(random) : known.holds.any(random)
  return it && { kind: 'void', id: freshId(), of: [it.signer, it.id] }
}

/** The whole, a part, or more than is left of it. */
function payRequest({ random, known }: PlanParts): Fresh | undefined {
  const it = known.requests.any(random)
  if (it === undefined) return undefined
  const amount = random() < 0.1 ? it.left + 1 : 1 + below(random, it.left)
  it.left = Math.max(1, it.left - amount)
  return { kind: 'pay', id: freshId(), to: it.signer, amount, expires: expiry(random), request: it.id }
}

/** An id that was used, or is just being used, for something else. */
function sameId(parts: PlanParts): Fresh | undefined {
  const { random, known } = parts
  const before = random() < 0.5 ? known.posted.any(random) : known.sent.any(random)
  if (before === undefined) return undefined
  known.reused.add(before.id)
  return { ...pay(parts), id: before.id, reuses: true }
}

/** How often of `lots`: what is left repeats bytes that were carried out. Nothing of a kind there yet: a payment. */
const deeds: readonly (readonly [share: number, make: (parts: PlanParts) => Plan | undefined])[] = [
  [400, (parts) => ({ fresh: pay(parts) })],
  [100, (parts) => ({ fresh: hold(parts) })],
  [80, (parts) => fresh(capture(parts))],
  [30, (parts) => fresh(voidHold(parts))],
  [90, (parts) => fresh(about('refund', parts, parts.known.refundable.any(parts.random)))],
  [70, (parts) => ({ fresh: split(parts) })],
  [30, (parts) => ({ fresh: request(parts) })],
  [50, (parts) => fresh(payRequest(parts))],
  [40, (parts) => ({ fresh: { ...pay(parts), amount: 1_000_000_000 } })],
  [20, (parts) => ({ fresh: { ...pay(parts), expires: Date.now() - 1 } })],
  [20, (parts) => fresh(sameId(parts))],
  [5, (parts) => ({ fresh: { ...pay(parts), to: parts.account } })],
  [5, (parts) => ({ fresh: { ...pay(parts), to: nobody } })],
  [5, (parts) => ({ fresh: { ...pay(parts), spoilt: true } })],
]
const lots = 1_000

function fresh(made: Fresh | undefined): Plan | undefined {
  return made && { fresh: made }
}

function other({ random, account, accounts }: PlanParts): number {
  const at = below(random, accounts.length - 1)
  const own = accounts.indexOf(account)
  return accounts[at >= own ? at + 1 : at] ?? 0
}

/** From one to some thousands of the smallest parts, and now and then so many that nobody has them for long. */
function some(random: Random): number {
  return 1 + below(random, random() < 0.05 ? 20_000 : 2_000)
}

/** Some are over by the time they are repeated. */
function expiry(random: Random): number {
  return Date.now() + (random() < 0.3 ? 5_000 : 600_000)
}

/** Chance is not repeated here: the same seed must not bring the ids of a run before. */
function freshId(): string {
  const id = randomBytes(16)
  id.writeUIntBE(Date.now(), 0, 6)
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x70
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80
  return id.toString('hex')
}

const holdMs = 20_000
const requestMs = 20_000
const nobody = 999_999
