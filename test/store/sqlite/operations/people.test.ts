import { expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { openInProcessStore } from '../../../../src/store/index.ts'
import { newAccount } from '../../../compliance/store-subject.ts'
import { StoreFolder } from '../../../support/store-folder.ts'

test('two people who know each other are one row, with the moment at which they met first', () => {
  using folder = new StoreFolder()
  using store = openInProcessStore(folder.path, { ...resolveLimits(), diskBytesFreeMin: 0 })
  for (const name of ['alice', 'bob']) store.run('account.create', newAccount(name))
  store.run('contact.add', { a: 2n, b: 1n, at: 5n })
  store.run('contact.add', { a: 1n, b: 2n, at: 6n })
  using connection = new DatabaseSync(folder.database)
  expect(connection.prepare('select low, high, since from contact').all()).toMatchObject([{ low: 1, high: 2, since: 5 }])
})
