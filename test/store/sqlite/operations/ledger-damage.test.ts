import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { inMemory } from '../../../../src/store/index.ts'
import { openDatabase } from '../../../../src/store/sqlite/database.ts'
import { Engine } from '../../../../src/store/sqlite/engine.ts'
import { chainHash, decodePosting, encodePosting, firstHash } from '../../../../src/store/sqlite/operations/ledger-row.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { faultOf, fillLedger, openLedger } from './full-ledger.ts'

/** Whether a trigger has refused a statement. */
function refusedBy(connection: DatabaseSync, sql: string): boolean {
  try {
    connection.exec(sql)
    return false
  } catch (reason) {
    return /stays|ended|at the end/.test(String(reason))
  }
}

/** Writes to the closed database of a folder as somebody who can write to the file. */
function tamper(folder: StoreFolder, sql: string): void {
  const connection = new DatabaseSync(folder.database)
  connection.exec(sql)
  connection.close()
}

describe('what was written', () => {
  const changes = [
    'update posting set row = row where seq = 3',
    'update posting set hash = zeroblob(32)',
    'delete from posting where seq = 3',
    'insert or replace into posting select seq, row, zeroblob(32) from posting where seq = 3',
    'update leg set delta = delta + 1',
    'update leg set balance = balance + 1',
    'delete from leg',
    'insert or replace into leg select posting, ledger_account_id, number, delta + 1, balance, previous from leg',
    'update checkpoint set root = zeroblob(32)',
    'delete from checkpoint',
    'insert or replace into checkpoint select size, zeroblob(32), at, cose from checkpoint',
    'delete from transfer',
    'update transfer set amount = amount + 1',
    'update transfer set payee_id = 1',
    "update transfer set memo = ''",
    "update transfer set status = 'posted' where status = 'expired'",
    'update transfer set refunded = 0 where refunded > 0',
    'insert or replace into transfer select posting, signer_id, id, kind, zeroblob(32), unit, amount, payer_id, payee_id, status, captured, refunded, expires_at, of_signer_id, of_id, memo, request, at, closed_by from transfer',
    'delete from split_part',
    'update split_part set amount = amount + 1',
    'delete from ledger_account',
    'update ledger_account set holder_id = 1 where holder_id = 2',
    "update unit set decimals = 3 where code = 'gold'",
    'delete from unit',
  ]

  test('is neither changed nor deleted by any statement', () => {
    using folder = new StoreFolder()
    fillLedger(folder, 8)
    const connection = new DatabaseSync(folder.database)
    connection.exec('pragma recursive_triggers = on')
    for (const sql of changes) expect([sql, refusedBy(connection, sql)]).toEqual([sql, true])
    connection.close()
    using store = openLedger(folder)
    expect(faultOf(store)).toBeUndefined()
  })

  test('stands there once: the database takes no second transfer of the same signer under the same id', () => {
    using folder = new StoreFolder()
    fillLedger(folder, 8)
    const connection = new DatabaseSync(folder.database)
    const others = 'kind, digest, unit, amount, payer_id, payee_id, at'
    const again = `insert into transfer (posting, signer_id, id, ${others})
      select (select max(posting) + 1 from transfer), signer_id, id, ${others} from transfer where kind = 'pay' limit 1`
    expect(() => connection.exec(again)).toThrow('UNIQUE constraint failed: transfer.id, transfer.signer_id')
    connection.close()
  })
})

test('the connection of the store asks those triggers for "insert or replace" too', () => {
  using database = openDatabase(inMemory, resolveLimits(), 'may-be-new')
  database.control('begin immediate')
  database.prepare('insert into checkpoint (size, root, at, cose) values (1, zeroblob(32), 1, zeroblob(1))').run({})
  database.prepare('insert into posting (seq, row, hash) values (1, zeroblob(1), zeroblob(32))').run({})
  const replace = database.prepare('insert or replace into posting (seq, row, hash) values (1, zeroblob(2), zeroblob(32))')
  expect(() => replace.run({})).toThrow('a posting stays')
})

