import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { DatabaseSync } from 'node:sqlite'
import { encodeCbor } from '../../../../src/protocol/contract/cbor.ts'
import { migrate, migrations } from '../../../../src/store/sqlite/migrations.ts'
import { hashOf } from '../../../compliance/store-subject.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { Stage } from './stage.ts'

const [alice, bob, carol] = [1n, 2n, 3n]

/** Something that changes how much of somebody's words is kept. */
const deed = fc.record({
  by: fc.constantFrom(alice, bob, carol),
  what: fc.constantFrom('say', 'say', 'edit', 'delete', 'reaction', 'pin', 'retain', 'expire', 'title', 'leave'),
  length: fc.integer({ min: 0, max: 5_000 }),
  target: fc.integer({ min: 1, max: 30 }),
  direct: fc.boolean(),
})
type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never

describe('what of an account is kept', () => {
  test('is counted as adding everything up would, whatever was said, changed, deleted and expired', () => {
    fc.assert(
      fc.property(fc.array(deed, { minLength: 30, maxLength: 120, size: 'max' }), (deeds) => {
        using folder = new StoreFolder()
        using world = new World(folder.path)
        for (const each of deeds) world.act(each)
        expect(counted(folder)).toEqual(addedUp(folder))
      }),
      { numRuns: 15 },
    )
  }, 60_000)

  test('is bounded in rooms too, where nobody is waited for; deleting makes room, also when all is full', () => {
    using stage = new Stage(2, { storedBytesPerAccountMax: 10_000 })
    const room = stage.room(alice)
    stage.admit(room, alice, bob)
    const first = stage.say(alice, room, 'x'.repeat(6_000))
    const code = (action: () => unknown) => stage.codeOf(action)
    expect(code(() => stage.say(alice, room, 'x'.repeat(6_000)))).toBe('quota_exceeded')
    expect(code(() => stage.room(alice, { topic: 'x'.repeat(4_000) }))).toBe('quota_exceeded')
    const change = { ...stage.act(alice), conversationId: room, topic: 'x'.repeat(4_000) }
    expect(code(() => stage.run('room.update', change))).toBe('quota_exceeded')
    // Another's bytes are not hers.
    expect(code(() => stage.say(bob, room, 'x'.repeat(9_000)))).toBeUndefined()
    const edit = (length: number) => stage.say(alice, room, 'y'.repeat(length), { kind: 'edit', target: first.seq, type: 'text/plain' })
    expect(code(() => edit(10_000))).toBe('quota_exceeded')
    expect(code(() => edit(9_900))).toBeUndefined()
    expect(code(() => stage.say(alice, room, 'x'.repeat(200)))).toBe('quota_exceeded')
    stage.run('entry.post', { ...stage.act(alice), kind: 'delete', conversationId: room, target: first.seq })
    expect(code(() => stage.say(alice, room, 'x'.repeat(9_000)))).toBeUndefined()
  })

  test('is bounded in what a request says', () => {
    using stage = new Stage(2, { storedBytesPerAccountMax: 500 })
    const request = { ...stage.act(alice), peerId: bob, text: new Uint8Array(600) }
    expect(stage.codeOf(() => stage.run('contact.request', request))).toBe('quota_exceeded')
    expect(stage.codeOf(() => stage.run('contact.request', { ...request, text: new Uint8Array(400) }))).toBeUndefined()
  })

  test('is bounded in what changes of a room say; who goes, and who is removed, is never kept for it', () => {
    using stage = new Stage(3, { storedBytesPerAccountMax: 200 })
    stage.befriend([alice, carol])
    const room = stage.room(alice)
    stage.admit(room, alice, bob)
    const code = (action: () => unknown) => stage.codeOf(action)
    const role = (to: 'moderator' | 'member') =>
      code(() => stage.run('room.role', { ...stage.act(alice), conversationId: room, peerId: bob, role: to }))
    let count = 0
    while (count < 100 && role(count % 2 === 0 ? 'moderator' : 'member') === undefined) count++
    expect(count).toBeLessThan(10)
    expect(stage.members(bob, room)).toEqual(['a1:owner', `a2:${count % 2 === 0 ? 'member' : 'moderator'}`])
    const hash = hashOf('link')
    stage.run('room.link', { ...stage.act(alice), conversationId: room, hash, uses: 9n, expiresAt: stage.at + 1n })
    const other = stage.room(carol)
    const fill = (who: bigint, where: bigint) => {
      while (code(() => stage.say(who, where, 'x')) === undefined);
    }
    fill(alice, room)
    fill(carol, other)
    expect(code(() => stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId: carol }))).toBe('quota_exceeded')
    expect(code(() => stage.run('room.join', { ...stage.act(carol), hash }))).toBe('quota_exceeded')
    expect(stage.members(bob, room)).toHaveLength(2)
    expect(code(() => stage.run('room.remove', { ...stage.act(alice), conversationId: room, peerId: bob }))).toBeUndefined()
    expect(code(() => stage.run('room.leave', { ...stage.act(carol), conversationId: other }))).toBeUndefined()
  })

  test('is never in the way of who was answered already, and a refusal uses up no place', () => {
    using stage = new Stage(2, { storedBytesPerAccountMax: 1_000 })
    const room = stage.room(alice)
    const message = { ...stage.act(alice), conversationId: room, kind: 'message', type: 'text/plain', body: new Uint8Array(900) } as const
    const posted = stage.run('entry.post', message)
    expect(stage.codeOf(() => stage.say(alice, room, 'x'.repeat(200)))).toBe('quota_exceeded')
    expect(stage.run('entry.post', message)).toMatchObject({ seq: posted.seq, repeated: true })
    expect(stage.say(alice, room, 'x').seq).toBe(posted.seq + 1n)
  })

  test('was counted for what there was before it was', () => {
    using connection = new DatabaseSync(':memory:')
    migrate(connection, migrations.slice(0, 5))
    connection.exec(`
      insert into account (id, name, key, skeleton, created_at) values (1, 'a', 'a', 'a', 1), (2, 'b', 'b', 'b', 1), (3, 'c', 'c', 'c', 1);
      insert into inbox (account_id, last_seq) values (2, 7);
      insert into entry (key, author_id, id, kind, at, body, data, deleted_at) values
        (4294967297, 1, randomblob(16), 'message', 1, zeroblob(100), zeroblob(20), null),
        (4294967298, 1, randomblob(16), 'reaction', 1, null, zeroblob(5), null),
        (4294967299, 1, randomblob(16), 'message', 1, null, null, 9),
        (4294967300, 2, randomblob(16), 'message', 1, zeroblob(7), null, null)`)
    migrate(connection)
    const rows = connection.prepare('select account_id, last_seq, said_bytes from inbox order by account_id').all()
    expect(rows).toMatchObject([
      { account_id: 1, last_seq: 0, said_bytes: 125 },
      { account_id: 2, last_seq: 7, said_bytes: 7 },
    ])
  })
})

