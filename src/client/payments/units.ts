// The units of a server, and the account that asks. What is known of a unit never changes; which one is the standard does, so
// that is asked each time.

import { formatAmount, parseAmount } from '../../domain/money.ts'
import { SealwireError } from '../../protocol/index.ts'
import type { Result } from '../../protocol/contract/index.ts'
import type { CallOptions } from '../calls.ts'
import type { PaymentUnit } from './results.ts'

/** Decimal text in a unit, such as `12.50`, or whole minor units. Never a number. */
export type Amount = string | bigint

export class PaymentUnits {
  readonly #ask: (options: CallOptions) => Promise<Result<'payment.units'>>
  #known: Promise<Result<'payment.units'>> | undefined

  constructor(ask: (options: CallOptions) => Promise<Result<'payment.units'>>) {
    this.#ask = ask
  }

  /** The unit of this code, or the standard one. @throws {SealwireError} `not_found`. */
  async unit(code: string | undefined, options: CallOptions = {}): Promise<PaymentUnit> {
    const known = code === undefined ? undefined : (await this.#known)?.units.find(({ unit }) => unit === code)
    if (known !== undefined) return known
    const { units } = await this.#again(options)
    const found = units.find(({ unit, standard }) => (code === undefined ? standard : unit === code))
    if (found === undefined) throw new SealwireError('not_found', `this server has no unit ${code ?? 'of its own'}`)
    return found
  }

  /** The number of the account that asks. */
  async account(options: CallOptions = {}): Promise<bigint> {
    const { account } = (await this.#known) ?? (await this.#again(options))
    return BigInt(account)
  }

  #again(options: CallOptions): Promise<Result<'payment.units'>> {
    const asked = this.#ask(options)
    // What fails is asked again by the next one, and told to this one alone.
    asked.then(
      () => (this.#known = asked),
      () => {},
    )
    return asked
  }
}

/** An amount in minor units. @throws {SealwireError} `amount_invalid`. @throws {TypeError} for a number. */
export function minorOf(amount: Amount, { decimals }: Pick<PaymentUnit, 'decimals'>): bigint {
  if (typeof amount === 'bigint') return amount
  if (typeof amount === 'string') return parseAmount(amount, BigInt(decimals))
  throw new TypeError('an amount is decimal text, or whole minor units as a bigint; never a number')
}

/** The same as decimal text with all its places. @throws as {@link minorOf}. */
export function textOf(amount: Amount, unit: Pick<PaymentUnit, 'decimals'>): string {
  return formatAmount(minorOf(amount, unit), BigInt(unit.decimals))
}
