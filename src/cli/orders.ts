// `sealwire hold`, `capture`, `void` and `refund`: orders about money that was put aside, or paid.

import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import type { Transfer } from '../client/payments.ts'
import { writeAll } from './descriptor.ts'
import { parseDuration } from './duration.ts'
import { findHome } from './find-home.ts'
import { readId } from './id.ts'
import { jsonLine } from './json-line.ts'
import { type Purse, withPurse } from './money.ts'
import { Ordering } from './ordering.ts'
import { commandLine } from './origin.ts'

interface OrderFlags {
  readonly home?: string
  readonly memo?: string
  readonly unit?: string
  readonly id?: string
  readonly for?: string
  readonly json?: boolean
}

/** What a command orders. */
type Ordered = (purse: Purse, words: readonly string[], flags: OrderFlags, id: Uint8Array) => Promise<Transfer>

export const holdCommand = (): Command =>
  order('hold', 'Put money aside for somebody, who takes it with capture; else it comes back.', ['NAME', 'AMOUNT'], holdOrder).option(
    '--for <duration>',
    'until it comes back by itself, at most 30d (default: 7d)',
  )

export const captureCommand = (): Command =>
  order(
    'capture',
    'Take some or all of what somebody has put aside for you; the rest goes back.',
    ['NAME', 'HOLD', 'AMOUNT'],
    ({ payments }, [name = '', hold = '', amount = ''], { unit }, id) => payments.capture(name, readId(hold, 'HOLD'), amount, { id, unit }),
  )

export const voidCommand = (): Command =>
  order('void', 'Let what somebody has put aside for you go back.', ['NAME', 'HOLD'], ({ payments }, [name = '', hold = ''], _flags, id) =>
    payments.void(name, readId(hold, 'HOLD'), { id }),
  )

export const refundCommand = (): Command =>
  order(
    'refund',
    'Pay back some or all of what somebody has paid you; never more.',
    ['NAME', 'PAYMENT', 'AMOUNT'],
    ({ payments }, [name = '', payment = '', amount = ''], { memo, unit }, id) =>
      payments.refund(name, readId(payment, 'PAYMENT'), amount, { id, unit, memo }),
  )

const holdOrder: Ordered = ({ payments }, [name = '', amount = ''], { memo, unit, for: lasting = '7d' }, id) => {
  const livesMs = parseDuration(lasting, commandLine('--for'), { min: 60_000, max: 30 * 24 * 60 * 60_000 })
  return payments.hold(name, amount, { id, unit, memo, livesMs })
}

function order(name: string, what: string, words: readonly string[], ordered: Ordered): Command {
  const made = new Command(name).usage(`[OPTIONS] ${words.join(' ')}`).description(what)
  for (const word of words) made.argument(`<${word}>`, meanings[word] ?? '')
  return made
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--memo <text>', 'what it is for')
    .option('--unit <code>', 'in which unit (default: the standard one of the server)')
    .option('--id <uuid>', 'a UUID of version 7: repeating it does nothing twice (default: a fresh one)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', `\nExamples:\n  ${examples[name] ?? ''}`)
    .action(async (...given: unknown[]) => {
      const flags = (given.at(-1) as Command).opts<OrderFlags>()
      const args = given.filter((word) => typeof word === 'string')
      const ordering = new Ordering(name, args, flags)
      const { id } = ordering
      const use = async (purse: Purse): Promise<void> => {
        const done = await ordered(purse, args, flags, id)
        const { status, amount, unit, balance } = done
        const result = { id: formatMessageId(id), status, amount, unit, balance }
        await writeAll(
          1,
          flags.json === true ? jsonLine(result) : `${name} ${amount} ${unit}: ${status}, ${balance} ${unit} left\nid ${result.id}\n`,
        )
      }
      await withPurse(findHome(flags.home, process.env), use, ordering)
    })
}

const meanings: Readonly<Record<string, string>> = {
  NAME: 'of the other one',
  AMOUNT: 'decimal, such as 5 or 12.50',
  HOLD: 'id of the hold',
  PAYMENT: 'id of the payment',
}
const examples: Readonly<Record<string, string>> = {
  hold: 'sealwire hold bob 20 --for 2d --memo deposit',
  capture: 'sealwire capture alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a 12.50',
  void: 'sealwire void alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a',
  refund: 'sealwire refund alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a 5 --memo sorry',
}
