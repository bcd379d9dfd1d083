import { expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { openInProcessStore } from '../../../../src/store/index.ts'
import { hashOf } from '../../../compliance/store-subject.ts'
import { StoreFolder } from '../../../support/store-folder.ts'

test('there are never more than invitationsMax, however soon they expire, and the newest are kept', () => {
  using folder = new StoreFolder()
  using store = openInProcessStore(folder.path, { ...resolveLimits(), diskBytesFreeMin: 0, invitationsMax: 5 })
  for (let createdAt = 0n; createdAt < 20n; createdAt++) {
    const hash = hashOf(`secret ${createdAt}`)
    store.run('invitation.create', { hash, uses: 1n, expiresAt: createdAt + 1n, createdAt, printed: false })
  }
  using connection = new DatabaseSync(folder.database)
  const kept = connection.prepare('select hex(hash) as hash from invitation order by created_at').all()
  const newest = Array.from({ length: 5 }, (_, index) => Buffer.from(hashOf(`secret ${index + 15}`)).toString('hex'))
  expect(kept.map(({ hash }) => String(hash).toLowerCase())).toEqual(newest)
})