describe('reactions to one message', () => {
  test('are bounded, and what is there can be taken back', () => {
    using stage = new Stage(2, { reactionsPerMessageMax: 3 })
    const room = stage.room(alice)
    stage.admit(room, alice, bob)
    const { seq: target } = stage.say(alice, room, 'hello')
    const react = (on: boolean) =>
      stage.codeOf(() =>
        stage.run('entry.post', {
          ...stage.act(bob),
          conversationId: room,
          kind: 'reaction',
          target,
          data: encodeCbor({ emoji: '👍', on }),
        }),
      )
    expect([react(true), react(true), react(true), react(true)]).toEqual([undefined, undefined, undefined, 'quota_exceeded'])
    expect([react(false), react(false), react(false), react(false)]).toEqual([undefined, undefined, undefined, 'quota_exceeded'])
    const { seq: other } = stage.say(alice, room, 'another one')
    const data = encodeCbor({ emoji: '👍', on: true })
    const elsewhere = { ...stage.act(bob), conversationId: room, kind: 'reaction', target: other, data } as const
    expect(stage.codeOf(() => stage.run('entry.post', elsewhere))).toBeUndefined()
    stage.run('entry.post', { ...stage.act(alice), kind: 'delete', conversationId: room, target })
    const { entries } = stage.run('entry.history', { accountId: bob, conversationId: room, max: 99n, bytesMax: 99_999n })
    expect(entries.filter(({ kind, deletedAt }) => kind === 'reaction' && deletedAt === undefined)).toHaveLength(1)
  })

  test('count as work when their message expires: one step does not take them all', () => {
    using stage = new Stage(2)
    const room = stage.room(alice)
    for (let message = 0; message < 5; message++) {
      const { seq: target } = stage.say(alice, room, 'hello')
      for (let count = 0; count < 20; count++) {
        const data = encodeCbor({ emoji: '👍', on: true })
        stage.run('entry.post', { ...stage.act(alice), conversationId: room, kind: 'reaction', target, data })
      }
    }
    stage.at += 1_000n
    const steps = [stage.run('conversation.retain', { ...stage.act(alice), id: room, retentionMs: 1n, max: 30n })]
    expect(steps[0]?.entries).toBeLessThanOrEqual(10n)
    while (steps.at(-1)?.more === true) steps.push(stage.run('conversation.expire', { at: stage.at, max: 30n }))
    expect(steps.length).toBeGreaterThan(3)
    const { entries } = stage.run('entry.history', { accountId: alice, conversationId: room, max: 200n, bytesMax: 999_999n })
    expect(entries.filter(({ deletedAt }) => deletedAt === undefined)).toEqual([])
  })
})

