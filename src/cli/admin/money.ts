// The part of `sealwire admin` that is about money: units, minting and burning, bounds, freezing.

import { Command } from 'commander'
import { formatMessageId } from '../../client/outbox/message-id.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Advice } from '../advice.ts'
import { checkLength } from '../options/length.ts'
import type { OperatorResult } from '../../protocol/operator.ts'
import { escapeControls } from '../terminal/escape.ts'
import type { OperatorClient } from '../operator/client.ts'
import { json, named, needsOne, type OperatorFlags, part, print, withOperator } from '../operator/command.ts'
import { checkUnit, Ordering } from '../money/ordering.ts'
import { commandLine, refuse } from '../options/origin.ts'

interface IssueFlags extends OperatorFlags {
  readonly unit?: string
  readonly memo?: string
  readonly id?: string
}

interface LimitFlags extends OperatorFlags {
  readonly unit?: string
  readonly day?: string
  readonly deviceDay?: string
  readonly credit?: string
}

interface UnitFlags extends OperatorFlags {
  readonly name?: string
  readonly decimals?: string
  readonly standard?: boolean
}

/** Adds the commands to `admin`. */
export function addMoneyCommands(admin: Command): void {
  admin.addCommand(unitCommand())
  admin.addCommand(issueCommand('mint', 'make money and give it to an account').action(issuing('ledger.mint')))
  admin.addCommand(issueCommand('burn', 'take money from an account and end it').action(issuing('ledger.burn')))
  admin.addCommand(limitCommand())
  admin.addCommand(named('freeze', 'let nothing leave or reach an account').action(freezing('account.freeze')))
  admin.addCommand(named('unfreeze', 'take that back').action(freezing('account.unfreeze')))
}

function unitCommand(): Command {
  const unit = new Command('unit').description('Look after the units of money.').summary('list the units of money, or make one')
  needsOne(unit, 'admin unit', 'list or create')
  unit.addCommand(part('list', 'list the units, the standard one first').action(listUnits))
  unit.addCommand(
    part('create', 'make a unit, or make one the standard')
      .argument('<CODE>', 'a letter, then at most 15 letters and digits, lower case')
      .option('--name <text>', 'for people (default: the code)')
      .option('--decimals <n>', 'places after the point, 0 to 9 (default: 2)')
      .option('--standard', 'it is meant where none is named')
      .action(createUnit),
  )
  return unit
}

function issueCommand(name: string, description: string): Command {
  return named(name, description)
    .argument('<AMOUNT>', 'such as 12.50')
    .option('--unit <code>', 'of money (default: the standard one)')
    .option('--memo <text>', 'what it is for')
    .option('--id <uuid>', 'repeat the one of a command whose answer was lost: nothing is done twice')
}

function limitCommand(): Command {
  return part('limit', 'bound what may be ordered in a day, or grant credit')
    .argument('[NAME]', 'of an account; without it: of all that have no bound of their own')
    .option('--unit <code>', 'of money (default: the standard one)')
    .option('--day <amount>', 'in a day (UTC), from an account; or none')
    .option('--device-day <amount>', 'the same by one device; or none')
    .option('--credit <amount>', 'how far below zero the account may go')
    .action(limit)
}

async function listUnits(flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const { units } = await operator.call('unit.list', {})
    await print(units.map((unit) => shown(unit, flags)).join(''))
  })
}

async function createUnit(code: string, flags: UnitFlags): Promise<void> {
  checkUnit(code, 'CODE')
  if (flags.decimals !== undefined && !/^[0-9]$/.test(flags.decimals)) {
    throw refuse(commandLine('--decimals'), flags.decimals, 'is not a whole number from 0 to 9', 'write 2 for cents')
  }
  const decimals = flags.decimals === undefined ? undefined : Number(flags.decimals)
  const { name } = flags
  checkLength('--name', name ?? code, nameCharactersMax)
  await withHints(flags, unitHints, async (operator) => {
    await print(shown(await operator.call('unit.create', { unit: code, name, decimals, standard: flags.standard }), flags))
  })
}

function shown(unit: OperatorResult<'unit.create'>, flags: OperatorFlags): string {
  if (flags.json === true) return json(unit)
  const { unit: code, name, decimals, standard } = unit
  return `${code}  ${escapeControls(name)}, ${decimals} ${decimals === 1 ? 'decimal' : 'decimals'}${standard ? ', the standard one' : ''}\n`
}

function issuing(what: 'ledger.mint' | 'ledger.burn') {
  return (name: string, amount: string, flags: IssueFlags): Promise<void> => issue(what, name, amount, flags)
}

