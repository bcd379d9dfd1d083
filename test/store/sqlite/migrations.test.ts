import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { type Account, openInProcessStore } from '../../../src/store/index.ts'
import { migrate, migrations } from '../../../src/store/sqlite/migrations.ts'
import { newAccount } from '../../compliance/store.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const newest = migrations.length

describe('migrate', () => {
  test('applies each step once, in order, and remembers the last', () => {
    using connection = empty()
    const steps = ['create table a (x integer) strict', 'insert into a values (1)']
    migrate(connection, steps)
    migrate(connection, steps)
    migrate(connection, [...steps, 'insert into a values (2)'])
    expect(connection.prepare('select x from a').all()).toMatchObject([{ x: 1 }, { x: 2 }])
    expect(versionOf(connection)).toBe(3)
  })

  test('a step that fails leaves nothing of itself, and the steps before it stay', () => {
    using connection = empty()
    const steps = ['create table a (x integer) strict', 'create table b (x integer) strict; insert into missing values (1)']
    expect(() => migrate(connection, steps)).toThrow('no such table')
    expect(versionOf(connection)).toBe(1)
    expect(connection.isTransaction).toBe(false)
    expect(connection.prepare('select name from sqlite_schema').all()).toMatchObject([{ name: 'a' }])
  })

  test('a database of a newer Sealwire is refused and not touched', () => {
    using connection = empty()
    migrate(connection, [...migrations, 'create table future (x integer) strict'])
    expect(() => migrate(connection)).toThrow(`[data_unusable] the database has schema ${newest + 1}, this Sealwire knows ${newest}`)
    expect(versionOf(connection)).toBe(newest + 1)
  })

  test('the database of another program is refused and not touched', () => {
    for (const sql of ['pragma application_id = 7', 'pragma user_version = 1', 'create table theirs (x)']) {
      using connection = empty()
      connection.exec(sql)
      expect(() => migrate(connection)).toThrow('[data_unusable] the database belongs to another program')
      expect(connection.prepare("select 1 from sqlite_schema where name = 'account'").get()).toBeUndefined()
    }
  })

  test('every table is strict, but for those that the index of words makes itself', () => {
    using connection = empty()
    migrate(connection)
    const tables = connection.prepare("select name, strict from pragma_table_list where schema = 'main' and name not like 'sqlite_%'").all()
    expect(tables.length).toBeGreaterThan(1)
    const loose = tables.filter(({ strict }) => strict !== 1).map(({ name }) => String(name))
    expect(loose.filter((name) => !/^search(_|$)/.test(name))).toEqual([])
  })
})

