// What an unpacked backup is refused for: every one of these is a data folder on which a server would start.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Manifest } from '../../../src/cli/backup/archive-names.ts'
import { examine } from '../../../src/cli/backup/examine.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { resolveLimits } from '../../../src/protocol/limits.ts'
import { takeSnapshot } from '../../../src/store/index.ts'
import { BackupStage, operate } from '../../e2e/backup-stage.ts'

const parent = mkdtempSync(join(tmpdir(), 'sealwire-examine-'))
const good = join(parent, 'good')
let made = 0
afterAll(() => rmSync(parent, { recursive: true, force: true }))

beforeAll(async () => {
  await using stage = await BackupStage.start()
  const { data } = stage.server
  await using alice = await stage.join('alice')
  await (await alice.rooms.create('room')).send('hello')
  await operate('admin', 'mint', 'alice', '5', '--data', data)
  await stage.server.kill()
  for (const name of ['ca.key', 'ca.crt', 'server.key', 'server.crt', 'ledger.key', 'ledger.pub', 'sealwire.db', 'sealwire.db-wal']) {
    cpSync(join(data, name), join(good, name))
  }
}, 120_000)

test('what a server has left is good', async () => {
  const { ledgerRows, files, damaged } = await examined(() => {})
  expect([ledgerRows > 0, files, damaged]).toEqual([true, 0, []])
})

const changes: readonly (readonly [string, (folder: string) => void, string])[] = [
  ['entries that are gone', sql('delete from entry'), 'has 0 entries'],
  ['a log that is gone', (folder) => rmSync(join(folder, 'sealwire.db-wal')), 'the database in it'],
  ['an empty database', emptied, 'the database in it has 0 accounts'],
  ['no id of the server', sql("delete from server where name = 'id'"), 'no id of its server'],
  ['an inbox that ends too early', sql('insert into inbox_entry select id, 999, 1, 1, 1 from account'), 'entries behind its end'],
  ['no key of the ledger', withoutKeys, 'ledger.pub is missing'],
]

test.each(changes)('%s', async (_what, change, words) => {
  const { code, sentence } = await examined(change).then(
    () => ({ code: undefined, sentence: 'good' }),
    (reason: unknown) => SealwireError.from(reason),
  )
  expect([code, sentence]).toEqual(['backup_invalid', expect.stringContaining(words)])
})

/** Of a copy that was changed since its backup. */
async function examined(change: (folder: string) => void) {
  const folder = join(parent, String(made++))
  cpSync(good, folder, { recursive: true })
  const manifest: Manifest = { format: 1, version: '0', at: '', database: 0, ...counts(folder), small: [], archive: 0 }
  change(folder)
  return examine(folder, { manifest, contents: new Map() }, { clock: systemClock, signal: never })
}

/** In another copy: whoever counts brings the log into the database. */
function counts(folder: string) {
  const copy = `${folder}-counted`
  cpSync(folder, copy, { recursive: true })
  using snapshot = takeSnapshot(copy, resolveLimits())
  return snapshot.count()
}

function sql(text: string): (folder: string) => void {
  return (folder) => {
    const database = new DatabaseSync(join(folder, 'sealwire.db'))
    database.exec(`pragma foreign_keys = off; ${text}`)
    database.close()
  }
}

function emptied(folder: string): void {
  for (const name of ['sealwire.db', 'sealwire.db-wal']) rmSync(join(folder, name))
  new DatabaseSync(join(folder, 'sealwire.db')).close()
}

function withoutKeys(folder: string): void {
  for (const name of ['ledger.key', 'ledger.pub']) rmSync(join(folder, name))
}

const never = new AbortController().signal
