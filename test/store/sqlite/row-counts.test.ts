import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../src/protocol/limits.ts'
import { countRows, openInProcessStore } from '../../../src/store/index.ts'
import { newAccount } from '../../compliance/store-subject.ts'

test('counts every table but those of the index of words, and the rules beside them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-rows-'))
  try {
    const store = openInProcessStore(folder, { ...resolveLimits(), diskBytesFreeMin: 0 })
    for (const name of ['alice', 'bob']) store.run('account.create', newAccount(name))
    store.close()
    const before = countRows(folder)
    expect(before).toMatchObject({ account: 2, entry: 0, device: 0, leg: 0 })
    expect(Object.keys(before).filter((name) => name.startsWith('search'))).toEqual([])
    const database = new DatabaseSync(join(folder, 'sealwire.db'))
    database.exec('create table more (it integer) strict; insert into more values (1)')
    database.close()
    expect(countRows(folder)).toEqual({ ...before, more: 1, sqlite_schema: (before['sqlite_schema'] ?? 0) + 1 })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
