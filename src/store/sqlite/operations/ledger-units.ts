// Units, and what the operator does to accounts: issues and takes back money, freezes, sets bounds.

import { decimalsMax, requireAmount } from '../../../domain/money.ts'
import { unitPattern } from '../../../protocol/contract/order.ts'
import { encodeCbor } from '../../../protocol/contract/cbor.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Balance, Issue, Ordered, Unit } from '../../ledger.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row, text } from '../statement.ts'
import { legOn, openBook, ownLeg, requireAccount, requireUnit } from './ledger-books.ts'
import { addPosting } from './ledger-post.ts'
import { sha256 } from './ledger-row.ts'
import { balancesOf } from './ledger-statement.ts'
import { insertTransfer, repeatedOrder } from './ledger-transfer.ts'
import type { Steps } from './step.ts'

export const ledgerUnitSteps: Pick<Steps, 'unit.create' | 'unit.list' | 'ledger.mint' | 'ledger.burn' | 'ledger.freeze' | 'ledger.limits'> =
  {
    'unit.create': { kind: 'write', run: createUnit },
    'unit.list': { kind: 'read', run: listUnits },
    'ledger.mint': { kind: 'write', run: (database, input) => issue(database, 'mint', input) },
    'ledger.burn': { kind: 'write', run: (database, input) => issue(database, 'burn', input) },
    'ledger.freeze': { kind: 'write', run: freeze },
    'ledger.limits': { kind: 'write', run: setLimits },
  }

function createUnit(database: Database, input: Input<'unit.create'>, limits: StoreLimits): Unit {
  const { code, name, decimals, standard = false, at } = input
  const known = findUnit(database, code)
  if (known === undefined) insertUnit(database, { code, name, decimals, at }, limits)
  else if ((name ?? known.name) !== known.name || (decimals ?? known.decimals) !== known.decimals)
    throw new SealwireError('conflict', 'there is another unit of this code')
  if (standard) makeStandard(database, code)
  const unit = findUnit(database, code)
  if (unit === undefined) throw new SealwireError('not_found', 'there is no such unit')
  return unit
}

function insertUnit(
  database: Database,
  { code, name = code, decimals = 2n, at }: Pick<Input<'unit.create'>, 'code' | 'name' | 'decimals' | 'at'>,
  { unitsMax }: StoreLimits,
): void {
  if (!unitPattern.test(code)) throw new SealwireError('malformed', 'the code of a unit is 1 to 16 small letters and digits')
  if (decimals < 0n || decimals > decimalsMax) throw new SealwireError('malformed', 'a unit has 0 to 9 decimal places')
  const row = database.prepare('select count(*) as number from unit').row({})
  if (integer(row ?? {}, 'number') >= BigInt(unitsMax)) throw new SealwireError('busy', 'there are too many units')
  database
    .prepare('insert into unit (code, name, decimals, created_at) values (:code, :name, :decimals, :at)')
    .run({ code, name, decimals, at })
  for (const kind of ['issuance', 'held'] as const) {
    database.prepare('insert into ledger_account (kind, holder_id, unit) values (:kind, 0, :code)').run({ kind, code })
  }
}

function makeStandard(database: Database, code: string): void {
  database.prepare('update unit set standard = 0 where standard = 1').run({})
  database.prepare('update unit set standard = 1 where code = :code').run({ code })
}

function listUnits(database: Database): readonly Unit[] {
  return database.prepare(`${unitSelect} order by standard desc, code`).rows({}).map(unitOf)
}

function findUnit(database: Database, code: string): Unit | undefined {
  const row = database.prepare(`${unitSelect} where code = :code`).row({ code })
  return row && unitOf(row)
}

