import { describe, expect, test } from 'bun:test'
import { type DirectNews, directJson, directText } from '../../../src/cli/chat/direct-news.ts'
import { waySentence, wayWords } from '../../../src/cli/chat/direct-words.ts'
import type { WhyRelayed } from '../../../src/client/direct/ways.ts'

const order = { from: 'alice', id: 'i', minor: 500n, amount: '5.00', unit: 'credits', expiresAt: 0 } as const
const reasons: readonly WhyRelayed[] = ['off', 'offline', 'connecting', 'not_contact', 'not_listening', 'unreachable', 'untrusted', 'lost']

describe('directText', () => {
  test('shows every kind of news', () => {
    const delivered = { event: 'delivered', id: 'i', name: 'bob', device: 'd' } as const
    const cases: [DirectNews, readonly string[]][] = [
      [{ event: 'way', name: 'bob', way: 'direct' }, ['direct with bob']],
      [{ event: 'way', name: 'bob', way: 'relayed', why: 'not_listening' }, ['relayed: bob takes no direct links now']],
      [{ event: 'way', name: 'bob', way: 'relayed', why: 'connecting' }, []],
      [{ ...delivered, isWaiting: true }, ['bob has it (direct); it waits for the server']],
      [{ ...delivered, isWaiting: false }, []],
      [{ event: 'placed', id: 'i', conversation: 7, seq: 3, at: 5 }, []],
      [{ event: 'held', order: { ...order, state: 'unsettled' } }, ['alice handed you 5.00 credits: worth nothing until it is settled']],
      [{ event: 'held', order: { ...order, state: 'settled' } }, ['settled: alice has paid you the 5.00 credits that were handed over']],
      [
        { event: 'held', order: { ...order, state: 'refused', reason: 'expired' } },
        ['not settled: the 5.00 credits that alice handed you are worth nothing: expired'],
      ],
      [
        { event: 'held', order: { ...order, amount: undefined, state: 'unsettled' } },
        ['alice handed you 500 smallest units of credits: worth nothing until it is settled'],
      ],
      [
        { event: 'status', name: 'ann', state: 'online', ways: undefined },
        ['you are ann, connected', 'direct links are off: sealwire chat --direct'],
      ],
      [
        { event: 'status', name: 'ann', state: 'offline', ways: [] },
        ['you are ann, without a connection now', 'direct links are on, with nobody yet'],
      ],
      [
        {
          event: 'status',
          name: 'ann',
          state: 'online',
          ways: [
            { name: 'bob', way: 'direct' },
            { name: 'carol', way: 'relayed', why: 'unreachable' },
          ],
        },
        ['you are ann, connected', 'bob: direct', 'carol: relayed (no way there)'],
      ],
    ]
    for (const [news, lines] of cases) expect(directText(news)).toEqual(lines)
  })

  test('says for every reason why it is not direct, each in its own words, but for a block, which is silent', () => {
    const told = reasons.filter((why) => why !== 'not_contact')
    const [blocked, quiet] = (['not_contact', 'not_listening'] as const).map((why) => ({ name: 'bob', way: 'relayed', why }) as const)
    expect([waySentence, wayWords].map((say) => blocked && say(blocked))).toEqual([waySentence, wayWords].map((say) => quiet && say(quiet)))
    const ways = told.map((why) => ({ name: 'bob', way: 'relayed', why }) as const)
    for (const words of [ways.map(waySentence), ways.map(wayWords)]) {
      expect(new Set(words).size).toBe(told.length)
      for (const one of words) expect(one).toMatch(/^(relayed: .*bob|bob: relayed \(.+\)$)/)
    }
  })

  test('lets nothing of what others sent control a terminal', () => {
    const evil = 'a\u001b[2J\u202e\n'
    const news: DirectNews[] = [
      { event: 'delivered', id: evil, name: evil, device: evil, isWaiting: true },
      { event: 'held', order: { ...order, from: evil, unit: evil, reason: evil, state: 'refused' } },
      { event: 'status', name: evil, state: 'online', ways: [{ name: evil, way: 'direct' }] },
      ...reasons.map((why) => ({ event: 'way', name: evil, way: 'relayed', why }) as const),
      { event: 'way', name: evil, way: 'direct' },
    ]
    for (const one of news) expect(directText(one).join('')).toMatch(/^[^\p{Cc}\p{Bidi_Control}]*$/u)
  })
})

test('directJson has what programs need, without what is for people', () => {
  expect(directJson({ event: 'delivered', id: 'i', name: 'bob', device: 'd', isWaiting: true })).toEqual({
    event: 'delivered',
    id: 'i',
    name: 'bob',
    device: 'd',
  })
  expect(directJson({ event: 'way', name: 'bob', way: 'relayed', why: 'lost' })).toEqual({
    event: 'way',
    name: 'bob',
    way: 'relayed',
    why: 'lost',
  })
  expect(directJson({ event: 'placed', id: 'i', conversation: 7, seq: 3, at: 5 })).toEqual({
    event: 'placed',
    id: 'i',
    conversation: 7,
    seq: 3,
  })
  expect(JSON.parse(JSON.stringify(directJson({ event: 'held', order: { ...order, state: 'unsettled' } })))).toEqual({
    event: 'held',
    from: 'alice',
    id: 'i',
    amount: '5.00',
    minor: '500',
    unit: 'credits',
    state: 'unsettled',
    expiresAt: '1970-01-01T00:00:00.000Z',
  })
  const absurd = { ...order, state: 'unsettled', expiresAt: 8_640_000_000_000_001 } as const
  expect(directJson({ event: 'held', order: absurd })).toMatchObject({ expiresAt: '8640000000000001 ms' })
  expect(directJson({ event: 'status', name: 'ann', state: 'online', ways: undefined })).toMatchObject({ direct: { on: false, ways: [] } })
})
