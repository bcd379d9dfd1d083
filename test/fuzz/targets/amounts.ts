// Amounts as people and programs write them, against a reading that only counts digits.

import { amountMax, formatAmount } from '../../../src/domain/money.ts'
import type { Chance } from '../chance.ts'
import { type Behaviour, must, refusedAs } from '../target.ts'

/** What reads an amount of a unit with so many decimals. */
export type AmountReader = (text: string, decimals: bigint) => bigint

/** A byte that says how many decimals the unit has, and a text. */
export function amountOf(chance: Chance): Uint8Array {
  const whole = chance.oneIn(4) ? chance.pick(wholes) : String(chance.below(10 ** chance.between(1, 9)))
  const places = chance.oneIn(2) ? '' : `.${String(chance.below(10 ** chance.between(1, 9)))}`
  return Uint8Array.of(chance.below(10), ...new TextEncoder().encode(whole + places))
}

export function readAmount(read: AmountReader, input: Uint8Array): Behaviour {
  const decimals = BigInt((input[0] ?? 0) % 10)
  const text = new TextDecoder().decode(input.subarray(1))
  const expected = plainAmount(text, Number(decimals))
  let amount: bigint
  try {
    amount = read(text, decimals)
  } catch (reason) {
    const { sentence } = refusedAs(reason, codes)
    must(expected === undefined, `${text} with ${decimals} places is an amount`)
    return `-amount: ${sentence}`
  }
  must(amount === expected, `${text} with ${decimals} places is ${expected ?? 'no amount'}, not ${amount}`)
  must(read(formatAmount(amount, decimals), decimals) === amount, 'what is written is read as it was')
  return `+amount with ${text.includes('.') ? 'places' : 'none'}`
}

/** Minor units, found by moving digits; `undefined` for what is no amount. */
function plainAmount(text: string, decimals: number): bigint | undefined {
  const [whole = '', places, ...others] = text.split('.')
  const isPlain = isDigits(whole) && (places === undefined || isDigits(places)) && others.length === 0
  if (!isPlain || text.length > 32 || (whole.length > 1 && whole.startsWith('0')) || (places ?? '').length > decimals) return undefined
  const minor = BigInt(whole + (places ?? '').padEnd(decimals, '0'))
  return minor >= 1n && minor <= amountMax ? minor : undefined
}

function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!'0123456789'.includes(text.charAt(at))) return false
  return text.length > 0
}

const wholes = [
  '0',
  '1',
  '007',
  '-1',
  '+1',
  '1e3',
  '999999999999999',
  '1000000000000000',
  '1000000000000001',
  '9007199254740993',
  ' 1',
  '1,5',
] as const
const codes = new Set(['amount_invalid'])
