import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { entryBytesOf } from '../../../../src/store/entry-bytes.ts'
import type { Input } from '../../../../src/store/store.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { Stage } from './stage.ts'

const [alice, bob, carol] = [1n, 2n, 3n]

function opened(): Stage {
  const stage = new Stage(3)
  stage.befriend([alice, bob], [bob, carol])
  return stage
}

function index(stage: Stage): void {
  while (stage.run('search.index', { max: 3n }));
}

/** The places at which an account finds words. */
function find(stage: Stage, accountId: bigint, text: string, other: Partial<Input<'search.find'>> = {}): readonly bigint[] {
  const { entries } = stage.run('search.find', { accountId, text, max: 99n, bytesMax: 999_999n, at: stage.at, ...other })
  return entries.map(({ seq }) => seq)
}

describe('search.find', () => {
  test('finds what has all words, newest first, for who may see it', () => {
    using stage = opened()
    stage.say(alice, 1n, 'Grüße aus München')
    stage.say(bob, 1n, 'aus die Maus')
    stage.say(bob, 2n, 'aus')
    index(stage)
    expect([find(stage, alice, 'aus'), find(stage, alice, 'mau aus'), find(stage, alice, 'die, aus!'), find(stage, carol, 'aus')]).toEqual([
      [2n, 1n],
      [],
      [2n],
      [1n],
    ])
    expect([find(stage, alice, 'GRUSSE'), find(stage, alice, 'grusse'), find(stage, alice, 'munchen')]).toEqual([[], [], [1n]])
    expect([find(stage, bob, 'aus', { conversationId: 2n }), find(stage, carol, 'aus', { conversationId: 1n })]).toEqual([[1n], []])
  })

  test('finds text of any text type, also beside bytes that are no UTF-8, and nothing else', () => {
    using stage = opened()
    stage.say(alice, 1n, 'word', { type: 'Text/Markdown' })
    stage.say(alice, 1n, 'word', { type: 'application/json' })
    stage.say(alice, 1n, '', { body: new Uint8Array([0x77, 0x6f, 0x72, 0x64, 0x20, 0xff]) })
    stage.say(alice, 1n, 'word\0 and more')
    index(stage)
    expect([find(stage, bob, 'word'), find(stage, bob, 'more')]).toEqual([[4n, 3n, 1n], [4n]])
  })

  test('no more than so many bytes are put into the index in one go, but one message always', () => {
    using stage = opened()
    for (let said = 0; said < 5; said++) stage.say(alice, 1n, `long${'x'.repeat(20)} `.repeat(2_300))
    const goes: bigint[] = []
    for (let more = true; more; goes.push(BigInt(find(stage, bob, `long${'x'.repeat(20)}`).length)))
      more = stage.run('search.index', { max: 500n })
    expect(goes).toEqual([2n, 4n, 5n])
  })

  test('never finds what was deleted, said before by an edit, hidden, or before the account joined', () => {
    using stage = opened()
    const post = (kind: 'edit' | 'delete', target: bigint, body?: string) =>
      stage.run('entry.post', {
        ...stage.act(alice),
        conversationId: 1n,
        kind,
        target,
        ...(body === undefined ? {} : { type: 'text/plain', body: new TextEncoder().encode(body) }),
      })
    for (const words of ['first word', 'second word', 'third word']) stage.say(alice, 1n, words)
    index(stage)
    post('delete', 1n)
    post('edit', 2n, 'other')
    expect([find(stage, bob, 'word'), find(stage, bob, 'other')]).toEqual([[3n], [2n]])
    // An edit and a deletion before their turn to be indexed.
    stage.say(alice, 1n, 'late word')
    stage.say(alice, 1n, 'late word')
    post('edit', 6n, 'late edit')
    post('delete', 7n)
    index(stage)
    expect([find(stage, bob, 'late'), find(stage, bob, 'word')]).toEqual([[6n], [3n]])
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    stage.say(alice, 1n, 'unseen')
    index(stage)
    expect([find(stage, alice, 'unseen'), find(stage, bob, 'unseen')]).toEqual([[10n], []])
    const room = stage.room(alice)
    stage.say(alice, room, 'before')
    stage.admit(room, alice, carol)
    index(stage)
    expect(find(stage, carol, 'before')).toEqual([])
  })

  test('says up to where it has searched', () => {
    using stage = opened()
    const upTo = () => stage.run('search.find', { accountId: bob, text: 'x', max: 1n, bytesMax: 1n, at: 9_999n }).upTo
    stage.say(alice, 1n, 'one')
    stage.at = 2_000n
    stage.say(carol, 2n, 'two')
    expect(upTo()).toBe(1_000n)
    expect(stage.run('search.index', { max: 1n })).toBe(true)
    expect(upTo()).toBe(2_000n)
    expect([stage.run('search.index', { max: 9n }), upTo()]).toEqual([false, 9_999n])
  })

  test('goes on before a moment and misses nothing, however many were said at once', () => {
    using stage = opened()
    for (const at of [1n, 1n, 2n, 2n, 3n, 4n]) {
      stage.at = at
      stage.say(alice, 1n, 'word')
    }
    index(stage)
    const page = (before: bigint | undefined, max: bigint) => {
      const { entries, more } = stage.run('search.find', { accountId: bob, text: 'word', before, max, bytesMax: 9_999n, at: 9n })
      return [entries.map(({ seq }) => Number(seq)), more]
    }
    expect([page(undefined, 3n), page(3n, 3n), page(2n, 3n)]).toEqual([
      [[6, 5], true],
      [[4, 3], true],
      [[2, 1], false],
    ])
  })

  test('goes on behind a place, also where more was said at one moment than a page has, or has room for', () => {
    using stage = new Stage(3, {}, { devices: 0 })
    stage.befriend([alice, bob], [bob, carol])
    for (const peer of [alice, carol, alice, carol, alice, carol]) stage.say(peer, peer === alice ? 1n : 2n, 'word')
    index(stage)
    const wanted = { accountId: bob, text: 'word', max: 9n, bytesMax: 9_999n, at: 9n }
    const room = 2 * Math.max(...stage.run('search.find', wanted).entries.map(entryBytesOf))
    for (const [max, bytesMax] of [
      [1n, 9_999n],
      [2n, 9_999n],
      [9n, 1n],
      [9n, BigInt(room)],
    ] as const) {
      const found: string[] = []
      for (let from = {}, more = true; more; ) {
        const page = stage.run('search.find', { ...wanted, ...from, max, bytesMax })
        found.push(...page.entries.map(({ conversationId, seq }) => `${conversationId} ${seq}`))
        const last = page.entries.at(-1)
        more = page.more && last !== undefined
        from = { before: last?.at, place: last }
      }
      expect(found).toEqual(['2 3', '2 2', '2 1', '1 3', '1 2', '1 1'])
    }
  })

  test('finds the same, rare or not, in however many conversations', () => {
    using stage = new Stage(12, {}, { devices: 0 })
    for (let peer = 2n; peer <= 12n; peer++) stage.befriend([1n, peer])
    const expected: bigint[] = []
    for (let count = 0; count < 2_200; count++) {
      stage.at = BigInt(count)
      // Some conversations are long asleep, and one is not alice's.
      const peer = BigInt(2 + (count < 500 ? count % 10 : count % 3))
      const conversation = stage.say(peer, peer - 1n, count % 400 === 7 ? 'common rare' : 'common').conversationId
      if (count % 400 === 7) expected.unshift(conversation)
    }
    while (stage.run('search.index', { max: 500n }));
    const all = (text: string, max: bigint) => {
      const found: string[] = []
      for (let before: bigint | undefined, more = true; more; ) {
        const page = stage.run('search.find', { accountId: alice, text, before, max, bytesMax: 999_999n, at: 9_999n })
        found.push(...page.entries.map(({ conversationId, at }) => `${conversationId} ${at}`))
        before = page.entries.at(-1)?.at
        more = page.more
      }
      return found
    }
    expect(all('rare', 2n).map((hit) => BigInt(hit.split(' ')[0] ?? ''))).toEqual(expected)
    const common = all('common', 150n)
    expect([common.length, new Set(common).size]).toEqual([2_200, 2_200])
    expect(common.map((hit) => Number(hit.split(' ')[1]))).toEqual(Array.from({ length: 2_200 }, (_, nth) => 2_199 - nth))
  }, 60_000)

  test('finds what was said long ago with words that many say, and never together since', () => {
    using stage = new Stage(3, {}, { devices: 0 })
    stage.befriend([alice, bob], [bob, carol])
    for (let count = 0; count < 2_100; count++) stage.say(alice, 1n, 'left and Right')
    for (let count = 0; count < 4_200; count++) stage.say(alice, 1n, count % 2 === 0 ? 'left and' : 'and right')
    while (stage.run('search.index', { max: 1_000n }));
    expect(find(stage, bob, 'right left and', { max: 3n })).toEqual([2_100n, 2_099n, 2_098n])
    expect(find(stage, bob, 'left right', { max: 9_999n })).toHaveLength(2_100)
    expect([find(stage, carol, 'left right'), find(stage, bob, 'left right', { conversationId: 2n })]).toEqual([[], []])
    expect(find(stage, bob, 'right left nowhere')).toEqual([])
  }, 60_000)

  test('takes no more different words than it may', () => {
    using stage = new Stage(2, { searchWordsMax: 2 })
    stage.befriend([alice, bob])
    stage.say(alice, 1n, 'one two')
    index(stage)
    expect(find(stage, bob, 'one, two: one')).toEqual([1n])
    expect(stage.codeOf(() => find(stage, bob, 'one two three'))).toBe('malformed')
  })

  test('takes any text for words', () => {
    using stage = opened()
    stage.say(alice, 1n, 'NEAR("a" OR text: foo*) AND - ^b')
    index(stage)
    for (const text of ['text:', 'foo*', '"', 'NEAR(a', '-', 'a OR zzz', '\0', '^b', '', '\ud800', "'; drop table entry; --"]) {
      expect(stage.codeOf(() => find(stage, bob, text))).toBeUndefined()
    }
    expect([find(stage, bob, 'or near'), find(stage, bob, 'a OR zzz'), find(stage, bob, 'zzz NOT a'), find(stage, bob, '*')]).toEqual([
      [1n],
      [],
      [],
      [],
    ])
    // Too many words are all that is refused.
    const isTaken = (text: string) => [undefined, 'malformed'].includes(stage.codeOf(() => find(stage, bob, text)))
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), isTaken), { numRuns: 40 })
    fc.assert(fc.property(fc.string({ maxLength: 200 }), isTaken), { numRuns: 40 })
  }, 60_000)
})

test('words of a room that is gone are not in the files', () => {
  using folder = new StoreFolder()
  using stage = new Stage(2, {}, { folder: folder.path })
  const room = stage.room(alice)
  for (let count = 0; count < 60; count++) stage.say(alice, room, `some canary${count === 37 ? 'zebrafish' : count} words`)
  index(stage)
  const isThere = () => [folder.database, `${folder.database}-wal`].some((path) => readFileSync(path).includes('zebrafish'))
  expect(isThere()).toBe(true)
  stage.run('room.leave', { ...stage.act(alice), conversationId: room })
  expect(isThere()).toBe(false)
}, 60_000)
