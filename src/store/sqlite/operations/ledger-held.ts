// What is on hold: of and for somebody.

import type { Input, Output } from '../../store.ts'
import type { Database } from '../database.ts'
import { transfersAt } from './ledger-transfer.ts'
import { integer } from '../statement.ts'
import type { Steps } from './step.ts'

export const ledgerHeldSteps: Pick<Steps, 'ledger.holds'> = {
  'ledger.holds': { kind: 'read', run: listHolds },
}

function listHolds(database: Database, { accountId, before = endOfLedger, max }: Input<'ledger.holds'>): Output<'ledger.holds'> {
  const found = (['payer_id', 'payee_id'] as const).flatMap((party) =>
    database
      .prepare(
        `select posting from transfer where ${party} = :accountId and status = 'pending' and posting < :before
         order by posting desc limit :more`,
      )
      .rows({ accountId, before, more: max + 1n }),
  )
  const newest = found.map((row) => integer(row, 'posting')).sort((one, other) => (one > other ? -1 : 1))
  return {
    holds: transfersAt(
      database,
      newest.filter((_, place) => BigInt(place) < max),
    ),
    more: BigInt(newest.length) > max,
  }
}

const endOfLedger = 2n ** 63n - 1n
