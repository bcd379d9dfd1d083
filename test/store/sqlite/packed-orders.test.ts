import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { LedgerOrder, Ordered } from '../../../src/store/ledger.ts'
import { receiveAnswers, receiveGroup, sendAnswers, sendGroup } from '../../../src/store/sqlite/messages.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { Outcome, Request } from '../../../src/store/store.ts'

/** Nearly always the one, now and then the other: a group has both. */
const mostly = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: rare })
const nothing = fc.constant(undefined)
const number = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n })
const some = fc.bigInt({ min: 1n, max: 3n })
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const bytes = fc.uint8Array({ maxLength: 300 })
const word = fc.oneof(fc.constantFrom('', 'credits', 'phone', '__proto__'), fc.string())

const paid = fc.record({
  kind: mostly(fc.constant('pay' as const), fc.constant('hold' as const)),
  server: mostly(exactly(16), bytes),
  payer: some,
  payee: mostly(some, fc.constantFrom(2n ** 63n, 2n ** 64n + 1n)),
  unit: word,
  amount: mostly(number, fc.constant(2n ** 64n + 1n)),
  id: mostly(exactly(16), bytes),
  expiresAt: number,
  memoHash: mostly(exactly(32), bytes),
})
const message = fc.record({ peerId: mostly(some, fc.constant(0n)), type: word, body: bytes, data: mostly(nothing, bytes) })
const ordered = fc.record({
  order: paid,
  signed: bytes,
  key: mostly(exactly(32), bytes),
  memo: fc.option(word, { nil: undefined }),
  memos: mostly(nothing, fc.constant(['a', undefined])),
  request: mostly(nothing, exactly(16)),
  messages: mostly(fc.array(message, { maxLength: 1 }), fc.oneof(nothing, fc.array(message, { minLength: 2, maxLength: 3 }))),
  otherId: mostly(nothing, exactly(16)),
  device: fc.option(word, { nil: undefined }),
  viewerId: mostly(nothing, number),
  at: number,
})
const payment: fc.Arbitrary<Request> = ordered.map(({ otherId, messages, ...input }) => ({
  name: 'ledger.order',
  input: { ...input, messages: messages?.map((each) => ({ ...each, id: otherId ?? input.order.id })) },
}))
const post: fc.Arbitrary<Request> = fc
  .record({ accountId: number, at: number, conversationId: number, kind: fc.constant('message' as const), id: exactly(16), body: bytes })
  .map((input) => ({ name: 'entry.post', input: { ...input, type: 'text/plain' } }))
const other: fc.Arbitrary<Request> = number.map((accountId) => ({ name: 'contact.list', input: { accountId } }))
const group = fc.array(fc.oneof({ weight: 6, arbitrary: payment }, { weight: 1, arbitrary: post }, { weight: 1, arbitrary: other }), {
  maxLength: 40,
})

/** What a group with the seed of its answers is answered: mostly what the order said, now and then with one thing changed. */
function answersTo(requests: readonly Request[], changes: readonly Change[]): readonly Outcome[] {
  return requests.map((request, at): Outcome => {
    if (request.name !== 'ledger.order') return { value: undefined }
    return changes[at % changes.length]?.(answerTo(request.input)) ?? { value: null }
  })
}

function answerTo({ order, memo, at }: LedgerOrder): Ordered {
  if (order.kind !== 'pay' && order.kind !== 'hold') throw new TypeError('an order of another kind')
  const { kind, payer: signerId, payee, unit, amount, id } = order
  const people = { payer: { id: signerId, key: 'bob', name: 'Bob' }, payee: { id: payee, key: 'eve', name: '' } }
  const still = { status: 'posted', parts: [], captured: 0n, refunded: 0n, expiresAt: undefined, original: undefined } as const
  const transfer = { signerId, id, kind, unit, decimals: 2n, amount, ...people, memo, at, posting: 17n, ...still }
  return { transfer, balance: -5n, repeated: false, posted: [], changed: undefined, request: undefined }
}

type Change = (answer: Ordered) => Outcome
const posted = { conversationId: 7n, seq: 3n, at: 5n, repeated: false, deliveries: [{ accountId: 2n, inboxSeq: 9n }] }
const changes: readonly Change[] = [
  (answer) => ({ value: answer }),
  (answer) => ({ value: { ...answer, posted: [posted] } }),
  (answer) => ({ value: { ...answer, posted: [{ ...posted, deliveries: [] }] } }),
  (answer) => ({ value: { ...answer, posted: [posted, posted] } }),
  (answer) => ({ value: { ...answer, posted: [{ ...posted, files: [] }] } }),
  (answer) => ({ value: { ...answer, repeated: true } }),
  (answer) => ({ value: { ...answer, changed: answer.transfer } }),
  (answer) => ({ value: { ...answer, request: { id: answer.transfer.id } } }),
  ...[
    { signerId: -9n },
    { id: new Uint8Array(16) },
    { kind: 'refund' },
    { status: 'pending' },
    { unit: 'other' },
    { amount: -3n },
    { payer: undefined },
    { payee: { id: -9n, key: 'x', name: 'X' } },
    { parts: [{ amount: 1n }] },
    { captured: 1n },
    { refunded: 1n },
    { expiresAt: 1n },
    { original: { signerId: 1n, id: new Uint8Array(16) } },
    { at: -1n },
    { memo: 'another' },
  ].map(
    (change): Change =>
      (answer) => ({ value: { ...answer, transfer: { ...answer.transfer, ...change } } }),
  ),
  () => ({ error: new SealwireError('insufficient_funds', 'there is not enough on the account') }),
]

describe('orders between threads', () => {
  test('are what they were, in their order, with what no column has a place for', () => {
    let packed = 0
    const check = fc.property(group, (requests) => {
      const sent = structuredClone(sendGroup(requests))
      packed += sent.orders === undefined ? 0 : 1
      expect(receiveGroup(sent)).toEqual([...requests])
    })
    fc.assert(check, { numRuns: 1_000 })
    expect(packed).toBeGreaterThan(100)
  })
})

describe('answers to orders between threads', () => {
  test('are what they were, in their order, also those that say something else than their order', () => {
    let packed = 0
    const which = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...changes.slice(0, 3)) }, fc.constantFrom(...changes)), {
      minLength: 1,
      maxLength: 40,
    })
    const check = fc.property(group, which, (requests, chosen) => {
      const outcomes = answersTo(requests, chosen)
      const sent = structuredClone(sendAnswers(requests, outcomes))
      packed += sent.answers === undefined ? 0 : 1
      expect(receiveAnswers(requests, sent)).toEqual([...outcomes])
    })
    fc.assert(check, { numRuns: 1_000 })
    expect(packed).toBeGreaterThan(100)
  })

  test('are columns only where all that they say has a place in one', () => {
    const requests = fc.sample(payment, 200)
    const isPlain = (change: Change): boolean => {
      const { answers, outcomes } = sendAnswers(requests, answersTo(requests, [change]))
      return answers !== undefined && outcomes.length < requests.length
    }
    expect(changes.map(isPlain)).toEqual(changes.map((_, at) => at < 3))
  })
})
