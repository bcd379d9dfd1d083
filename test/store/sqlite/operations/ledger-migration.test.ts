import { expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { migrate, migrations } from '../../../../src/store/sqlite/migrations.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { balancesOf, faultOf, fillLedger, openLedger, statementsOf } from './full-ledger.ts'

test('a ledger whose legs stood by account is the same afterwards, and goes on', () => {
  using newer = new StoreFolder()
  using older = new StoreFolder()
  fillLedger(newer)
  copyToSchema8(newer.database, older.database)
  using expected = openLedger(newer)
  using store = openLedger(older)
  expect(faultOf(store)).toBeUndefined()
  expect(balancesOf(store)).toEqual(balancesOf(expected))
  expect(statementsOf(store)).toEqual(statementsOf(expected))
  const mint = { id: new Uint8Array(16), accountId: 1n, unit: 'credits', amount: 5n, at: 2n ** 40n }
  expect(store.run('ledger.mint', mint)).toEqual(expected.run('ledger.mint', mint))
  expect(faultOf(store)).toBeUndefined()
})

/** The same ledger as a Sealwire of schema 8 would have left it. */
function copyToSchema8(from: string, to: string): void {
  using connection = new DatabaseSync(to)
  migrate(connection, migrations.slice(0, 8))
  connection.exec(`attach '${from}' as newer; begin`)
  for (const table of tables) {
    const columns = connection
      .prepare(`select name from pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => String(name))
      .join(', ')
    connection.exec(`insert or ignore into main.${table} (${columns}) select ${columns} from newer.${table}`)
  }
  connection.exec(`
    update main.ledger_account set balance = (select balance from newer.ledger_account where newer.ledger_account.id = main.ledger_account.id);
    commit; detach newer`)
}

const tables = [
  ...['account', 'device', 'unit', 'ledger_account', 'posting', 'leg', 'subtree', 'checkpoint'],
  ...['transfer', 'split_part', 'spent', 'payment_request'],
]
