// What an operator may ask about money: units, minting and burning, bounds, freezing, the export and the proof of the ledger.

import * as v from 'valibot'
import { messageId } from './contract/entry.ts'
import { bytes, count, exactBytes, flag, name, text, word } from './contract/fields.ts'
import { memoCharactersMax } from './contract/methods/payment.ts'
import { unitPattern } from './contract/order.ts'

/** The longest name of a unit, in characters. */
const unitNameCharactersMax = 64
/** The largest row of the ledger. */
const ledgerRowBytesMax = 8_192

const unit = () => v.pipe(text(16, 'code of a unit'), v.regex(unitPattern))
const amount = (description: string) => text(32, `${description}, decimal text such as 12.50`)
const bound = (description: string) => v.optional(v.union([amount(description), v.literal('none')]))
const accountName = () => name('of an account')
const unitRow = v.object({
  unit: unit(),
  name: text(unitNameCharactersMax, 'for people'),
  decimals: count('places after the point', 9),
  standard: flag('whether it is meant where none is named'),
})

const issue = {
  params: v.strictObject({
    id: messageId('made by who asks: repeating it repeats nothing'),
    name: accountName(),
    unit: v.optional(unit()),
    amount: amount('how much'),
    memo: v.optional(text(memoCharactersMax, 'what it is for')),
  }),
  result: v.object({
    name: name('as it is kept'),
    unit: unit(),
    amount: amount('how much'),
    balance: amount('of the account, after it'),
    posting: count('number in the ledger'),
  }),
} as const

const frozen = { params: v.strictObject({ name: accountName() }), result: v.object({ name: name('as it is kept') }) } as const

const exported = v.object({
  posting: count('number in the ledger, without gaps'),
  at: count('when, milliseconds since 1970'),
  kind: word(['pay', 'hold', 'capture', 'void', 'refund', 'split', 'mint', 'burn', 'expire'], 'what it is'),
  unit: unit(),
  decimals: count('places of the amounts', 9),
  settles: v.optional(count('the posting that this one is about')),
  id: messageId('of the transfer'),
  signer: count('number of the account that ordered it; 0: the operator'),
  legs: v.array(
    v.object({
      ledgerAccount: count('number of the account of the ledger'),
      account: count('number of the account whose it is; 0: the operator'),
      name: v.optional(name('of that account')),
      delta: text(32, 'decimal text; negative: it left the account'),
    }),
  ),
  row: bytes(ledgerRowBytesMax, 'what the hash is over, behind the hash before'),
  hash: exactBytes(32, 'in the chain'),
})

/** The methods. */
export const ledgerOperatorMethods = {
  'unit.create': {
    what: 'Makes a unit, or makes one the standard. Once more it changes nothing; another name or other decimals are a conflict.',
    params: v.strictObject({
      unit: unit(),
      name: v.optional(v.pipe(text(unitNameCharactersMax, 'for people; of a new one by default its code'), v.minLength(1))),
      decimals: v.optional(count('places after the point; of a new one by default 2', 9)),
      standard: v.optional(flag('true: it is meant where none is named')),
    }),
    result: unitRow,
  },
  'unit.list': { what: 'The units, the standard one first.', params: v.strictObject({}), result: v.object({ units: v.array(unitRow) }) },
  'ledger.mint': { what: 'Makes money and gives it to an account.', ...issue },
  'ledger.burn': { what: 'Takes money from an account and ends it.', ...issue },
  'ledger.limits': {
    what: 'Sets bounds of a unit, or of one account in it. What is left out stays.',
    params: v.strictObject({
      unit: v.optional(unit()),
      name: v.optional(accountName()),
      dayMax: bound('what may be ordered in a day (UTC) from an account'),
      deviceDayMax: bound('the same by one device'),
      credit: v.optional(amount('how far the account may go below zero')),
    }),
    result: v.object({
      unit: unit(),
      dayMax: v.optional(amount('that applies: of an account its own, else that of the unit; missing: none')),
      deviceDayMax: v.optional(amount('the same by one device')),
      credit: v.optional(amount('of the account')),
    }),
  },
  'account.freeze': { what: 'Nothing leaves the account any more, and nothing arrives.', ...frozen },
  'account.unfreeze': { what: 'Takes that back.', ...frozen },
  'ledger.export': {
    what: 'The next postings, in their order.',
    params: v.strictObject({ after: count('number of the last one that is known; 0 at the beginning') }),
    result: v.object({ postings: v.array(exported), more: flag('whether there are more') }),
  },
  'ledger.verify': {
    what: 'Recomputes the ledger from its first posting; asked again with the same job it tells how far it is. After a fault payments are refused, until a later job finds none.',
    params: v.strictObject({ job: exactBytes(16, 'made by who asks') }),
    result: v.object({
      rows: count('that were looked at so far'),
      done: flag('whether that was all'),
      fault: v.optional(v.object({ row: text(256, 'the first that is not what it must be'), what: text(1024, 'what is wrong with it') })),
    }),
  },
} as const