/** Mint: from nothing, which the issuance account counts; burn: the other way. */
function issue(database: Database, kind: 'mint' | 'burn', input: Issue): Ordered {
  const { id, accountId, unit, memo, at } = input
  const digest = sha256(encodeCbor([kind, accountId, unit, input.amount, memo ?? null]))
  const repeated = repeatedOrder(database, { signerId: operator, id, digest }, accountId)
  if (repeated !== undefined) return repeated
  const amount = requireAmount(input.amount)
  const book = openBook(database, accountId, unit)
  const delta = kind === 'mint' ? amount : -amount
  const legs = [legOn(book, delta), ownLeg(database, 'issuance', unit, -delta)]
  const { decimals, holder } = book
  const posting = { at, kind, unit, decimals, legs, ref: undefined, signerId: operator, id, signed: undefined, memo }
  const { seq, balances } = addPosting(database, posting)
  const whose = kind === 'mint' ? { payee: holder } : { payer: holder }
  const made = { signerId: operator, id, kind, unit, decimals, amount, ...whose, memo, at, posting: seq }
  const transfer = insertTransfer(database, made, digest)
  return { transfer, balance: balances[0] ?? 0n, repeated: false, posted: [], changed: undefined, request: undefined }
}

/** In every unit: an account that is made later takes it over (ledger-books.ts), so there must be one. */
function freeze(database: Database, { accountId, frozen, at }: Input<'ledger.freeze'>): readonly Balance[] {
  requireAccount(database, accountId)
  for (const { code } of listUnits(database)) openBook(database, accountId, code)
  database
    .prepare(
      `update ledger_account set frozen_at = iif(:frozen = 1, coalesce(frozen_at, :at), null) where holder_id = :accountId and kind = 'user'`,
    )
    .run({ accountId, frozen: frozen ? 1n : 0n, at })
  return balancesOf(database, { accountId })
}

function setLimits(database: Database, input: Input<'ledger.limits'>): Output<'ledger.limits'> {
  const { unit, accountId, floor } = input
  requireUnit(database, unit)
  for (const bound of [input.dayMax, input.deviceDayMax, floor === undefined ? undefined : -floor]) requireBound(bound)
  const row = accountId === undefined ? limitUnit(database, input) : limitAccount(database, input, accountId)
  return { dayMax: optionalInteger(row, 'day_max'), deviceDayMax: optionalInteger(row, 'device_day_max'), floor: integer(row, 'floor') }
}

function limitUnit(database: Database, { unit, dayMax, deviceDayMax }: Input<'ledger.limits'>): Row {
  const row = database
    .prepare(
      `update unit set day_max = iif(:setDay = 1, :dayMax, day_max), device_day_max = iif(:setDevice = 1, :deviceDayMax, device_day_max)
       where code = :unit returning day_max, device_day_max, 0 as floor`,
    )
    .row({ unit, ...given(dayMax, deviceDayMax) })
  return row ?? {}
}

function limitAccount(database: Database, { unit, dayMax, deviceDayMax, floor }: Input<'ledger.limits'>, holderId: bigint): Row {
  const { id } = openBook(database, holderId, unit)
  const row = database
    .prepare(
      `update ledger_account set day_max = iif(:setDay = 1, :dayMax, day_max),
         device_day_max = iif(:setDevice = 1, :deviceDayMax, device_day_max),
         floor = coalesce(:floor, floor), floor_min = min(floor_min, coalesce(:floor, floor))
       where id = :id returning day_max, device_day_max, floor`,
    )
    .row({ id, floor: floor ?? null, ...given(dayMax, deviceDayMax) })
  return row ?? {}
}

/** Undefined leaves a bound as it is, null takes it away. */
function given(dayMax: bigint | null | undefined, deviceDayMax: bigint | null | undefined) {
  return {
    ...{ setDay: dayMax === undefined ? 0n : 1n, dayMax: dayMax ?? null },
    ...{ setDevice: deviceDayMax === undefined ? 0n : 1n, deviceDayMax: deviceDayMax ?? null },
  }
}

function requireBound(bound: bigint | null | undefined): void {
  if (bound !== undefined && bound !== null && bound !== 0n) requireAmount(bound)
}

function unitOf(row: Row): Unit {
  return {
    code: text(row, 'code'),
    name: text(row, 'name'),
    decimals: integer(row, 'decimals'),
    standard: integer(row, 'standard') === 1n,
    dayMax: optionalInteger(row, 'day_max'),
    deviceDayMax: optionalInteger(row, 'device_day_max'),
  }
}

/** Who signs what nobody signs. */
const operator = 0n
const unitSelect = 'select code, name, decimals, standard, day_max, device_day_max from unit' as const