describe('migrations', () => {
  test('a step that was released is what it was', () => {
    const released = ['a7f14a23507baf319ae8fb7def2366ec8ac500bd63828ea56dca527ac4be2b99']
    expect(migrations.slice(0, released.length).map((step) => createHash('sha256').update(step).digest('hex'))).toEqual(released)
  })

  test('who knew each other has a conversation afterwards, in which both can speak', () => {
    using connection = empty()
    migrate(connection, migrations.slice(0, 3))
    for (const name of ['a', 'b', 'c']) {
      connection.prepare('insert into account (name, key, skeleton, created_at) values (?, ?, ?, 1)').run(name, name, name)
    }
    connection.exec('insert into contact (low, high, since) values (1, 3, 7)')
    migrate(connection)
    const rows = connection.prepare('select id, kind, low, high, state, state_at from conversation').all()
    expect(rows).toMatchObject([{ id: 1, kind: 'direct', low: 1, high: 3, state: 'accepted', state_at: 7 }])
    const members = connection.prepare('select account_id, role, invited, first_seq, since from member order by account_id').all()
    expect(members).toMatchObject([1, 3].map((id) => ({ account_id: id, role: 'member', invited: 0, first_seq: 1, since: 7 })))
  })

  test('schema 1 becomes the newest with every row in it, and no number is given away twice', () => {
    using folder = new StoreFolder()
    fillSchema1(folder.database)
    using store = openInProcessStore(folder.path, { ...resolveLimits(), diskBytesFreeMin: 0 })
    const alice = {
      id: 1n,
      name: 'Alice',
      key: 'alice',
      passwordHash: 'a',
      createdAt: 2n ** 60n,
      bannedAt: undefined,
      visibility: 'contacts',
    }
    expect(store.run('account.find', { key: 'alice' })).toStrictEqual(alice as Account)
    expect(store.run('account.findById', { id: 2n })).toMatchObject({ name: 'bob', passwordHash: 'b' })
    expect(store.run('account.list', { after: '', max: 9n })).toHaveLength(2)
    expect(store.run('throttle.read', { keys: ['account:x'] })).toMatchObject([{ failures: 3n, since: 1n, lastAt: 2n }])
    for (const taken of [{ key: 'alice' }, { skeleton: '~alice' }]) {
      expect(() => store.run('account.create', newAccount('carol', taken))).toThrow('[name_taken]')
    }
    expect(store.run('account.create', newAccount('carol')).id).toBe(10n)
    expect(store.run('account.setPassword', { id: 10n, passwordHash: 'c' })).toBe(true)
  })

  test('an empty schema 1 begins with account 1', () => {
    using connection = empty()
    migrate(connection, migrations.slice(0, 1))
    migrate(connection)
    const insert = connection.prepare("insert into account (name, key, skeleton, created_at) values ('a', 'a', 'a', 1) returning id")
    expect(insert.get()).toMatchObject({ id: 1 })
    expect(connection.prepare("select seq from sqlite_sequence where name = 'account'").all()).toMatchObject([{ seq: 1 }])
  })

  test('what belongs to an account goes with it', () => {
    using connection = empty()
    migrate(connection)
    connection.exec(`
      insert into account (id, name, key, skeleton, created_at) values (1, 'a', 'a', 'a', 1), (2, 'b', 'b', 'b', 1), (3, 'c', 'c', 'c', 1);
      insert into token values (zeroblob(32), 1, 1, 1);
      insert into contact values (1, 2, 1), (2, 3, 1), (1, 3, 1);
      insert into block values (1, 2, 1), (2, 1, 1), (2, 3, 1);
      insert into device values (zeroblob(32), 'd', 1, null, null, '', 1, null, 1, null, null);
      delete from account where id = 1`)
    expect(connection.prepare('select * from token').all()).toEqual([])
    expect(connection.prepare('select * from device').all()).toEqual([])
    expect(connection.prepare('select low, high from contact').all()).toMatchObject([{ low: 2, high: 3 }])
    expect(connection.prepare('select account_id, blocked_id from block').all()).toMatchObject([{ account_id: 2, blocked_id: 3 }])
  })

  test('what was in the index of words of before is found again, and can be forgotten', () => {
    using folder = new StoreFolder()
    fillSchema7(folder.database)
    using store = openInProcessStore(folder.path, { ...resolveLimits(), diskBytesFreeMin: 0 })
    expect(store.run('search.index', { max: 9n })).toBe(false)
    const search = { accountId: 1n, text: 'tea', at: 9n, max: 9n, bytesMax: 999n }
    expect(store.run('search.find', search).entries.map(({ seq }) => seq)).toEqual([1n])
    const deletion = { accountId: 1n, device: 'd', at: 2n, conversationId: 1n, kind: 'delete', id: new Uint8Array(16), target: 1n } as const
    store.run('entry.post', deletion)
    expect(store.run('search.find', search).entries).toEqual([])
  })

  test('transfers and who was paid by them are what they were, and nothing of them can be changed', () => {
    using connection = empty()
    migrate(connection, migrations.slice(0, 8))
    connection.exec(transfersOfSchema8)
    const before = transfersOf(connection)
    migrate(connection)
    expect(transfersOf(connection)).toEqual(before)
    connection.exec('pragma recursive_triggers = on')
    for (const sql of changesOfTransfers) expect(() => connection.exec(sql)).toThrow()
    connection.exec("update transfer set status = 'posted', captured = 2, closed_by = 9 where posting = 4")
    connection.exec('update transfer set refunded = 1 where posting in (4, 5)')
    connection.exec('update split_part set refunded = 1 where place = 1')
    connection.exec(newTransfer())
    expect(connection.prepare('pragma foreign_key_check').all()).toEqual([])
  })

  test('legs of before are a chain by account, of which every 32nd is in an index', () => {
    using connection = empty()
    migrate(connection, migrations.slice(0, 9))
    connection.exec("insert into ledger_account (kind, holder_id, unit) values ('user', 1, 'credits'), ('user', 2, 'credits')")
    const insert = connection.prepare('insert into leg (ledger_account_id, posting, delta, balance) values (?, ?, ?, ?)')
    for (let seq = 1; seq <= 70; seq++) {
      insert.run(1, seq, -1, -seq)
      insert.run(seq === 7 ? 4 : 3, seq, 1, seq === 7 ? 1 : seq)
    }
    migrate(connection)
    const ends = connection.prepare('select ledger_account_id, posting from leg_end order by 1').all()
    expect(ends.map((row) => [row['ledger_account_id'], row['posting']])).toEqual([
      [1, 70],
      [3, 70],
      [4, 7],
    ])
    const legs = connection.prepare('select * from leg where posting between 6 and 8').all()
    expect(legs).toMatchObject([
      { posting: 6, ledger_account_id: 1, number: 6, delta: -1, balance: -6, previous: 5 },
      { posting: 6, ledger_account_id: 3, number: 6, delta: 1, balance: 6, previous: 5 },
      { posting: 7, ledger_account_id: 1, number: 7, delta: -1, balance: -7, previous: 6 },
      { posting: 7, ledger_account_id: 4, number: 1, delta: 1, balance: 1, previous: null },
      { posting: 8, ledger_account_id: 1, number: 8, delta: -1, balance: -8, previous: 7 },
      { posting: 8, ledger_account_id: 3, number: 7, delta: 1, balance: 8, previous: 6 },
    ])
    const steps = connection.prepare('select posting from leg where number % 32 = 0 and ledger_account_id = 3').all()
    expect(steps).toMatchObject([{ posting: 33 }, { posting: 65 }])
    for (const sql of ['delete from leg', 'update leg set number = 1']) expect(() => connection.exec(sql)).toThrow('a leg stays')
  })

  test('since when something waits in an inbox is known afterwards', () => {
    using connection = empty()
    migrate(connection, migrations.slice(0, 10))
    connection.exec(`
      insert into account (id, name, key, skeleton, created_at) values (1, 'a', 'a', 'a', 1), (2, 'b', 'b', 'b', 1);
      insert into inbox (account_id, last_seq, bytes, gone_seq) values (1, 4, 30, 1), (2, 7, 0, 7);
      insert into inbox_entry (account_id, seq, key, at, bytes) values (1, 2, 1, 50, 10), (1, 3, 2, 40, 20), (1, 4, 3, 60, 30)`)
    migrate(connection)
    const rows = connection.prepare('select account_id, last_seq, gone_seq, waiting_since from inbox order by account_id').all()
    expect(rows).toMatchObject([
      { account_id: 1, last_seq: 4, gone_seq: 1, waiting_since: 40 },
      { account_id: 2, last_seq: 7, gone_seq: 7, waiting_since: null },
    ])
    expect(connection.prepare('select count(*) as count from inbox_entry').get()).toMatchObject({ count: 3 })
    expect(connection.prepare("select name from sqlite_schema where name like 'inbox_entry_at'").all()).toEqual([])
  })

  test('an inbox that had let go of more than it counted as stored is in order afterwards, and what waits is counted anew', () => {
    using folder = new StoreFolder()
    fillSchema12(folder.database)
    using store = openInProcessStore(folder.path, { ...resolveLimits(), diskBytesFreeMin: 0, inboxEntriesPerSenderMax: 3 })
    using connection = new DatabaseSync(folder.database, { readOnly: true })
    const inboxes = () =>
      connection.prepare('select last_seq, stored_seq, gone_seq, bytes, stored_bytes from inbox order by account_id').all()
    const counted = () => connection.prepare('select account_id, waiting from member order by conversation_id, account_id').all()
    expect(inboxes()).toMatchObject([
      { last_seq: 4, stored_seq: 2, gone_seq: 2, bytes: 40, stored_bytes: 30 },
      { last_seq: 3, stored_seq: 3, gone_seq: 3, bytes: 30, stored_bytes: 30 },
      { last_seq: 2, stored_seq: 1, gone_seq: 0, bytes: 20, stored_bytes: 10 },
    ])
    expect(counted()).toMatchObject([
      { account_id: 1, waiting: 1 },
      { account_id: 2, waiting: 0 },
      { account_id: 1, waiting: 0 },
      { account_id: 3, waiting: 0 },
    ])
    expect(store.run('inbox.ack', { accountId: 1n, device: 'new', seq: 4n, at: 9n }).delivered).toHaveLength(2)
    expect([inboxes()[0], counted()[0]]).toMatchObject([{ stored_seq: 4, gone_seq: 4, stored_bytes: 40 }, { waiting: 0 }])
  })

  test('entries and pins are what they were, and one conversation has no place twice', () => {
    using connection = empty()
    migrate(connection, migrations.slice(0, 13))
    connection.exec(entriesOfSchema13)
    const before = entriesOf(connection)
    migrate(connection)
    expect(entriesOf(connection)).toEqual(before)
    expect(connection.prepare('pragma foreign_key_check').all()).toEqual([])
    connection.exec('pragma foreign_keys = on')
    for (const sql of changesOfEntries) expect(() => connection.exec(sql)).toThrow(/constraint failed/)
    connection.exec(`insert into entry (key, author_id, id, kind, at) values (4294967299, 1, randomblob(16), 'message', 9)`)
    connection.exec('delete from entry where key = 4294967297')
    expect(connection.prepare('select key from pin').all()).toMatchObject([{ key: 8589934593 }])
    const [early, late] = ['4294967299', '8589934593'].map((key) => connection.prepare(`select rowid from entry where key = ${key}`).get())
    // What comes now stands behind everything, whatever conversation it is in.
    expect(Number(early?.['rowid'])).toBeGreaterThan(Number(late?.['rowid']))
  })

  test('only hashes of 32 bytes are stored, never a text', () => {
    using connection = empty()
    migrate(connection)
    connection.exec("insert into account (id, name, key, skeleton, created_at) values (1, 'a', 'a', 'a', 1)")
    for (const hash of ['zeroblob(31)', 'zeroblob(33)', "'12345678901234567890123456789012'", 'null']) {
      expect(() => connection.exec(`insert into token values (${hash}, 1, 1, 1)`)).toThrow()
      expect(() => connection.exec(`insert into invitation values (${hash}, 1, 0, 1, 1, 0)`)).toThrow()
    }
  })
})

