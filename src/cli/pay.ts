// `sealwire pay`: pays somebody, once, whatever happens on the way.

import { isatty } from 'node:tty'
import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import { SealwireError } from '../protocol/errors.ts'
import { writeAll, writeNow } from './descriptor.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { jsonLine } from './json-line.ts'
import { orderId, readOrderId, withPurse } from './money.ts'
import { InputLines } from './prompt.ts'

interface PayFlags {
  readonly home?: string
  readonly memo?: string
  readonly unit?: string
  readonly id?: string
  readonly request?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('pay')
    .usage('[OPTIONS] NAME AMOUNT')
    .description('Pay somebody. It is durable when the command ends well, and is never done twice under one id.')
    .argument('<NAME>', 'whom to pay')
    .argument('<AMOUNT>', 'decimal, such as 5 or 12.50')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--memo <text>', 'what it is for')
    .option('--unit <code>', 'in which unit (default: the standard one of the server)')
    .option('--request <id>', 'of the request that this pays, as sealwire requests lists it')
    .option('--id <uuid>', 'a UUID of version 7: repeating it pays nothing twice (default: a fresh one)')
    .option('--yes', 'do not ask at a terminal')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(pay)
}

async function pay(
  name: string,
  amount: string,
  { home, memo, unit, id: given, request, yes = false, json = false }: PayFlags,
): Promise<void> {
  const id = orderId(given)
  const asked = request === undefined ? undefined : readOrderId(request, '--request')
  await withPurse(findHome(home, process.env), async ({ payments }) => {
    const row = await payments.unit(unit)
    const shown = `${await payments.amountText(amount, row.unit)} ${row.unit}`
    if (!yes && !json && isatty(0))
      await confirm(`pay ${shown} to ${escapeControls(name)}${memo === undefined ? '' : ` for ${escapeControls(memo)}`}?`)
    const paid = await payments.pay(name, amount, { id, unit: row.unit, memo, request: asked })
    const { status, unit: code, balance } = paid
    const result = { id: formatMessageId(id), status, amount: paid.amount, unit: code, balance }
    await writeAll(
      standardOutput,
      json ? jsonLine(result) : `paid ${shown} to ${escapeControls(paid.payee ?? name)}, ${balance} ${code} left\nid ${result.id}\n`,
    )
  })
}

/** @throws {SealwireError} `usage` unless the answer is yes: nothing was done. */
async function confirm(question: string): Promise<void> {
  writeNow(standardError, `${question} yes or no: `)
  await using lines = new InputLines(process.stdin)
  const answer = await lines.next('answer')
  if (/^y(es)?$/i.test(answer.trim())) return
  throw new SealwireError('usage', 'nothing was paid', { hint: 'answer yes to pay' })
}

const standardOutput = 1
const standardError = 2

const notes = `
At a terminal it asks first; --yes and --json do not. Without an answer the same order is sent again
for 15 seconds; after that, the same command with the same --id finds out what became of it.

Examples:
  sealwire pay bob 5 --memo lunch
  sealwire pay bob 12.50 --yes --json
  sealwire pay bob 3 --request 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`
