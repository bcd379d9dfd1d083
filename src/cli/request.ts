// `sealwire request`: asking to be paid.

import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import { momentAfter } from '../client/payment-orders.ts'
import { writeAll } from './descriptor.ts'
import { parseDuration } from './duration.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { ownId } from './id.ts'
import { withPurse } from './money.ts'
import { commandLine } from './origin.ts'
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
      const own = ownId(id)
      // Counted from the id: said again, it is the same request.
      const ends = lasting === undefined ? {} : { expiresAt: momentAfter(own, parseDuration(lasting, commandLine('--for'), lastingMs)) }
      await withPurse(findHome(home, process.env), async ({ client, payments }) => {
        const row = await payments.unit(unit)
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
      })
    })
}

/** The shortest and the longest life of a request, in ms. */
const lastingMs = { min: 60_000, max: 365 * 24 * 60 * 60_000 } as const

const notes = `
Examples:
  sealwire request bob 12.50 --memo 'half of the taxi'
  sealwire request bob 12.50 --for 7d
  sealwire requests
  sealwire pay alice 12.50 --request 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`