describe('who can write to the file', () => {
  const drop = ['posting', 'leg', 'leg_end', 'checkpoint', 'transfer', 'split_part', 'ledger_account', 'unit']
    .flatMap((table) => ['stays', 'fixed', 'ended', 'refunded', 'rises'].map((what) => `drop trigger if exists ${table}_${what};`))
    .join(' ')
  const filled = new StoreFolder()
  beforeAll(() => fillLedger(filled))
  afterAll(() => filled[Symbol.dispose]())

  const beforeIt = (column: string) =>
    `select before.${column} from leg as before where before.posting = leg.previous and before.ledger_account_id = leg.ledger_account_id`
  const lastOfAll = 'where number = (select max(number) from leg)'
  const lastPayment = "(select max(posting) from transfer where kind = 'pay')"

  test.each([
    [
      'gives somebody more',
      'update ledger_account set balance = balance + 1 where id = 3',
      'account 3: its balance is not what its postings make',
    ],
    ['gives it to another', 'update ledger_account set holder_id = 99 where id = 4', "account 4 is somebody else's"],
    ['drops the last posting', 'delete from posting where seq = (select max(seq) from posting)', 'its posting is missing'],
    ['drops one in the middle', 'delete from posting where seq = 100', 'posting 100: it is missing'],
    ['changes a hash', 'update posting set hash = zeroblob(32) where seq = 100', 'posting 100: its hash is not that'],
    ['drops a leg', 'delete from leg where posting = 100', 'posting 100: it moves account'],
    [
      'adds a leg',
      'insert into leg select posting + 100000, ledger_account_id, number, delta, balance, previous from leg limit 1',
      'its posting is missing',
    ],
    ['counts a leg twice', `update leg set number = number + 1 ${lastOfAll}`, 'has another leg before it'],
    ['leaves out what an account had', `update leg set previous = (${beforeIt('previous')}) ${lastOfAll}`, 'does not have what it had'],
    [
      'leaves out a leg, and nobody misses its amount',
      `update leg set previous = (${beforeIt('previous')}), balance = balance - (${beforeIt('delta')}), number = number - 1 ${lastOfAll}`,
      'there are others than lead to what the accounts have',
    ],
    [
      'takes an account back to what it had',
      `update ledger_account set balance = (select leg.balance - delta from leg join leg_end using (ledger_account_id, posting)
         where ledger_account_id = 3) where id = 3;
       update leg_end set posting = (select previous from leg where leg.posting = leg_end.posting and ledger_account_id = 3)
         where ledger_account_id = 3`,
      'legs: there are others than lead to what the accounts have',
    ],
    ['changes a leg', 'update leg set delta = delta + 1 where posting = 100', 'posting 100: account'],
    ['changes what an account had', 'update leg set balance = balance + 1 where posting = 100', 'posting 100: account'],
    [
      'changes an amount',
      `update transfer set amount = amount + 1 where posting = ${lastPayment}`,
      'it moves something else than its transfer says',
    ],
    ['changes a payee', `update transfer set payee_id = 1 + payee_id % 5 where posting = ${lastPayment}`, 'it moves something else'],
    [
      'changes a memo',
      `update transfer set memo = 'x' where posting = (select min(posting) from transfer where kind = 'pay')`,
      'what was signed is something else',
    ],
    ...(
      [
        ['gives a payment an end', "expires_at = 0 where kind = 'pay'"],
        ['gives a payment something that ended it', "closed_by = 0 where kind = 'pay'"],
        ['gives a payment an original', "of_signer_id = 0 where kind = 'pay'"],
        ['has a mint paid by somebody', "payer_id = 0 where kind = 'mint'"],
        ['gives a mint a memo', "memo = 'x' where kind = 'mint'"],
        ['has a split paid to somebody', "payee_id = 0 where kind = 'split'"],
        ['gives a split a memo', "memo = 'x' where kind = 'split'"],
        ['has a capture taken from another', "payer_id = 1 + payer_id % 5 where kind = 'capture'"],
        ['has a void given back by another', "payee_id = 1 + payee_id % 5 where kind = 'void'"],
        ['gives a void a memo', "memo = 'x' where kind = 'void'"],
      ] as const
    ).map(
      ([what, set]) =>
        [what, `pragma ignore_check_constraints = on; update transfer set ${set}`, 'its transfer has what is not of its kind'] as const,
    ),
    [
      'forgets a refund',
      'update transfer set refunded = 0 where posting = (select min(posting) from transfer where refunded > 0)',
      'what counts as refunded',
    ],
    [
      'lets a hold live',
      "update transfer set status = 'pending', closed_by = null where posting = (select max(posting) from transfer where status = 'expired')",
      'its hold says something else',
    ],
    [
      'has another captured',
      'update transfer set captured = captured + 1 where posting = (select max(posting) from transfer where captured > 0)',
      'what counts as captured',
    ],
    ['forgets a transfer', `delete from transfer where posting = ${lastPayment}`, 'its transfer is missing'],
    ['changes a part', 'update split_part set amount = amount + 1, refunded = 0', 'it moves something else than its transfer says'],
    ['changes a request', 'update payment_request set paid = paid - 1 where paid > 0', 'what counts as paid was not paid'],
    ['changes a checkpoint', 'update checkpoint set root = zeroblob(32)', ': its root is not that of the ledger'],
    ['changes the tree', 'update subtree set hash = zeroblob(32)', 'the tree of hashes is another'],
    ['moves the point', 'update unit set decimals = 3', 'its unit is not what it was'],
  ] as const)('%s: verification says where', (_, sql, what) => {
    using folder = new StoreFolder()
    copyFileSync(filled.database, folder.database)
    tamper(folder, `${drop} ${sql}`)
    using store = openLedger(folder)
    expect(faultOf(store, false)).toContain(what)
  })

  test('and makes every hash anew is found out by a checkpoint', () => {
    using folder = new StoreFolder()
    copyFileSync(filled.database, folder.database)
    const connection = new DatabaseSync(folder.database)
    connection.exec(`${drop} update transfer set at = 77 where posting = 1`)
    let previous = firstHash
    for (const { seq, row } of connection.prepare('select seq, row from posting order by seq').all()) {
      const bytes = new Uint8Array(row as Uint8Array)
      const written = seq === 1 ? encodePosting({ ...decodePosting(bytes), at: 77n }) : bytes
      previous = chainHash(previous, written)
      connection.prepare('update posting set row = ?, hash = ? where seq = ?').run(written, previous, seq ?? null)
    }
    connection.exec('delete from subtree')
    connection.close()
    using store = openLedger(folder)
    expect(faultOf(store)).toMatch(/^checkpoint \d+: its root is not that of the ledger$/)
  })
})