/** A database as the first Sealwire left it: two accounts, a third that is gone, and a throttle. */
function fillSchema1(path: string): void {
  using connection = new DatabaseSync(path)
  migrate(connection, migrations.slice(0, 1))
  connection.exec(`
    insert into account (name, key, skeleton, password_hash, created_at) values
      ('Alice', 'alice', '~alice', 'a', ${2n ** 60n}), ('bob', 'bob', '~bob', 'b', 2);
    insert into account values (9, 'gone', 'gone', 'gone', 'g', 3);
    delete from account where id = 9;
    insert into throttle values ('account:x', 3, 1, 2)`)
}

/** As before the index of words was made anew: one message, in the index. */
function fillSchema7(path: string): void {
  using connection = new DatabaseSync(path)
  migrate(connection, migrations.slice(0, 7))
  connection.exec(`
    insert into account (name, key, skeleton, created_at) values ('a', 'a', 'a', 1), ('b', 'b', 'b', 1);
    insert into conversation (kind, low, high, state, by_id, state_at, last_seq, indexed_seq) values ('direct', 1, 2, 'accepted', 1, 1, 1, 1);
    insert into member (conversation_id, account_id, role, since) values (1, 1, 'member', 1), (1, 2, 'member', 1);
    insert into entry (key, author_id, id, kind, at, type, body) values (4294967297, 1, randomblob(16), 'message', 1, 'text/plain', cast('tea at five' as blob));
    insert into inbox (account_id, said_bytes) values (1, 11);
    insert into search (rowid, text) values (4294967297, 'tea at five')`)
}

