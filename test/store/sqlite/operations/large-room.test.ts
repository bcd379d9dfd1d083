import { expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { StoreFolder } from '../../../support/store-folder.ts'
import { Stage } from './stage.ts'

const members = 2_000

test('what is said in a room of 2,000 members reaches every one of them in one order', () => {
  using folder = new StoreFolder()
  const room = prepared(folder)
  using stage = new Stage(0, {}, { folder: folder.path })
  stage.admit(room, 1n, BigInt(members))
  expect(stage.run('conversation.members', { accountId: 7n, id: room })).toHaveLength(members)
  const began = performance.now()
  const posts = [1n, 1_000n, 2_000n].map((author) => stage.say(author, room, 'hello everybody'))
  const postMs = (performance.now() - began) / posts.length
  expect(posts.map(({ deliveries }) => deliveries.length)).toEqual([members - 1, members - 1, members - 1])
  for (const accountId of [2n, 500n, 1_999n]) {
    const { lastSeq, entries } = stage.run('inbox.read', { accountId, after: 0n, max: 9_999n, bytesMax: 9_999_999n })
    expect(BigInt(entries.length)).toBe(lastSeq)
    const said = entries.filter(({ entry }) => entry.kind === 'message').map(({ entry }) => entry.seq)
    expect(said).toEqual(posts.filter((_, index) => [1n, 1_000n, 2_000n][index] !== accountId).map(({ seq }) => seq))
  }
  // About 20 ms on a quiet machine: what it must not become is a transaction for each member.
  expect(postMs).toBeLessThan(2_000)
}, 60_000)

/** All the accounts, and a room of the first one with all others but the last in it, written at once: joining one by one takes a while. */
function prepared(folder: StoreFolder): bigint {
  using stage = new Stage(2, {}, { folder: folder.path, devices: 0 })
  const room = stage.room(1n)
  using connection = new DatabaseSync(folder.database)
  connection.exec('begin')
  const account = connection.prepare('insert into account (name, key, skeleton, created_at) values (?, ?, ?, 1)')
  const member = connection.prepare("insert into member (conversation_id, account_id, role, since) values (?, ?, 'member', 1)")
  for (let id = 3; id <= members; id++) account.run(`a${id}`, `a${id}`, `~a${id}`)
  for (let id = 2; id < members; id++) member.run(room, id)
  connection.exec('commit')
  return room
}
