import { expect, test } from 'bun:test'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { openDatabase } from '../../../../src/store/sqlite/database.ts'
import { legBefore, previousLeg } from '../../../../src/store/sqlite/operations/ledger-legs.ts'
import { integer } from '../../../../src/store/sqlite/statement.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { fillLedger } from './full-ledger.ts'

test('of every account the last leg before any posting is found, and each leads to the one before it', () => {
  using folder = new StoreFolder()
  fillLedger(folder)
  using database = openDatabase(folder.database, resolveLimits(), 'must-exist')
  database.control('begin')
  const rows = database.prepare('select ledger_account_id as id, posting from leg order by id, posting').rows({})
  const postings = Map.groupBy(rows, (row) => integer(row, 'id'))
  expect(Math.max(...Array.from(postings.values(), (legs) => legs.length))).toBeGreaterThan(3 * 32)
  for (const [id, legs] of postings) {
    const places = legs.map((row) => integer(row, 'posting'))
    const last = places.at(-1) ?? 0n
    for (let before = 0n; before <= last + 1n; before++) {
      const expected = places.findLastIndex((posting) => posting < before)
      const leg = legBefore(database, id, before)
      expect([id, before, leg?.posting]).toEqual([id, before, places[expected]])
      expect(leg && previousLeg(database, leg)?.posting).toBe(places[expected - 1])
    }
  }
  expect(legBefore(database, 10_000n, 5n)).toBeUndefined()
})
