// What an unpacked backup is refused for: every one of these is a data folder on which a server would start.

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Unpacked } from '../../../src/cli/backup/unpack.ts'
import type { Manifest } from '../../../src/cli/backup/archive-names.ts'
import { examine } from '../../../src/cli/backup/examine.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { IdentityFolder } from '../../../src/pki/identity-folder.ts'
import { rotateAuthority } from '../../../src/pki/rotation.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { resolveLimits } from '../../../src/protocol/limits.ts'
import { countRows, takeSnapshot } from '../../../src/store/index.ts'
import { BackupStage, operate } from '../../e2e/backup-stage.ts'

interface Backup {
  readonly contents: Unpacked['contents']
  /** An earlier one says nothing of the rows of each table. */
  readonly version: 'earlier' | 'of today'
}

const parent = mkdtempSync(join(tmpdir(), 'sealwire-examine-'))
const good = join(parent, 'good')
let made = 0
afterAll(() => rmSync(parent, { recursive: true, force: true }))

beforeAll(async () => {
  await using stage = await BackupStage.start()
  const { data } = stage.server
  await using alice = await stage.join('alice')
  await using bob = await stage.join('bob')
  await (await alice.rooms.create('room')).send('hello')
  await bob.request('alice', 'let us talk')
  await alice.accept('bob')
  await bob.send('alice', 'hello')
  await alice.call('directory.block', { name: 'bob' })
  await operate('admin', 'mint', 'alice', '5', '--data', data)
  await stage.server.kill()
  for (const name of ['ca.key', 'ca.crt', 'server.key', 'server.crt', 'ledger.key', 'ledger.pub', 'sealwire.db', 'sealwire.db-wal']) {
    cpSync(join(data, name), join(good, name))
  }
}, 120_000)

test('rows that are gone are missed, in every table that has some', async () => {
  const folder = join(parent, 'tables')
  cpSync(good, folder, { recursive: true })
  const tables = Object.entries(countRows(folder)).flatMap(([name, rows]) => (rows > 0 ? [name] : []))
  expect(tables.length).toBeGreaterThanOrEqual(12)
  expect(tables).toEqual(expect.arrayContaining(['block', 'contact', 'device', 'inbox', 'inbox_entry', 'invitation', 'member', 'unit']))
  for (const table of tables.filter((name) => name !== 'sqlite_schema')) {
    const found = await refusal(emptiedTable(table))
    expect([table, found.code, found.sentence]).toEqual([table, 'backup_invalid', expect.stringMatching(/the database in it/)])
  }
}, 120_000)

test('what a server has left is good', async () => {
  const { ledgerRows, files, damaged } = await examined(() => {})
  expect([ledgerRows > 0, files, damaged]).toEqual([true, 0, []])
})

const changes: readonly (readonly [string, (folder: string) => void, string | RegExp])[] = [
  ['entries that are gone', sql('delete from entry'), 'has 0 entries'],
  ['a log that is gone', (folder) => rmSync(join(folder, 'sealwire.db-wal')), 'the database in it'],
  ['an empty database', emptied, 'in it the database sealwire.db is gone'],
  ['no id of the server', sql("delete from server where name = 'id'"), 'no id of its server'],
  ['an inbox that ends too early', sql('insert into inbox_entry select id, 999, 1, 1, 1 from account'), 'entries behind its end'],
  ['no keys of the ledger', removed('ledger.key', 'ledger.pub'), /missing in it: ledger.key, ledger.pub$/],
  ['a ledger that cannot be signed any more', removed('ledger.key'), /missing in it: ledger.key$/],
  ['keys of the ledger that fit nobody', written('ledger.key', 'none'), /^in it the key ledger.key cannot be read/],
  ['no authority', removed('ca.crt'), /missing in it: ca.crt$/],
  ['no key of the server', removed('server.key'), /missing in it: server.key$/],
  ['no key of the sealed channel', written('sealed-address', '127.0.0.1:5556\n'), /missing in it: sealed.key$/],
]

test.each(changes)('%s', async (_what, change, words) => {
  const { code, sentence } = await refusal(change, { version: 'earlier' })
  expect([code, sentence]).toEqual(['backup_invalid', expect.stringMatching(words)])
})