/** Three in a room and in direct conversations. */
class World implements Disposable {
  readonly #stage: Stage
  readonly #room: bigint

  constructor(folder: string) {
    // One with several devices, one with one, one with none: who has no inbox yet says something too.
    this.#stage = new Stage(3, { storedBytesPerAccountMax: 60_000 }, { folder, devices: 0 })
    this.#stage.befriend([alice, bob], [bob, carol], [alice, carol])
    for (const device of ['d2.1', 'd2.2']) this.#stage.run('inbox.open', { accountId: bob, device, at: 1n })
    this.#room = this.#stage.room(alice)
    this.#stage.admit(this.#room, alice, bob, carol)
  }

  /** Refusals are part of it. */
  act({ by, what, length, target, direct }: Deed): void {
    const stage = this.#stage
    stage.at++
    const conversationId = direct ? (target % 3 === 0 ? 2n : 1n) : this.#room
    const [act, words] = [stage.act(by), 'x'.repeat(length)]
    const about = { ...act, conversationId, target: BigInt(target) }
    stage.codeOf(() => {
      if (what === 'say') stage.say(by, conversationId, words, { data: encodeCbor({ mentions: ['a1'] }) })
      else if (what === 'edit') stage.say(by, conversationId, words, { kind: 'edit', target: BigInt(target) })
      else if (what === 'delete') stage.run('entry.post', { ...about, kind: 'delete' })
      else if (what === 'reaction')
        stage.run('entry.post', { ...about, kind: 'reaction', data: encodeCbor({ emoji: words.slice(0, 9), on: true }) })
      else if (what === 'pin') stage.run('entry.post', { ...about, kind: 'pin', data: encodeCbor({ on: true }) })
      else if (what === 'retain') stage.run('conversation.retain', { ...act, id: conversationId, retentionMs: 20n, max: 5n })
      else if (what === 'expire') stage.run('conversation.expire', { at: stage.at, max: 5n })
      else if (what === 'title') stage.run('room.update', { ...act, conversationId: this.#room, title: words.slice(0, 80) })
      else if (target === 1) stage.run('room.leave', { ...act, conversationId: this.#room })
    })
  }

  [Symbol.dispose](): void {
    this.#stage[Symbol.dispose]()
  }
}

function counted(folder: StoreFolder): readonly unknown[] {
  using connection = new DatabaseSync(folder.database)
  return connection.prepare('select account_id as id, said_bytes as bytes from inbox where said_bytes > 0 order by id').all()
}

function addedUp(folder: StoreFolder): readonly unknown[] {
  using connection = new DatabaseSync(folder.database)
  return connection
    .prepare(
      `select author_id as id, sum(coalesce(length(body), 0) + coalesce(length(data), 0)) as bytes from entry
       group by author_id having bytes > 0 order by author_id`,
    )
    .all()
}
