// `sealwire request` and `sealwire requests`: asking to be paid.

import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import { systemClock } from '../domain/clock.ts'
import { isNothing } from '../domain/money.ts'
import type { Result } from '../protocol/contract/index.ts'
import { writeAll } from './descriptor.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { ownId } from './id.ts'
import { jsonLine } from './json-line.ts'
import { warnForked } from './ledger-watch.ts'
import { withMember } from './member.ts'
import { withPurse } from './money.ts'

interface RequestFlags {
  readonly home?: string
  readonly memo?: string
  readonly unit?: string
  readonly id?: string
  readonly json?: boolean
}

type Request = Result<'payment.request'>

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
    .option('--id <uuid>', 'a UUID of version 7: repeating it asks nothing twice (default: a fresh one)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async (name: string, amount: string, { home, memo, unit, id, json = false }: RequestFlags) => {
      const own = ownId(id)
      await withPurse(findHome(home, process.env), async ({ client, payments }) => {
        const row = await payments.unit(unit)
        const text = await payments.amountText(amount, row.unit)
        const made = await client.request('payment.request', {
          id: own,
          name,
          unit: row.unit,
          amount: text,
          ...(memo === undefined ? {} : { memo }),
        })
        await writeAll(
          1,
          json ? requestJson(made) : `asked ${escapeControls(made.to)} for ${made.amount} ${made.unit}\nid ${formatMessageId(made.id)}\n`,
        )
      })
    })
}

/** `sealwire requests`. */
export function listCommand(): Command {
  return new Command('requests')
    .usage('[OPTIONS]')
    .description('List what you have asked for and what you are asked for, newest first.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--all', 'also those that are over')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', listNotes)
    .action(async ({ home, all = false, json = false }: { readonly home?: string; readonly all?: boolean; readonly json?: boolean }) => {
      const place = findHome(home, process.env)
      warnForked(place)
      await withMember(place, { clock: systemClock }, async ({ client }) => {
        for (let last: Request | undefined; ; ) {
          const older = last === undefined ? {} : { before: last.at, beforeId: last.id }
          const { requests, more } = await client.request('payment.requests', { open: !all, ...older })
          await writeAll(1, requests.map((each) => (json ? requestJson(each) : requestLine(each))).join(''))
          last = requests.at(-1)
          if (!more || last === undefined) return
        }
      })
    })
}

function requestLine({ id, from, to, amount, paid, unit, status, memo }: Request): string {
  const what = memo === undefined || memo === '' ? '' : `: ${escapeControls(memo)}`
  const part = isNothing(paid) ? '' : `, ${paid} paid`
  return `${escapeControls(from)} asks ${escapeControls(to)} for ${amount} ${unit}${part} (${status})${what} ${formatMessageId(id)}\n`
}

function requestJson({ at, expiresAt, id, ...request }: Request): string {
  const until = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()
  return jsonLine({ id: formatMessageId(id), ...request, at: new Date(at).toISOString(), expiresAt: until })
}

const notes = `
Examples:
  sealwire request bob 12.50 --memo 'half of the taxi'
  sealwire requests
  sealwire pay alice 12.50 --request 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`

const listNotes = `
Examples:
  sealwire requests
  sealwire requests --all --json | jq -r 'select(.status == "open").id'`
