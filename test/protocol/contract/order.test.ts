import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  decodeOrder,
  encodeCbor,
  encodeOrder,
  type Order,
  orderKinds,
  orderPurposes,
  orderSigner,
} from '../../../src/protocol/contract/index.ts'
import { refusalOf } from '../../support/refusal.ts'

const server = new Uint8Array(16).fill(1)
const id = new Uint8Array(16).fill(2)
const hold = new Uint8Array(16).fill(3)
const memoHash = new Uint8Array(32).fill(4)
const pay: Order = { kind: 'pay', server, payer: 7n, payee: 8n, unit: 'credits', amount: 1250n, id, expiresAt: 9n, memoHash }
const parts = [
  { payee: 8n, amount: 1n, memoHash },
  { payee: 9n, amount: 2n, memoHash },
]
const every: readonly Order[] = [
  pay,
  { ...pay, kind: 'hold' },
  { kind: 'capture', server, payee: 8n, holdPayer: 7n, hold, amount: 1n, id },
  { kind: 'void', server, actor: 8n, holdPayer: 7n, hold, id },
  { kind: 'refund', server, payee: 8n, originalPayer: 7n, original: hold, amount: 5n, id, memoHash },
  { kind: 'split', server, payer: 7n, unit: 'credits', id, expiresAt: 9n, parts },
]

describe('encodeOrder and decodeOrder', () => {
  test('are each other’s opposite for every kind', () => {
    expect(every.map(({ kind }) => kind)).toEqual([...orderKinds])
    for (const order of every) expect(decodeOrder(order.kind, encodeOrder(order))).toEqual(order)
  })

  test('have the bytes that the specification says', () => {
    const of = (bytes: number, value: string) => value.repeat(bytes)
    expect(Buffer.from(encodeOrder(pay)).toString('hex')).toBe(
      `88 50${of(16, '01')} 07 08 67${Buffer.from('credits').toString('hex')} 1904e2 50${of(16, '02')} 09 5820${of(32, '04')}`.replaceAll(
        ' ',
        '',
      ),
    )
  })

  test('take amounts from 1 to 10^15 and no other', () => {
    for (const amount of [1n, 2n ** 32n, 10n ** 15n])
      expect(decodeOrder('pay', encodeOrder({ ...pay, amount }))).toEqual({ ...pay, amount })
    const wrong = [0n, -1n, 10n ** 15n + 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n]
    for (const amount of wrong) expect(refusalOf(() => encodeOrder({ ...pay, amount }))).toBe('amount_invalid')
  })

  test('refuse a split with one payee, with the same one twice, with too many, or of too much', () => {
    const split = (list: typeof parts) =>
      refusalOf(() => encodeOrder({ kind: 'split', server, payer: 7n, unit: 'credits', id, expiresAt: 9n, parts: list }))
    const many = (count: number) => Array.from({ length: count }, (_, at) => ({ payee: BigInt(at + 1), amount: 1n, memoHash }))
    expect(split(many(50))).toBeUndefined()
    expect([split(many(1)), split([...parts, ...parts.slice(0, 1)]), split(many(51))]).toEqual(['malformed', 'malformed', 'malformed'])
    expect(split(parts.map((part) => ({ ...part, amount: 6n * 10n ** 14n })))).toBe('amount_invalid')
  })

  test('refuse whatever is not the one form', () => {
    const fields: unknown[] = [server, 7, 8, 'credits', 1250, id, 9, memoHash]
    const refused = (value: unknown) => refusalOf(() => decodeOrder('pay', encodeCbor(value as never)))
    expect(refused(fields)).toBeUndefined()
    const others = ['Text', -1, 2n ** 60n, new Uint8Array(15), null, true, [], {}]
    for (const [at] of fields.entries()) {
      for (const other of others) expect(refused(fields.with(at, other))).toMatch(/malformed|amount_invalid/)
    }
    for (const wrong of [[...fields, 0], fields.slice(0, -1), [], {}, 1, 'pay']) expect(refused(wrong)).toBe('malformed')
    expect(refused(fields.with(1, 0))).toBe('malformed')
    for (const unit of ['', 'Credits', '1x', 'a'.repeat(17), 'a b']) expect(refused(fields.with(3, unit))).toBe('malformed')
    const bytes = encodeOrder(pay)
    expect(refusalOf(() => decodeOrder('pay', Uint8Array.of(...bytes, 0)))).toBe('malformed')
    // 1250 in four bytes instead of two.
    const long = Buffer.from(bytes).toString('hex').replace('1904e2', '1a000004e2')
    expect(refusalOf(() => decodeOrder('pay', Buffer.from(long, 'hex')))).toBe('malformed')
  })

  test('throw nothing but typed errors, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(...orderKinds), (bytes, kind) => {
        expect(refusalOf(() => decodeOrder(kind, bytes))).toMatch(/malformed|amount_invalid/)
      }),
    )
  })
})

describe('orderSigner', () => {
  test('is whom an order takes something from', () => {
    expect(every.map(orderSigner)).toEqual([7n, 7n, 8n, 8n, 8n, 7n])
  })

  test('kinds have purposes of their own', () => {
    expect(new Set(Object.values(orderPurposes)).size).toBe(orderKinds.length)
  })
})