function freezing(what: 'account.freeze' | 'account.unfreeze') {
  return (name: string, flags: OperatorFlags): Promise<void> => freeze(what, name, flags)
}

async function issue(what: 'ledger.mint' | 'ledger.burn', name: string, amount: string, flags: IssueFlags): Promise<void> {
  const { unit, memo } = flags
  const command = what === 'ledger.mint' ? 'admin mint' : 'admin burn'
  const ordering = new Ordering(command, [name, amount], flags, 'leave it out, or repeat the one that was printed')
  const { id } = ordering
  const use = async (operator: OperatorClient): Promise<void> => {
    await checkUnitIsThere(operator, unit)
    const done = await ordering.send(() => operator.call(what, { id, name, amount, unit, memo }))
    const words = what === 'ledger.mint' ? 'minted' : 'burnt'
    const line = `${words} ${done.amount} ${done.unit}: ${escapeControls(done.name)} has ${done.balance} ${done.unit}\nid ${formatMessageId(id)}\n`
    await print(flags.json === true ? json({ id: formatMessageId(id), ...done }) : line)
    ordering.told()
  }
  await withOperator(flags, use).catch((reason: unknown) => {
    throw hinted(ordering.ended(reason), hints[what])
  })
}

async function limit(name: string | undefined, flags: LimitFlags): Promise<void> {
  const { unit, day: dayMax, deviceDay: deviceDayMax, credit } = flags
  checkUnit(unit)
  if (credit !== undefined && name === undefined) {
    throw new SealwireError('usage', 'credit is granted to an account, not to all', { hint: 'name the account' })
  }
  await withHints(flags, limitHints, async (operator) => {
    await checkUnitIsThere(operator, unit)
    const set = await operator.call('ledger.limits', { name, unit, dayMax, deviceDayMax, credit })
    const lines = [
      `in a day              ${set.dayMax ?? 'none'}`,
      `in a day by a device  ${set.deviceDayMax ?? 'none'}`,
      ...(set.credit === undefined ? [] : [`credit                ${set.credit}`]),
      '',
    ]
    await print(flags.json === true ? json(set) : lines.join('\n'))
  })
}

async function freeze(what: 'account.freeze' | 'account.unfreeze', name: string, flags: OperatorFlags): Promise<void> {
  await withOperator(flags, async (operator) => {
    const account = await operator.call(what, { name })
    const frozen = what === 'account.freeze'
    await print(flags.json === true ? json({ ...account, frozen }) : `${frozen ? 'froze' : 'unfroze'} ${escapeControls(account.name)}\n`)
  })
}

/** Of a unit and of an account the server says with one code that it is not there. @throws {SealwireError} `not_found`. */
async function checkUnitIsThere(operator: OperatorClient, code: string | undefined): Promise<void> {
  if (code === undefined) return
  const { units } = await operator.call('unit.list', {})
  if (units.some(({ unit }) => unit === code)) return
  throw new SealwireError('not_found', `there is no unit ${code}`, { hint: 'sealwire admin unit list shows them' })
}

/** As {@link withOperator}, with hints by code for what the server refuses. */
function withHints(flags: OperatorFlags, own: Advice, use: (operator: OperatorClient) => Promise<void>): Promise<void> {
  return withOperator(flags, use).catch((reason: unknown) => {
    throw hinted(SealwireError.from(reason), own)
  })
}

/** What a server refuses comes without a hint. */
function hinted(error: SealwireError, own: Advice): SealwireError {
  const hint = own[error.code] ?? error.hint
  return hint === undefined ? error : new SealwireError(error.code, error.sentence, { cause: error.cause, hint })
}

const usual: Advice = {
  amount_invalid: 'write an amount such as 5 or 12.50, and a very large one in parts',
  conflict: 'look with sealwire ledger export what was done under it; what is not there needs another --id',
  frozen: 'sealwire admin unfreeze NAME takes that back',
  limit_exceeded: 'write a smaller amount',
}
const hints: Readonly<Record<'ledger.mint' | 'ledger.burn', Advice>> = {
  'ledger.mint': usual,
  'ledger.burn': { ...usual, insufficient_funds: 'burn less: sealwire ledger export has what came and went' },
}
const unitHints: Advice = {
  conflict: 'sealwire admin unit list shows it; its name and decimals stay, so leave them out or choose another CODE',
  busy: 'use one of those that sealwire admin unit list shows, or start the server with --limit unitsMax=NUMBER',
}
const limitHints: Advice = {
  amount_invalid: 'write an amount such as 5 or 12.50; none takes back --day and --device-day, 0 takes back --credit',
}
/** As in `unit.create`. */
const nameCharactersMax = 64
