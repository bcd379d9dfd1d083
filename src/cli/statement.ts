// `sealwire statement`: what moved on one's account, newest first.

import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import { systemClock } from '../domain/clock.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { writeAll } from './descriptor.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { jsonLine } from './json-line.ts'
import { warnForked } from './ledger-watch.ts'
import { withMember } from './member.ts'
import { checkUnit } from './ordering.ts'

interface StatementFlags {
  readonly home?: string
  readonly unit?: string
  readonly json?: boolean
  readonly csv?: boolean
}

type Line = Result<'payment.statement'>['lines'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('statement')
    .usage('[OPTIONS]')
    .description('Print what moved on your account, newest first.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--unit <code>', 'only this unit')
    .option('--json', 'print JSON, one object a line')
    .option('--csv', 'print comma separated values')
    .addHelpText('after', notes)
    .action(statement)
}

async function statement({ home, unit, json = false, csv = false }: StatementFlags): Promise<void> {
  if (json && csv) throw new SealwireError('usage', '--json and --csv exclude each other', { hint: 'choose one' })
  checkUnit(unit)
  const write = json ? lineJson : csv ? lineCsv : lineText
  const place = findHome(home, process.env)
  warnForked(place)
  await withMember(place, { clock: systemClock }, async ({ client }) => {
    if (csv) await writeAll(1, 'posting,at,kind,unit,delta,balance,from,to,memo,id\r\n')
    for (let before: number | undefined; ; ) {
      const page = { ...(unit === undefined ? {} : { unit }), ...(before === undefined ? {} : { before }) }
      const { lines, more } = await client.request('payment.statement', page)
      await writeAll(1, lines.map(write).join(''))
      before = lines.at(-1)?.posting
      if (!more || before === undefined) return
    }
  })
}

function lineText({ at, kind, unit, delta, balance, transfer: { id, payer, payee, memo } }: Line): string {
  const who = delta.startsWith('-')
    ? ` to ${escapeControls(payee ?? 'several')}`
    : payer === undefined
      ? ''
      : ` from ${escapeControls(payer)}`
  const what = memo === undefined || memo === '' ? '' : `: ${escapeControls(memo)}`
  const when = new Date(at).toISOString().slice(0, 16).replace('T', ' ')
  // What others have written comes last: it cannot look like anything that stands before it.
  return `${when} ${delta.startsWith('-') ? delta : `+${delta}`} ${unit} ${kind}${who} (${balance} left) ${formatMessageId(id)}${what}\n`
}

function lineJson({ transfer, at, ...line }: Line): string {
  const { id, payer, payee, memo, status } = transfer
  return jsonLine({ ...line, at: new Date(at).toISOString(), id: formatMessageId(id), from: payer, to: payee, memo, status })
}

function lineCsv({ posting, at, kind, unit, delta, balance, transfer: { id, payer = '', payee = '', memo = '' } }: Line): string {
  const fields = [String(posting), new Date(at).toISOString(), kind, unit, delta, balance, payer, payee, memo, formatMessageId(id)]
  return `${fields.map(csvField).join(',')}\r\n`
}

/** RFC 4180; a field that a spreadsheet would take for a formula gets an apostrophe, amounts excepted. */
function csvField(text: string): string {
  const shown = escapeControls(text)
  const safe = /^[=+@]/.test(shown) || (shown.startsWith('-') && !/^-[0-9.]+$/.test(shown)) ? `'${shown}` : shown
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const notes = `
Examples:
  sealwire statement
  sealwire statement --csv >statement.csv
  sealwire statement --json | jq -r 'select(.kind == "pay").delta'`