/** A device of the first account was revoked, for which four entries waited: two have left. Of a room nothing is counted. */
function fillSchema12(path: string): void {
  using connection = new DatabaseSync(path)
  migrate(connection, migrations.slice(0, 12))
  connection.exec(`
    insert into account (name, key, skeleton, created_at) values ('a', 'a', 'a', 1), ('b', 'b', 'b', 1), ('c', 'c', 'c', 1);
    insert into conversation (kind, low, high, state, by_id, state_at, last_seq) values
      ('direct', 1, 2, 'accepted', 1, 1, 3), ('room', null, null, 'accepted', 1, 1, 3);
    insert into member (conversation_id, account_id, role, since, waiting) values
      (1, 1, 'member', 1, 3), (1, 2, 'member', 1, 2), (2, 1, 'member', 1, 0), (2, 3, 'member', 1, 0);
    insert into entry (key, author_id, id, kind, at, type, body) values
      (4294967297, 2, randomblob(16), 'message', 1, 'text/plain', zeroblob(10)),
      (4294967298, 2, randomblob(16), 'message', 1, 'text/plain', zeroblob(10)),
      (4294967299, 2, randomblob(16), 'message', 1, 'text/plain', zeroblob(10)),
      (8589934593, 2, randomblob(16), 'message', 1, 'text/plain', zeroblob(10)),
      (8589934594, 2, randomblob(16), 'message', 1, 'text/plain', zeroblob(10));
    insert into inbox (account_id, last_seq, bytes, stored_seq, stored_bytes, gone_seq) values
      (1, 4, 40, 0, 0, 2), (2, 3, 30, 1, 10, 3), (3, 2, 20, 1, 10, 0);
    insert into inbox_entry (account_id, seq, key, at, bytes) values
      (1, 3, 8589934593, 1, 30), (1, 4, 4294967299, 1, 40), (3, 1, 8589934593, 1, 10), (3, 2, 8589934594, 1, 20);
    insert into inbox_device (device, account_id, acked_seq) values ('new', 1, 2)`)
}