test('money is made from no account whose last leg is gone', () => {
  using folder = new StoreFolder()
  fillLedger(folder)
  tamper(
    folder,
    "drop trigger leg_end_rises; update leg_end set posting = 0 where ledger_account_id in (select id from ledger_account where kind = 'issuance')",
  )
  using store = openLedger(folder)
  const mint = { id: new Uint8Array(16).fill(7), accountId: 1n, unit: 'credits', amount: 1n, at: 1n }
  expect(() => store.run('ledger.mint', mint)).toThrow('[ledger_broken]')
})

test('a balance that is as it was before the last payment, with all that stands beside it, is not paid from', () => {
  using folder = new StoreFolder()
  fillLedger(folder)
  using connection = new DatabaseSync(folder.database)
  const [account] = connection.prepare("select * from ledger_account where kind = 'user' order by balance desc limit 1").all()
  const before = 'select balance - delta from leg join leg_end using (ledger_account_id, posting) where ledger_account_id = id'
  connection.prepare(`update ledger_account set balance = (${before}) where id = ?`).run(account?.['id'] ?? null)
  using store = openLedger(folder)
  const accountId = BigInt(Number(account?.['holder_id']))
  expect(() => store.run('ledger.balance', { accountId, unit: undefined })).toThrow('[ledger_broken]')
})

test('a page that cannot be read is named, also when others pay in the same group', () => {
  using folder = new StoreFolder()
  fillLedger(folder)
  const file = new Uint8Array(readFileSync(folder.database))
  const page = Buffer.from(file).indexOf('round 30') & ~4_095
  file[page] = 77
  writeFileSync(folder.database, file)
  using engine = new Engine(folder.database, { ...resolveLimits(), diskBytesFreeMin: 0 })
  const mint = { id: new Uint8Array(16).fill(7), accountId: 1n, unit: 'credits', amount: 1n, at: 1n }
  const verify = { name: 'ledger.verify', input: { max: 100_000n } } as const
  const [verified, minted] = engine.execute([verify, { name: 'ledger.mint', input: mint }])
  expect(verified).toMatchObject({
    value: { fault: { row: expect.stringMatching(/^posting \d+$/), what: 'the database file is damaged' } },
  })
  expect(minted).toMatchObject({ error: { code: expect.stringMatching(/^(unknown_outcome|unavailable)$/) } })
  const [state] = engine.execute([{ name: 'ledger.transfer', input: { accountId: 1n, signerId: 0n, id: mint.id } }])
  expect(state).toEqual({ value: undefined })
})
