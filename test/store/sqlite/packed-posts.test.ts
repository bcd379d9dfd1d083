import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { SealwireError } from '../../../src/protocol/index.ts'
import { receiveOutcomes, sendOutcomes } from '../../../src/store/sqlite/messages.ts'
import { packGroup, unpackGroup } from '../../../src/store/sqlite/packed-posts.ts'
import type { Outcome, Request } from '../../../src/store/store.ts'

const number = fc.bigInt({ min: 1n, max: 2n ** 62n })
const bytes = fc.uint8Array({ maxLength: 300 })
const id = fc.uint8Array({ minLength: 16, maxLength: 16 })
const absent = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const post: fc.Arbitrary<Request> = fc
  .record({
    accountId: number,
    at: number,
    conversationId: absent(number),
    peerId: absent(number),
    device: absent(fc.oneof(fc.string(), fc.constantFrom('phone', 'text/plain', ''))),
    kind: fc.constantFrom('message', 'message', 'message', 'message', 'edit', 'reaction'),
    id: fc.oneof({ weight: 9, arbitrary: id }, { weight: 1, arbitrary: bytes }),
    type: fc.oneof(
      { weight: 9, arbitrary: fc.oneof(fc.string(), fc.constantFrom('text/plain', '')) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    body: fc.oneof({ weight: 9, arbitrary: bytes }, { weight: 1, arbitrary: fc.constant(undefined) }),
    data: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: bytes }),
  })
  .map((input) => ({ name: 'entry.post', input }))
const other: fc.Arbitrary<Request> = number.map((accountId) => ({ name: 'contact.list', input: { accountId } }))
const group = fc.array(fc.oneof({ weight: 5, arbitrary: post }, { weight: 1, arbitrary: other }), { maxLength: 40 })

const delivery = fc.record({ accountId: number, inboxSeq: number })
const posted = fc.record(
  {
    conversationId: number,
    seq: number,
    at: number,
    repeated: fc.boolean(),
    deliveries: fc.array(delivery, { maxLength: 3 }),
    files: fc.array(id, { maxLength: 2 }),
    more: fc.string(),
  },
  { requiredKeys: ['conversationId', 'seq', 'at', 'repeated', 'deliveries'] },
)
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 5, arbitrary: posted.map((value) => ({ value })) },
  { weight: 1, arbitrary: fc.constantFrom<Outcome>({ value: undefined }, { value: null }, { value: 7n }, { value: [] }) },
  { weight: 1, arbitrary: fc.constant<Outcome>({ error: new SealwireError('busy', 'too much to do') }) },
)

describe('a group between threads', () => {
  test('is what it was, in its order, whatever it holds', () => {
    let packed = 0
    const check = fc.property(group, (requests) => {
      const sent = structuredClone(packGroup(requests))
      packed += sent.posts === undefined ? 0 : 1
      expect(unpackGroup(sent)).toEqual([...requests])
    })
    fc.assert(check, { numRuns: 1_000 })
    expect(packed).toBeGreaterThan(50)
  })

  test('has every device and type once', () => {
    const input = { accountId: 1n, at: 2n, conversationId: 3n, kind: 'message', id: new Uint8Array(16), body: new Uint8Array(1) } as const
    const more = { device: 'phone', type: 'text/plain' }
    const { posts } = packGroup(Array.from({ length: 9 }, () => ({ name: 'entry.post', input: { ...input, ...more } })))
    expect(posts?.texts).toEqual([undefined, 'phone', 'text/plain'])
  })

  test('leaves few messages as they are', () => {
    const [request] = fc.sample(other, 1)
    const requests = request === undefined ? [] : [request]
    expect(packGroup(requests)).toEqual({ requests, posts: undefined })
  })
})

describe('answers between threads', () => {
  test('are what they were, in their order, with what no column has a place for', () => {
    const check = fc.property(fc.array(outcome, { maxLength: 40 }), (outcomes) => {
      expect(receiveOutcomes(structuredClone(sendOutcomes(outcomes)))).toEqual(outcomes)
    })
    fc.assert(check, { numRuns: 500 })
  })
})