/** Two conversations; of the first a message with a file, which is pinned, and a reaction to it. */
const entriesOfSchema13 = `
  insert into account (name, key, skeleton, created_at) values ('a', 'a', 'a', 1), ('b', 'b', 'b', 1);
  insert into entry (key, author_id, id, kind, device, at, type, body, target, data, file, edited_at, deleted_at, hidden_from) values
    (8589934593, 2, randomblob(16), 'message', null, 1, 'text/plain', x'6d', null, null, null, 5, null, null),
    (4294967298, 2, randomblob(16), 'reaction', 'd', 3, null, null, 4294967297, x'a0', null, null, 7, 1),
    (4294967297, 1, zeroblob(16), 'message', 'e', 2, 'text/plain', x'6d6e', null, null, zeroblob(16), null, null, null);
  insert into pin (key) values (4294967297), (8589934593)`

const changesOfEntries = [
  "insert into entry (key, author_id, id, kind, at) values (4294967297, 1, randomblob(16), 'message', 9)",
  "insert into entry (key, author_id, id, kind, at) values (4294967299, 1, zeroblob(16), 'message', 9)",
  "insert into entry (key, author_id, id, kind, at) values (4294967299, 1, randomblob(15), 'message', 9)",
  "insert into entry (key, author_id, id, kind, at) values (4294967299, 9, randomblob(16), 'message', 9)",
  "insert into entry (key, author_id, id, kind, at) values (4294967299, 1, randomblob(16), 'tip', 9)",
  "insert into entry (key, author_id, id, kind, at) values (null, 1, randomblob(16), 'message', 9)",
  'insert into pin (key) values (12884901889)',
]

