import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import * as v from 'valibot'
import { type MethodRow, messageBodyBytesMax, messageIdBytes, methods, parseParams } from '../../../../src/protocol/contract/index.ts'
import { SealwireError } from '../../../../src/protocol/index.ts'

const row: MethodRow = methods['message.send']
const bytes = (length: number) => new Uint8Array(length).fill(0x6d)
const message = fc.record({
  conversation: fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, -0, 1, Number.MAX_SAFE_INTEGER)),
  id: fc.uint8Array({ minLength: messageIdBytes, maxLength: messageIdBytes }),
  body: fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.constant(messageBodyBytesMax).map(bytes)),
})

/** What may stand anywhere, right in one place or in none. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...[-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, 7, 7n, '7', 'alice', '', true, null, undefined]),
  fc.constantFrom(...[messageIdBytes - 1, messageIdBytes, messageIdBytes + 1, messageBodyBytesMax, messageBodyBytesMax + 1]).map(bytes),
  fc.constantFrom(messageIdBytes, messageIdBytes + 1).map((length) => Buffer.from(bytes(length))),
  fc.constantFrom<unknown>(
    new Int8Array(16),
    new DataView(new ArrayBuffer(16)),
    { length: 16 },
    Array.from({ length: 16 }, () => 0),
    [],
  ),
)
const key = fc.constantFrom(
  'conversation',
  'id',
  'body',
  'to',
  'type',
  'replyTo',
  'file',
  '__proto__',
  'toString',
  'more',
  '',
  '0',
  Symbol.iterator,
)
const prototypes = [
  null,
  Array.prototype,
  Uint8Array.prototype,
  { conversation: 1 },
  { to: 'bob' },
  Object.create(Object.prototype),
  Object.prototype,
]

type Change = (params: object) => void
const change: fc.Arbitrary<Change> = fc.oneof(
  key.map((name) => (params: object) => void Reflect.deleteProperty(params, name)),
  fc.tuple(key, anything, fc.boolean()).map(([name, value, enumerable]) => (params: object) => {
    Object.defineProperty(params, name, { value, enumerable, configurable: true, writable: true })
  }),
  fc.constantFrom(...prototypes).map((prototype) => (params: object) => void Object.setPrototypeOf(params, prototype)),
)

/** What the schema makes of it; `undefined` where it refuses. */
function bySchema(params: unknown): unknown {
  const { success, output } = v.safeParse(row.params, params)
  return success ? output : undefined
}

describe('the plain parameters of message.send', () => {
  test('are what the schema takes, with the same output', () => {
    const seen = { plain: 0, schema: 0, refused: 0 }
    const check = fc.property(message, fc.array(change, { maxLength: 3 }), (params, changes) => {
      for (const each of changes) each(params)
      const [plain, expected] = [row.plain?.(params), bySchema(params)]
      seen[plain !== undefined ? 'plain' : expected !== undefined ? 'schema' : 'refused']++
      if (plain === undefined) return
      expect(plain).toStrictEqual(expected as object)
      expect(Reflect.ownKeys(plain)).toEqual(Reflect.ownKeys(expected as object))
      expect(Object.getPrototypeOf(plain)).toBe(Object.getPrototypeOf(expected))
    })
    fc.assert(check, { numRuns: 20_000 })
    // A run that takes everything, or nothing, does not test much.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(500)
  }, 120_000)

  test('are only those of a map', () => {
    for (const params of [null, undefined, 'message', 7, [], [1, 2, 3], bytes(3), new Map([['id', 1]])])
      expect(row.plain?.(params)).toBeUndefined()
  })

  test('are a copy, and what is not plain is decided by the schema', () => {
    const params = { conversation: 1, id: bytes(messageIdBytes), body: bytes(5) }
    expect(parseParams('message.send', params)).toEqual(params)
    expect(parseParams('message.send', params)).not.toBe(params)
    expect(parseParams('message.send', { ...params, type: 'text/html' })).toEqual({ ...params, type: 'text/html' })
    expect(() => parseParams('message.send', { ...params, id: bytes(15) })).toThrow(SealwireError)
    expect(() => parseParams('message.send', { ...params, what: 1 })).toThrow(SealwireError)
  })
})
