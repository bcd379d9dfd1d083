// `sealwire split`: pays several at once, all or nobody, once, whatever happens on the way.

import { Command } from 'commander'
import type { Payments, SplitShare, Transfer } from '../client/payments.ts'
import { nameKey } from '../domain/case-fold.ts'
import { formatAmount } from '../domain/money.ts'
import { splitPayees } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { canAsk, confirm } from './terminal/confirm.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { type Purse, unitOf, withPurse } from './money/money.ts'
import { Ordering } from './money/ordering.ts'
import { commandLine, refuse } from './options/origin.ts'
import { asideWords, sumWords } from './money/words.ts'

interface SplitFlags {
  readonly home?: string
  readonly memo?: string
  readonly unit?: string
  readonly id?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('split')
    .usage('[OPTIONS] NAME=AMOUNT NAME=AMOUNT …')
    .description('Pay several at once: all of them or nobody. It is never done twice under one id.')
    .argument('<NAME=AMOUNT...>', `whom to pay how much, ${splitPayees.min} to ${splitPayees.max} of them`)
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--memo <text>', 'what it is for; all of them see it')
    .option('--unit <code>', 'in which unit (default: the standard one of the server)')
    .option('--id <uuid>', 'a UUID of version 7: repeating it pays nothing twice (default: a fresh one)')
    .option('--yes', 'do not ask; without a terminal nobody is asked anyway')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(split)
}

async function split(words: readonly string[], flags: SplitFlags): Promise<void> {
  const { home, memo, unit, yes = false, json = false } = flags
  const ordering = new Ordering('split', words, flags)
  const shares = readShares(words, memo)
  let isAgreed = yes || json || !canAsk()
  let code = unit
  const use = async ({ payments }: Purse): Promise<void> => {
    code = (await unitOf({ payments }, code)).unit
    if (!isAgreed) await confirm(await question(payments, shares, code, memo))
    // What is tried again is what was agreed to.
    isAgreed = true
    const paid = await payments.split(shares, { id: ordering.id, unit: code })
    await writeAll(standardOutput, json ? splitJson(paid) : splitText(paid))
  }
  await withPurse(findHome(home, process.env), use, ordering)
}

/** @throws {SealwireError} `usage`. */
function readShares(words: readonly string[], memo: string | undefined): readonly (SplitShare & { readonly amount: string })[] {
  const shares = words.map((word) => {
    const [, name = '', amount = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? []
    if (name === '') throw refuse(commandLine('NAME=AMOUNT'), word, 'says not whom to pay how much', 'write, for example, bob=5')
    return { name, amount, memo }
  })
  if (shares.length < splitPayees.min || shares.length > splitPayees.max) {
    const hint = shares.length < splitPayees.min ? 'sealwire pay pays one' : 'split them up'
    throw new SealwireError('usage', `a split has ${splitPayees.min} to ${splitPayees.max} payees`, { hint })
  }
  const twice = shares.find(({ name }, at) => shares.findIndex((other) => nameKey(other.name) === nameKey(name)) !== at)
  if (twice !== undefined) throw refuse(commandLine('NAME'), twice.name, 'is there twice', 'name everybody once')
  return shares
}

async function question(
  payments: Payments,
  shares: readonly (SplitShare & { readonly amount: string })[],
  unit: string,
  memo: string | undefined,
): Promise<string> {
  const lines = []
  let total = 0n
  const { decimals } = await payments.unit(unit)
  for (const { name, amount } of shares) {
    const text = await payments.amountText(amount, unit)
    total += BigInt(text.replace('.', ''))
    lines.push(`  ${escapeControls(name)} ${sumWords({ amount: text, unit })}\n`)
  }
  const sum = sumWords({ amount: formatAmount(total, BigInt(decimals)), unit })
  return `${lines.join('')}Pay ${sum} in all${asideWords(memo)}?`
}

function splitText({ id, amount, unit, balance, parts = [] }: Transfer): string {
  const lines = parts.map((part) => `paid ${sumWords({ amount: part.amount, unit })} to ${escapeControls(part.payee)}\n`)
  return `${lines.join('')}${sumWords({ amount, unit })} in all, ${balance} ${unit} left\nid ${id}\n`
}

function splitJson({ id, status, amount, unit, balance, parts = [] }: Transfer): string {
  const shown = parts.map((part) => ({ to: part.payee, amount: part.amount }))
  return jsonLine({ id, status, amount, unit, balance, parts: shown })
}

const standardOutput = 1

const notes = `
All of them are paid, in one transfer, or nobody is. It asks first where standard input is a terminal
and neither --yes nor --json is given; everywhere else nobody is asked and it pays at once. Without an
answer from the server the same order is sent again for 15 seconds; after that it says under which
--id the same command finds out what became of it.

Examples:
  sealwire split bob=5 carol=7.50 --memo pizza
  sealwire split bob=5 carol=7.50 --yes --json`