/** One of each kind: issued, paid and refunded, on hold, paid to two. */
const transfersOfSchema8 = `
  insert into transfer (posting, signer_id, id, kind, digest, unit, amount, payer_id, payee_id, refunded, of_signer_id, of_id, memo, at) values
    (1, 0, zeroblob(16), 'mint', zeroblob(32), 'credits', 9, null, 1, 0, null, null, 'tea', 1),
    (2, 1, zeroblob(16), 'pay', zeroblob(32), 'credits', 5, 1, 2, 3, null, null, null, 2),
    (3, 2, randomblob(16), 'refund', zeroblob(32), 'credits', 3, 2, 1, 0, 1, zeroblob(16), null, 3),
    (5, 1, x'00112233445566778899aabbccddeeff', 'split', zeroblob(32), 'credits', 3, 1, null, 0, null, null, null, 5);
  insert into transfer (posting, signer_id, id, kind, digest, unit, amount, payer_id, payee_id, status, expires_at, at) values
    (4, 1, randomblob(16), 'hold', zeroblob(32), 'credits', 4, 1, 2, 'pending', 99, 4);
  insert into split_part (signer_id, id, place, payee_id, amount, memo) values
    (1, x'00112233445566778899aabbccddeeff', 0, 2, 1, 'cake'), (1, x'00112233445566778899aabbccddeeff', 1, 3, 2, null)`

const changesOfTransfers = [
  'delete from transfer',
  'delete from split_part',
  "update transfer set status = 'posted', captured = 4 where posting = 4",
  "update transfer set status = 'voided', closed_by = 9 where posting = 2",
  'update transfer set amount = 1 where posting = 2',
  'update transfer set refunded = 2 where posting = 2',
  'update transfer set refunded = 6 where posting = 2',
  'update split_part set amount = 1 where place = 1',
  'insert or replace into transfer select * from transfer where posting = 1',
  'insert into split_part (signer_id, id, place, payee_id, amount) values (7, zeroblob(16), 0, 2, 1)',
  newTransfer({ id: 'zeroblob(16)' }),
  newTransfer({ id: 'randomblob(15)' }),
  newTransfer({ kind: 'tip' }),
  newTransfer({ status: 'pending' }),
  newTransfer({ kind: 'hold', status: 'lost' }),
  newTransfer({ amount: 0 }),
]

function newTransfer({ kind = 'pay', id = 'randomblob(16)', status = 'posted', amount = 1 } = {}): string {
  return `insert into transfer (posting, signer_id, id, kind, digest, unit, amount, status, at)
    values (6, 1, ${id}, '${kind}', zeroblob(32), 'credits', ${amount}, '${status}', 1)`
}

function transfersOf(connection: DatabaseSync): unknown {
  return ['transfer', 'split_part'].map((table) => connection.prepare(`select * from ${table} order by 1, 2, 3`).all())
}

function entriesOf(connection: DatabaseSync): unknown {
  return ['entry', 'pin'].map((table) => connection.prepare(`select * from ${table} order by key`).all())
}

function empty(): DatabaseSync {
  return new DatabaseSync(':memory:')
}

function versionOf(connection: DatabaseSync): unknown {
  return connection.prepare('pragma user_version').get()?.['user_version']
}
