import { expect, test } from 'bun:test'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { ImpatientClock, RecordedLog } from '../../support/store-components.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { LedgerStage } from './operations/ledger-stage.ts'

const rounds = 10

test(`500 payments of everything at once, ${rounds} times: exactly one succeeds, on the disk too`, async () => {
  using folder = new StoreFolder()
  using stage = new LedgerStage(3, 100n, { folder: folder.path })
  stage.store.close()
  {
    await using store = await openStore(
      folder.path,
      { ...resolveLimits(), diskBytesFreeMin: 0 },
      { log: new RecordedLog(), clock: new ImpatientClock() },
    )
    const balanceOf = async (accountId: bigint) => (await store.run('ledger.balance', { accountId, unit: 'credits' }))[0]?.balance ?? -1n
    for (let round = 0; round < rounds; round++) {
      const balances = await Promise.all([1n, 2n, 3n].map(balanceOf))
      const payer = BigInt(balances.findIndex((balance) => balance > 0n) + 1)
      const others = [1n, 2n, 3n].filter((id) => id !== payer)
      const everything = balances[Number(payer) - 1] ?? 0n
      const orders = Array.from({ length: 500 }, (_, at) => stage.pay(payer, others[at % 2] ?? 1n, everything))
      const codes = await Promise.all(orders.map((order) => rejectionOf(store.run('ledger.order', order))))
      expect(codes.filter((code) => code === undefined)).toHaveLength(1)
      expect(codes.filter((code) => code === 'insufficient_funds')).toHaveLength(499)
      expect((await Promise.all([1n, 2n, 3n].map(balanceOf))).reduce((sum, balance) => sum + balance, 0n)).toBe(300n)
    }
  }
  using again = new LedgerStage(0, 0n, { folder: folder.path })
  expect(again.run('ledger.state', {}).size).toBe(3n + BigInt(rounds))
  expect(again.verify({ deep: true }).fault).toBeUndefined()
}, 120_000)
