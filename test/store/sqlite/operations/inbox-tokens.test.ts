// An installation that has a token alone goes with it, and what waited for nobody else leaves.

import { expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { StoreFolder } from '../../../support/store-folder.ts'
import { Stage } from './stage.ts'

test.each<readonly [string, (stage: Stage, hash: Uint8Array) => unknown]>([
  ['is deleted', (stage, hash) => stage.run('token.delete', { hash })],
  ['was not used for long', (stage, hash) => stage.run('token.use', { hash, at: 10_000n, idleMsMax: 5n })],
  ['ends with the password', (stage) => stage.run('account.setPassword', { id: 2n, passwordHash: 'h' })],
  ['is one too many', (stage) => stage.run('token.create', { hash: new Uint8Array(32).fill(8), accountId: 2n, at: 2n })],
])('what waits for no device any more leaves with the token that %s', (_how, end) => {
  using stage = new Stage(2, { inboxEntriesMax: 5, tokensPerAccountMax: 1 }, { devices: 0 })
  stage.befriend([1n, 2n])
  const hash = new Uint8Array(32).fill(7)
  stage.run('token.create', { hash, accountId: 2n, at: 1n })
  open(stage, `t-${'07'.repeat(10)}`)
  for (let index = 0; index < 5; index++) stage.say(1n, 1n, 'x')
  open(stage, 'phone')
  expect(stage.codeOf(() => stage.say(1n, 1n, 'y'))).toBe('quota_exceeded')
  end(stage, hash)
  expect([waiting(stage), stage.codeOf(() => stage.say(1n, 1n, 'y'))]).toEqual([[], undefined])
})

test('what waits for an installation that went unnoticed leaves when another device comes', () => {
  using folder = new StoreFolder()
  const limits = { inboxEntriesMax: 1 }
  {
    using stage = new Stage(2, limits, { folder: folder.path, devices: 0 })
    stage.befriend([1n, 2n])
    stage.run('token.create', { hash: new Uint8Array(32).fill(7), accountId: 2n, at: 1n })
    open(stage, `t-${'07'.repeat(10)}`)
    stage.say(1n, 1n, 'x')
    open(stage, 'phone')
  }
  {
    using connection = new DatabaseSync(folder.database)
    connection.exec('delete from token')
  }
  using stage = new Stage(0, limits, { folder: folder.path })
  expect(stage.codeOf(() => stage.say(1n, 1n, 'y'))).toBe('quota_exceeded')
  open(stage, 'phone', 1n)
  expect(stage.codeOf(() => stage.say(1n, 1n, 'y'))).toBeUndefined()
})

function open(stage: Stage, device: string, after?: bigint): void {
  stage.run('inbox.open', { accountId: 2n, device, after, at: 1n })
}

function waiting(stage: Stage): readonly bigint[] {
  return stage.run('inbox.read', { accountId: 2n, after: 0n, max: 100n, bytesMax: 100_000n }).entries.map(({ inboxSeq }) => inboxSeq)
}
