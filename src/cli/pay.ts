// `sealwire pay`: pays somebody, once, whatever happens on the way.

import { isatty } from 'node:tty'
import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import { confirm } from './confirm.ts'
import { writeAll } from './descriptor.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { readId } from './id.ts'
import { jsonLine } from './json-line.ts'
import { type Purse, withPurse } from './money.ts'
import { Ordering } from './ordering.ts'

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

async function pay(name: string, amount: string, flags: PayFlags): Promise<void> {
  const { home, memo, unit, request, yes = false, json = false } = flags
  const ordering = new Ordering('pay', [name, amount], flags)
  const { id } = ordering
  const asked = request === undefined ? undefined : readId(request, '--request')
  let isAgreed = yes || json || !isatty(0)
  let code = unit
  const use = async ({ payments }: Purse): Promise<void> => {
    const row = await payments.unit(code)
    const shown = `${await payments.amountText(amount, row.unit)} ${row.unit}`
    if (!isAgreed) await confirm(`pay ${shown} to ${escapeControls(name)}${memo === undefined ? '' : ` for ${escapeControls(memo)}`}?`)
    // What is tried again is what was agreed to.
    isAgreed = true
    code = row.unit
    const paid = await payments.pay(name, amount, { id, unit: row.unit, memo, request: asked })
    const { status, balance } = paid
    const result = { id: formatMessageId(id), status, amount: paid.amount, unit: paid.unit, balance }
    await writeAll(
      standardOutput,
      json ? jsonLine(result) : `paid ${shown} to ${escapeControls(paid.payee ?? name)}, ${balance} ${paid.unit} left\nid ${result.id}\n`,
    )
  }
  await withPurse(findHome(home, process.env), use, ordering)
}

const standardOutput = 1

const notes = `
At a terminal it asks first; --yes and --json do not. Without an answer the same order is sent again
for 15 seconds; after that it says under which --id the same command finds out what became of it.

Examples:
  sealwire pay bob 5 --memo lunch
  sealwire pay bob 12.50 --yes --json
  sealwire pay bob 3 --request 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`
