// What a program does with money that may be killed at any moment: deeds that follow from their number alone, so that whoever
// looks at what was left knows what was meant, and can ask again with the same bytes. Keys, ids and signatures are real, and
// always the same.
//
// Several lanes do their deeds one after the other, in a circle: a payment, a refund of some of it, a hold, its capture, a hold,
// its end, a split. The payer of a lane is one of the accounts, the payee the next one.

import { createHash, createPrivateKey, type KeyObject } from 'node:crypto'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { rawPublicKey } from '../../src/pki/ed25519.ts'
import { LedgerKey } from '../../src/pki/index.ts'
import { encodeOrder, type Order, orderPurposes, orderSigner } from '../../src/protocol/contract/index.ts'
import type { Input } from '../../src/store/index.ts'

export const deedServer = new Uint8Array(16).fill(0x5e)
/** Their numbers are those of new accounts in a new store. */
export const deedAccounts = [1n, 2n, 3n, 4n] as const
/** What each of them is given first, in minor units. */
export const deedFortune = 1_000_000n
export const deedKey = new LedgerKey(privateKey('ledger'))
/** Of what one lane does. */
export type Deed = Input<'ledger.order'>

/** How many deeds make a circle. */
const circle = 7
const at = 1_800_000_000_000n
const expiresAt = at + 10_000_000n
const memoHash = hashOf('')

export function makeAccount(account: bigint): Input<'account.create'> {
  const name = `a${account}`
  return { name, key: name, skeleton: name, passwordHash: undefined, createdAt: at }
}

export function makeDevice(account: bigint): Input<'device.enrol'> {
  const ed25519 = rawPublicKey(privateKey(`device ${account}`))
  const id = `device-${account}`
  return { spkiHash: hashOf(id), id, accountId: account, ed25519, x25519: hashOf(id), label: '', at, expiresAt }
}

export function makeMint(accountId: bigint): Input<'ledger.mint'> {
  return { id: idOf(`mint ${accountId}`), accountId, unit: 'credits', amount: deedFortune, at }
}

/** The order of a step of a lane. */
export function orderOf(lane: number, step: number): Order {
  const place = lane % deedAccounts.length
  const payer = deedAccounts[place] ?? 1n
  const payee = deedAccounts[(place + 1) % deedAccounts.length] ?? 1n
  const common = { server: deedServer, id: idOf(`${lane} ${step}`) }
  const before = idOf(`${lane} ${step - 1}`)
  const amount = BigInt(10 + (step % 90))
  switch (step % circle) {
    case 0:
      return { kind: 'pay', ...common, payer, payee, unit: 'credits', amount, expiresAt, memoHash }
    case 1:
      return { kind: 'refund', ...common, payee, originalPayer: payer, original: before, amount: 3n, memoHash }
    case 3:
      return { kind: 'capture', ...common, payee, holdPayer: payer, hold: before, amount: 7n }
    case 5:
      return { kind: 'void', ...common, actor: payee, holdPayer: payer, hold: before }
    case 6:
      return { kind: 'split', ...common, payer, unit: 'credits', expiresAt, parts: partsOf(payer) }
    default:
      return { kind: 'hold', ...common, payer, payee, unit: 'credits', amount, expiresAt, memoHash }
  }
}

/** The same, signed. */
export function deedOf(lane: number, step: number): Deed {
  const order = orderOf(lane, step)
  const key = privateKey(`device ${orderSigner(order)}`)
  const signed = signCose(encodeOrder(order), orderPurposes[order.kind], key)
  return { order, signed, key: rawPublicKey(key), ...(order.kind === 'split' ? { memos: order.parts.map(() => undefined) } : {}), at }
}

/** What a step moves, by account; 0 is what is on hold. Told by what was meant, not by what the ledger has. */
export function movesOf(lane: number, step: number): ReadonlyMap<bigint, bigint> {
  const order = orderOf(lane, step)
  const before = step % circle === 0 ? undefined : orderOf(lane, step - 1)
  const held = before?.kind === 'hold' ? before.amount : 0n
  switch (order.kind) {
    case 'pay':
      return moves([order.payer, -order.amount], [order.payee, order.amount])
    case 'hold':
      return moves([order.payer, -order.amount], [0n, order.amount])
    case 'refund':
      return moves([order.payee, -order.amount], [order.originalPayer, order.amount])
    case 'capture':
      return moves([0n, -held], [order.payee, order.amount], [order.holdPayer, held - order.amount])
    case 'void':
      return moves([0n, -held], [order.holdPayer, held])
    case 'split':
      return moves([order.payer, order.parts.reduce((sum, part) => sum - part.amount, 0n)], ...order.parts.map(partMove))
  }
}

function partMove({ payee, amount }: { readonly payee: bigint; readonly amount: bigint }): readonly [bigint, bigint] {
  return [payee, amount]
}

function partsOf(payer: bigint) {
  return deedAccounts.filter((each) => each !== payer).map((payee, index) => ({ payee, amount: BigInt(index + 1), memoHash }))
}

function moves(...all: readonly (readonly [bigint, bigint])[]): ReadonlyMap<bigint, bigint> {
  return new Map(all)
}

function idOf(what: string): Uint8Array {
  return hashOf(what).slice(0, 16)
}

function hashOf(what: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(what).digest())
}

/** The Ed25519 key that follows from a word (RFC 8410). */
function privateKey(word: string): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), hashOf(`key of ${word}`)])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
