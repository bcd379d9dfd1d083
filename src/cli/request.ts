// `sealwire request`: asking to be paid.

import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import { momentAfter } from '../client/payments/orders.ts'
import { limitTable } from '../protocol/limits.ts'
import type { Advice } from './advice.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { ownId } from './options/id.ts'
import { unitOf, withPurse } from './money/money.ts'
import { checkMemo, checkUnit } from './money/ordering.ts'
import { lastingMs } from './money/lasting.ts'
import { requestJson } from './requests.ts'

interface RequestFlags {
  readonly home?: string
  readonly memo?: string
  readonly unit?: string
  readonly id?: string
  readonly for?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('request')
    .usage('[OPTIONS] NAME AMOUNT')
    .description('Ask somebody to pay. It moves nothing; they pay it once, in part, or not at all.')
    .argument('<NAME>', 'who is asked')
    .argument('<AMOUNT>', 'decimal, such as 5 or 12.50')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--memo <text>', 'what it is for')
    .option('--unit <code>', 'in which unit (default: the standard one of the server)')
    .option('--for <duration>', 'until it is over, at most 365d (default: 30d)')
    .option('--id <uuid>', 'a UUID of version 7: repeating it asks nothing twice (default: a fresh one)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async (name: string, amount: string, { home, memo, unit, id, for: lasting, json = false }: RequestFlags) => {
      checkUnit(unit)
      checkMemo(memo)
      const own = ownId(id)
      // Counted from the id: said again, it is the same request.
      const ends = lasting === undefined ? {} : { expiresAt: momentAfter(own, lastingMs(lasting, limitTable.paymentRequestMsMax.value)) }
      await withPurse(
        findHome(home, process.env),
        async ({ client, payments }) => {
          const row = await unitOf({ payments }, unit)
          const text = await payments.amountText(amount, row.unit)
          const made = await client.request('payment.request', {
            id: own,
            name,
            unit: row.unit,
            amount: text,
            ...(memo === undefined ? {} : { memo }),
            ...ends,
          })
          await writeAll(
            1,
            json ? requestJson(made) : `asked ${escapeControls(made.to)} for ${made.amount} ${made.unit}\nid ${formatMessageId(made.id)}\n`,
          )
        },
        undefined,
        advice,
      )
    })
}

const advice: Advice = {
  conflict: 'the id stands for something else: sealwire requests --all tells what was asked under it',
  quota_exceeded: 'ask when they have read what waits for them',
}

const notes = `
Examples:
  sealwire request bob 12.50 --memo 'half of the taxi'
  sealwire request bob 12.50 --for 7d
  sealwire requests
  sealwire pay alice 12.50 --request 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`
