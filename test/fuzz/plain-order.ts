// Orders of payments.md, "What is signed", read in the plainest way there is: what the reader of orders is measured against. It shares
// no code with it.

import type { OrderKind } from '../../src/protocol/contract/order.ts'
import { readStrictly } from './strict-cbor.ts'

/** What an order says, by names; `undefined` for a payload that is none of its kind. */
export type PlainOrder = Readonly<Record<string, unknown>> | undefined

/** Reads one. */
export function plainOrder(kind: OrderKind, payload: Uint8Array): PlainOrder {
  const order = fieldsOf(readStrictly(payload, depthMax), rows[kind])
  return order && { kind, ...order }
}

/** What an item says, or `undefined` where it is none. */
type Item = (value: unknown) => unknown
/** Names and what stands there, in their order. */
type Row = readonly (readonly [name: string, item: Item])[]

function fieldsOf(value: unknown, row: Row): PlainOrder {
  if (!Array.isArray(value) || value.length !== row.length) return undefined
  const fields: Record<string, unknown> = {}
  for (const [at, [name, item]] of row.entries()) {
    fields[name] = item(value[at])
    if (fields[name] === undefined) return undefined
  }
  return fields
}

function bytes(length: number): Item {
  return (value) => (value instanceof Uint8Array && value.length === length ? value : undefined)
}

function wholeFrom(least: number, most: number): Item {
  return (value) => (typeof value === 'number' && value >= least && value <= most ? BigInt(value) : undefined)
}

/** 1 to 16 small letters and digits, a letter first. */
const unit: Item = (value) => {
  if (typeof value !== 'string' || value.length < 1 || value.length > 16 || digits.includes(value.charAt(0))) return undefined
  return Array.from(value).every((sign) => (letters + digits).includes(sign)) ? value : undefined
}

/** 2 to 50, nobody twice, and not too much in all. */
const parts: Item = (value) => {
  if (!Array.isArray(value) || value.length < 2 || value.length > 50) return undefined
  const all = value.map((part) => fieldsOf(part, partRow))
  const payees = new Set(all.map((part) => part?.['payee']))
  const total = all.reduce((sum, part) => sum + Number(part?.['amount']), 0)
  return !all.includes(undefined) && payees.size === all.length && total <= amountMax ? all : undefined
}

const letters = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const amountMax = 1e15
const depthMax = 4
const [id, hash] = [bytes(16), bytes(32)]
const [account, amount, expiry] = [wholeFrom(1, 2 ** 53 - 1), wholeFrom(1, amountMax), wholeFrom(0, 2 ** 53 - 1)]
const partRow: Row = [
  ['payee', account],
  ['amount', amount],
  ['memoHash', hash],
]
const payRow: Row = [
  ['server', id],
  ['payer', account],
  ['payee', account],
  ['unit', unit],
  ['amount', amount],
  ['id', id],
  ['expiresAt', expiry],
  ['memoHash', hash],
]
const rows: Readonly<Record<OrderKind, Row>> = {
  pay: payRow,
  hold: payRow,
  capture: [
    ['server', id],
    ['payee', account],
    ['holdPayer', account],
    ['hold', id],
    ['amount', amount],
    ['id', id],
  ],
  void: [
    ['server', id],
    ['actor', account],
    ['holdPayer', account],
    ['hold', id],
    ['id', id],
  ],
  refund: [
    ['server', id],
    ['payee', account],
    ['originalPayer', account],
    ['original', id],
    ['amount', amount],
    ['id', id],
    ['memoHash', hash],
  ],
  split: [
    ['server', id],
    ['payer', account],
    ['unit', unit],
    ['id', id],
    ['expiresAt', expiry],
    ['parts', parts],
  ],
}