test('the authority was being replaced: the next start ends that', async () => {
  const half = await halfRotated()
  expect((await refusal((folder) => cpSync(half, folder, { recursive: true }))).sentence).toBe('good')
})

test('a rule of the database that is gone', async () => {
  const { sentence } = await refusal(sql('drop trigger ledger_account_stays'))
  expect(sentence).toContain('rows of sqlite_schema')
})

test('a file that the database does not know any more', async () => {
  const { sentence } = await refusal(() => {}, { contents: new Map([['0a'.repeat(16), { size: 1, sha256: new Uint8Array(32) }]]) })
  expect(sentence).toContain(`does not know the file ${'0a'.repeat(16)}`)
})

/** docs/operations.md says so. */
const unknowable: readonly (readonly [string, (folder: string) => void])[] = [
  ['other words in an entry', sql("update entry set body = cast('other' as blob) where kind = 'message'")],
  ['an index of words that has none', sql("insert into search (search) values ('delete-all')")],
  ['a certificate that the next start makes again of its key', removed('server.crt')],
]

test.each(unknowable)('it cannot know of %s', async (_what, change) => {
  expect((await refusal(change)).sentence).toBe('good')
})

async function refusal(change: (folder: string) => void, backup: Partial<Backup> = {}) {
  return examined(change, backup).then(
    () => ({ code: undefined, sentence: 'good' }),
    (reason: unknown) => SealwireError.from(reason),
  )
}

/** Of a copy that was changed since its backup. */
async function examined(change: (folder: string) => void, { contents = new Map(), version = 'of today' }: Partial<Backup> = {}) {
  const folder = join(parent, String(made++))
  cpSync(good, folder, { recursive: true })
  const manifest: Manifest = {
    format: 1,
    version: '0',
    at: '',
    database: 0,
    ...counts(folder, version),
    fileBytes: 0,
    small: [],
    archive: 0,
  }
  change(folder)
  return examine(folder, { manifest, contents }, { clock: systemClock, signal: never })
}

/** In another copy: whoever counts brings the log into the database. */
function counts(folder: string, version: Backup['version']) {
  const copy = `${folder}-counted`
  cpSync(folder, copy, { recursive: true })
  using snapshot = takeSnapshot(copy, resolveLimits())
  return { ...snapshot.count(), ...(version === 'earlier' ? {} : { rows: snapshot.rows() }) }
}

function sql(text: string): (folder: string) => void {
  return (folder) => {
    const database = new DatabaseSync(join(folder, 'sealwire.db'))
    database.exec(`pragma foreign_keys = off; ${text}`)
    database.close()
  }
}

/** Though its triggers allow nobody to. */
function emptiedTable(table: string): (folder: string) => void {
  return (folder) => {
    const database = new DatabaseSync(join(folder, 'sealwire.db'))
    database.exec('pragma foreign_keys = off')
    const triggers = database.prepare("select name, sql from sqlite_schema where type = 'trigger' and tbl_name = ?").all(table)
    for (const { name } of triggers) database.exec(`drop trigger ${String(name)}`)
    database.exec(`delete from ${table}`)
    for (const trigger of triggers) database.exec(String(trigger['sql']))
    database.close()
  }
}

function emptied(folder: string): void {
  for (const name of ['sealwire.db', 'sealwire.db-wal']) rmSync(join(folder, name))
  new DatabaseSync(join(folder, 'sealwire.db')).close()
}

function removed(...names: readonly string[]): (folder: string) => void {
  return (folder) => names.forEach((name) => rmSync(join(folder, name)))
}

function written(name: string, text: string): (folder: string) => void {
  return (folder) => writeFileSync(join(folder, name), text, { mode: 0o600 })
}

/** Killed when it had written the first certificate in its place. */
async function halfRotated(): Promise<string> {
  const folder = join(parent, 'rotated')
  cpSync(good, folder, { recursive: true })
  await rotateAuthority(new IdentityFolder(folder), { overlapMs: 60_000, now: Date.now() })
  const [key, ...certificates] = ['ca.key', 'ca.crt', 'ca-old.crt'].map((name) => readFileSync(join(folder, name), 'utf8'))
  writeFileSync(join(folder, 'ca-rotation.pem'), [key, ...certificates].join(''), { mode: 0o600 })
  cpSync(join(good, 'ca.key'), join(folder, 'ca.key'))
  return folder
}

const never = new AbortController().signal
