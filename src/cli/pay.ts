// `sealwire pay`: pays somebody, once, whatever happens on the way.

import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import type { Transfer } from '../client/payments.ts'
import { nameKey } from '../domain/case-fold.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { Advice } from './advice.ts'
import { canAsk, confirm } from './terminal/confirm.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { readId } from './options/id.ts'
import { jsonLine } from './terminal/json-line.ts'
import { type Purse, unitOf, withPurse } from './money/money.ts'
import { Ordering } from './money/ordering.ts'
import { type Due, dueWords, sumWords } from './money/words.ts'

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
    .option('--yes', 'do not ask; without a terminal nobody is asked anyway')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(pay)
}

async function pay(name: string, amount: string, flags: PayFlags): Promise<void> {
  const { home, memo, unit, request, yes = false, json = false } = flags
  const ordering = new Ordering('pay', [name, amount], flags)
  const { id } = ordering
  const asked = request === undefined ? undefined : readId(request, '--request', 'copy it from sealwire requests')
  let isAgreed = yes || json || !canAsk()
  let code = unit
  const use = async ({ payments }: Purse): Promise<void> => {
    const row = await unitOf({ payments }, code)
    const due = { name, amount: await payments.amountText(amount, row.unit), unit: row.unit, memo }
    if (!isAgreed) await confirm(`Pay ${dueWords(due)}?`)
    // What is tried again is what was agreed to.
    isAgreed = true
    code = row.unit
    const paid = await payments.pay(name, amount, { id, unit: row.unit, memo, request: asked }).catch(async (reason: unknown) => {
      // Ordered by another device it is signed by another key, and refused as something else.
      const before = isConflict(reason) && asked === undefined ? await payments.transfer(id).catch(() => undefined) : undefined
      if (before === undefined || !isSame(before, due)) throw reason
      return before
    })
    const { status, balance } = paid
    const result = { id: formatMessageId(id), status, amount: paid.amount, unit: paid.unit, balance }
    await writeAll(
      standardOutput,
      json
        ? jsonLine(result)
        : `paid ${sumWords(due)} to ${escapeControls(paid.payee ?? name)}, ${balance} ${paid.unit} left\nid ${result.id}\n`,
    )
  }
  await withPurse(findHome(home, process.env), use, ordering, request === undefined ? undefined : requestAdvice)
}

function isConflict(reason: unknown): boolean {
  return SealwireError.is(reason) && reason.code === 'conflict'
}

/** Whether this is the payment that is asked for. */
function isSame({ kind, payee = '', amount, unit, memo = '' }: Transfer, due: Due): boolean {
  const isTheirs = kind === 'pay' && nameKey(payee) === nameKey(due.name)
  return isTheirs && amount === due.amount && unit === due.unit && memo === (due.memo ?? '')
}

/** Of an order that may be too late, as any other, or for a request that is over. */
const requestAdvice: Advice = {
  not_found: 'check the name; sealwire requests lists what you are asked for, with the unit',
  gone: 'sealwire requests --all tells what became of it; without --request it is a payment like any other',
  expired: 'sealwire requests --all tells whether it is still open; if so, order it again under a fresh id',
  amount_invalid: 'write an amount such as 5 or 12.50; sealwire requests tells how much is still asked for',
}
const standardOutput = 1

const notes = `
It asks first where standard input is a terminal and neither --yes nor --json is given. EVERYWHERE
ELSE, in a pipe, a script or a timer, NOBODY IS ASKED and it pays at once. Without an answer from the
server the same order is sent again for 15 seconds; after that it says under which --id the same
command finds out what became of it.

Examples:
  sealwire pay bob 5 --memo lunch
  sealwire pay bob 12.50 --yes --json
  sealwire pay bob 3 --request 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`
