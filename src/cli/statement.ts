// `sealwire statement`: what moved on one's account, newest first.

import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import { nameKey } from '../domain/case-fold.ts'
import { systemClock } from '../domain/clock.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { warnForked } from './money/ledger-watch.ts'
import { type Member, withMember } from './member/member.ts'
import { csvField } from './money/csv-field.ts'
import { unitAdvice } from './money/money.ts'
import { checkUnit } from './money/ordering.ts'

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
  const place = findHome(home, process.env)
  warnForked(place)
  const tell = async ({ client, profile }: Member): Promise<void> => {
    const write = json ? lineJson : csv ? lineCsv : (line: Line) => lineText(line, profile.name)
    // A unit that is not there would be one in which nothing has moved.
    if (unit !== undefined) await client.request('payment.balance', { unit })
    if (csv) await writeAll(1, 'posting,at,kind,unit,delta,balance,from,to,memo,id\r\n')
    for (let before: number | undefined; ; ) {
      const page = { ...(unit === undefined ? {} : { unit }), ...(before === undefined ? {} : { before }) }
      const { lines, more } = await client.request('payment.statement', page)
      await writeAll(1, lines.map(write).join(''))
      before = lines.at(-1)?.posting
      if (!more || before === undefined) return
    }
  }
  await withMember(place, { clock: systemClock }, tell, unit === undefined ? undefined : unitAdvice)
}

function lineText({ at, kind, unit, delta, balance, transfer }: Line, self: string): string {
  const { id, payer } = transfer
  const { payees, memo } = toldOf(transfer)
  const isOut = delta.startsWith('-')
  // What comes back of one's own is not paid by oneself.
  const isBack = !isOut && payer !== undefined && nameKey(payer) === nameKey(self)
  const other = isOut || isBack ? (payees.length > 1 ? 'several' : payees[0]) : payer
  const who = other === undefined ? '' : ` ${isOut ? 'to' : isBack ? 'back from' : 'from'} ${escapeControls(other)}`
  const what = memo === '' ? '' : `: ${escapeControls(memo)}`
  const when = new Date(at).toISOString().slice(0, 16).replace('T', ' ')
  // What others have written comes last: it cannot look like anything that stands before it.
  return `${when} ${isOut ? delta : `+${delta}`} ${unit} ${kind}${who} (${balance} left) ${formatMessageId(id)}${what}\n`
}

function lineJson({ transfer, at, ...line }: Line): string {
  const { id, payer, payee, memo, status } = transfer
  const parts = transfer.parts?.map((part) => ({ to: part.payee, amount: part.amount, memo: part.memo }))
  return jsonLine({ ...line, at: new Date(at).toISOString(), id: formatMessageId(id), from: payer, to: payee, memo, status, parts })
}

function lineCsv({ posting, at, kind, unit, delta, balance, transfer }: Line): string {
  const { id, payer = '' } = transfer
  const { payees, memo } = toldOf(transfer)
  const moved = [String(posting), new Date(at).toISOString(), kind, unit, delta, balance]
  return `${[...moved, payer, payees.join('; '), memo, formatMessageId(id)].map(csvField).join(',')}\r\n`
}

/** Whom it pays, and what for: of a split, all of them, and each memo once. */
function toldOf({ payee, memo = '', parts }: Line['transfer']): { readonly payees: readonly string[]; readonly memo: string } {
  const memos = new Set(parts?.map((part) => part.memo ?? '').filter((each) => each !== ''))
  return {
    payees: parts?.map((part) => part.payee) ?? (payee === undefined ? [] : [payee]),
    memo: memos.size === 0 ? memo : [...memos].join('; '),
  }
}

const notes = `
Examples:
  sealwire statement
  sealwire statement --csv >statement.csv
  sealwire statement --json | jq -r 'select(.kind == "pay").delta'`
