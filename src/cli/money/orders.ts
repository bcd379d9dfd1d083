// `sealwire hold`, `capture`, `void` and `refund`: orders about money that was put aside, or paid.

import { Command } from 'commander'
import { formatMessageId } from '../../client/outbox/message-id.ts'
import type { Transfer } from '../../client/payments.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Advice } from '../advice.ts'
import { canAsk, confirm } from '../terminal/confirm.ts'
import { writeAll } from '../terminal/descriptor.ts'
import { limitTable } from '../../protocol/limits.ts'
import { escapeControls } from '../terminal/escape.ts'
import { findHome } from '../member/find-home.ts'
import { readId } from '../options/id.ts'
import { jsonLine } from '../terminal/json-line.ts'
import { type Purse, unitOf, withPurse } from './money.ts'
import { Ordering } from './ordering.ts'
import { lastingMs } from './lasting.ts'
import { asideWords, sumWords } from './words.ts'

interface OrderFlags {
  readonly home?: string
  readonly memo?: string
  readonly unit?: string
  readonly id?: string
  readonly for?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** What a command orders. */
type Ordered = (purse: Purse, words: readonly string[], flags: OrderFlags, id: Uint8Array) => Promise<Transfer>

/** Asks at the terminal, and resolves with the flags of what was agreed to. @throws {SealwireError} `usage` unless they agree. */
type Asking = (purse: Purse, words: readonly string[], flags: OrderFlags) => Promise<OrderFlags>

export const holdCommand = (): Command =>
  order('hold', 'Put money aside for somebody, who takes it with capture; else it comes back.', ['NAME', 'AMOUNT'], holdOrder, askHold)
    .option('--for <duration>', 'until it comes back by itself, at most 30d (default: 7d)')
    .option('--yes', 'do not ask; without a terminal nobody is asked anyway')

export const captureCommand = (): Command =>
  order(
    'capture',
    'Take some or all of what somebody has put aside for you; the rest goes back.',
    ['NAME', 'HOLD', 'AMOUNT'],
    async ({ payments }, [name = '', hold = '', amount = ''], { unit }, id) => {
      const about = readId(hold, 'HOLD')
      await checkUnitOf({ payments }, name, about, unit)
      return payments.capture(name, about, amount, { id, unit })
    },
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
    async ({ payments }, [name = '', payment = '', amount = ''], { memo, unit }, id) => {
      const about = readId(payment, 'PAYMENT')
      await checkUnitOf({ payments }, name, about, unit)
      return payments.refund(name, about, amount, { id, unit, memo })
    },
  )

const holdOrder: Ordered = async ({ payments }, [name = '', amount = ''], { memo, unit: code, ...flags }, id) => {
  const { unit } = await unitOf({ payments }, code)
  return payments.hold(name, amount, { id, unit, memo, livesMs: holdMs(flags) })
}

const askHold: Asking = async ({ payments }, [name = '', text = ''], flags) => {
  // What is wrong is said before anybody is asked.
  holdMs(flags)
  const { unit } = await unitOf({ payments }, flags.unit)
  const amount = await payments.amountText(text, unit)
  await confirm(`Put ${sumWords({ amount, unit })} aside for ${escapeControls(name)}${asideWords(flags.memo)}?`, 'nothing was put aside')
  return { ...flags, unit }
}

/** The unit is that of what the order is about. @throws {SealwireError} `amount_invalid` when another one is named. */
async function checkUnitOf({ payments }: Pick<Purse, 'payments'>, signer: string, id: Uint8Array, said: string | undefined): Promise<void> {
  if (said === undefined) return
  const { kind, unit } = await payments.transfer(id, { signer })
  if (unit === said) return
  const what = kind === 'hold' ? 'hold' : 'payment'
  throw new SealwireError('amount_invalid', `the ${what} is in ${unit}, not in ${said}`, { hint: 'leave --unit out' })
}

function holdMs({ for: lasting = '7d' }: Pick<OrderFlags, 'for'>): number {
  return lastingMs(lasting, limitTable.holdMsMax.value)
}

function order(name: string, what: string, words: readonly string[], ordered: Ordered, ask?: Asking): Command {
  const made = new Command(name).usage(`[OPTIONS] ${words.join(' ')}`).description(what)
  for (const word of words) made.argument(`<${word}>`, meanings[word] ?? '')
  if (units[name] !== undefined) made.option('--unit <code>', `in which unit (default: ${units[name]})`)
  if (name === 'hold' || name === 'refund') made.option('--memo <text>', 'what it is for')
  return made
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--id <uuid>', 'a UUID of version 7: repeating it does nothing twice (default: a fresh one)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', `\nExamples:\n  ${examples[name] ?? ''}`)
    .action(async (...given: unknown[]) => {
      const flags = (given.at(-1) as Command).opts<OrderFlags>()
      const args = given.filter((word) => typeof word === 'string')
      const ordering = new Ordering(name, args, flags)
      const { id } = ordering
      const mustAsk = flags.yes !== true && flags.json !== true && canAsk()
      let agreed = mustAsk ? undefined : flags
      const use = async (purse: Purse): Promise<void> => {
        // What is tried again is what was agreed to.
        agreed ??= ask === undefined ? flags : await ask(purse, args, flags)
        const done = await ordered(purse, args, agreed, id)
        const { status, amount, unit, balance } = done
        const result = { id: formatMessageId(id), status, amount, unit, balance }
        await writeAll(
          1,
          flags.json === true ? jsonLine(result) : `${name} ${amount} ${unit}: ${status}, ${balance} ${unit} left\nid ${result.id}\n`,
        )
      }
      await withPurse(findHome(flags.home, process.env), use, ordering, advice[name])
    })
}

const meanings: Readonly<Record<string, string>> = {
  NAME: 'of the other one',
  AMOUNT: 'decimal, such as 5 or 12.50',
  HOLD: 'id of the hold, as sealwire holds lists it',
  PAYMENT: 'id of the payment, as sealwire statement lists it',
}
/** Whose unit it is; a void says none. */
const units: Readonly<Record<string, string>> = {
  hold: 'the standard one of the server',
  capture: 'that of the hold; another one is refused',
  refund: 'that of the payment; another one is refused',
}
const again = 'ask them to put it aside again'
const advice: Readonly<Record<string, Advice>> = {
  hold: { limit_exceeded: 'if it is for about 30d, write a shorter --for or set the clock; else wait until tomorrow, or ask the operator' },
  capture: {
    gone: `sealwire statement shows what was taken of it; for more, ${again}`,
    expired: `its time is over, and it goes back: ${again}`,
    amount_invalid: 'write an amount such as 5 or 12.50, and no more than was put aside',
  },
  void: { gone: 'there is nothing left to do: sealwire statement shows what was taken of it' },
  refund: { amount_invalid: 'write an amount such as 5 or 12.50, and no more than is left of the payment' },
}
const examples: Readonly<Record<string, string>> = {
  hold: 'sealwire hold bob 20 --for 2d --memo deposit',
  capture: 'sealwire capture alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a 12.50',
  void: 'sealwire void alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a',
  refund: 'sealwire refund alice 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a 5 --memo sorry',
}
