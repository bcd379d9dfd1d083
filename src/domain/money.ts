// Amounts of money. Inside they are whole minor units of their unit, as `bigint`; people and programs read and write them as
// decimal text. No number with a point is ever made of them: not even rounding correctly is as good as not rounding.

import { orderAmountMax } from '../protocol/contract/order.ts'
import { SealwireError } from '../protocol/errors.ts'

/** The largest amount that moves at once, in minor units; the smallest is 1. */
export const amountMax: bigint = orderAmountMax
/** The largest balance, and the lowest one of an issuance account below zero. */
export const balanceMax: bigint = 10n ** 18n
/** The most places after the point that a unit has. */
export const decimalsMax = 9n

/**
 * Reads an amount such as `5`, `0.5` or `12.50`: ASCII digits, no sign, no exponent, no leading zeros, at most `decimals` places.
 * @throws {SealwireError} `amount_invalid` with the reason, for everything else and for what is not from 1 to {@link amountMax}.
 */
export function parseAmount(text: string, decimals: bigint): bigint {
  if (text.length > textMax) throw amountInvalid('the amount is too long')
  const [, whole = '', places = ''] = decimal.exec(text) ?? []
  if (whole === '') throw amountInvalid(reasonFor(text))
  if (BigInt(places.length) > decimals) throw amountInvalid(`the unit has ${placesOf(decimals)}`)
  return requireAmount(BigInt(whole + places) * 10n ** (decimals - BigInt(places.length)))
}

/** The decimal text of minor units, negative ones too, with exactly `decimals` places. */
export function formatAmount(minor: bigint, decimals: bigint): string {
  const factor = 10n ** decimals
  const size = minor < 0n ? -minor : minor
  const whole = `${minor < 0n ? '-' : ''}${size / factor}`
  return decimals === 0n ? whole : `${whole}.${String((size % factor) + factor).slice(1)}`
}

/**
 * Returns an amount that may move.
 * @throws {SealwireError} `amount_invalid` unless it is from 1 to {@link amountMax}.
 */
export function requireAmount(amount: bigint): bigint {
  if (amount < 1n) throw amountInvalid('the amount must be more than 0')
  if (amount > amountMax) throw amountInvalid('the amount is too large')
  return amount
}

/** Whether a decimal text says zero, in any unit. */
export function isNothing(text: string): boolean {
  return /^0(\.0+)?$/.test(text)
}

/** Why a text is no decimal number as we write them. */
function reasonFor(text: string): string {
  if (/^[-+]/.test(text)) return 'an amount has no sign'
  if (/^0[0-9]/.test(text)) return 'an amount has no leading zeros'
  if (/^[0-9.]+[eE]/.test(text)) return 'an amount has no exponent'
  return 'an amount is decimal text such as 12.50'
}

function placesOf(decimals: bigint): string {
  if (decimals === 0n) return 'no decimal places'
  return `at most ${decimals} decimal ${decimals === 1n ? 'place' : 'places'}`
}

function amountInvalid(sentence: string): SealwireError {
  return new SealwireError('amount_invalid', sentence)
}

/** `[0-9]` is ASCII alone. */
const decimal = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/
/** Longer than any amount that is not too large. */
const textMax = 32
