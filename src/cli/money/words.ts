// Money in words: what moved between whom, and what for. Memos and names are escaped here. The memo stands last, so that nothing
// in it can pass for what we say ourselves.

import type { PaymentSaid } from '../../client/payments/message.ts'
import { escapeControls, quote } from '../terminal/escape.ts'

/** How somebody is called, escaped. */
type Naming = (name: string) => string

/** A sentence about money, by `author`: `alice paid bob 5.00 credits: lunch`. `aside` stands before the memo. */
export function paymentWords(payment: PaymentSaid, author: string, named: Naming = escapeControls, aside = ''): string {
  return `${deedWords(payment, named(author), named)}${aside}${memoWords(payment.memo)}`
}

/** `5.00 credits to bob ("lunch")`. */
export function dueWords({ amount, unit, name, memo }: Due): string {
  return `${sumWords({ amount, unit })} to ${escapeControls(name)}${asideWords(memo)}`
}

/** ` ("lunch")`, and nothing without a memo. */
export function asideWords(memo = ''): string {
  return memo === '' ? '' : ` (${quote(memo)})`
}

/** `5.00 credits`. */
export function sumWords({ amount, unit }: Pick<Due, 'amount' | 'unit'>): string {
  return escapeControls(`${amount} ${unit}`)
}

/** What somebody is to be paid. */
export interface Due {
  /** Decimal text with all places of the unit. */
  readonly amount: string
  readonly unit: string
  /** Who gets it. */
  readonly name: string
  readonly memo?: string | undefined
}

function deedWords(payment: PaymentSaid, author: string, named: Naming): string {
  const [from, to, sum] = [named(payment.from), named(payment.to), sumWords(payment)]
  switch (payment.kind) {
    case 'pay':
    case 'split':
      return `${from} paid ${to} ${sum}`
    case 'hold':
      return `${from} put ${sum} aside for ${to}`
    case 'capture':
      return `${author} took ${sum} of what ${from} had put aside`
    case 'void':
      return `${author} let ${sum} go back to ${from}`
    case 'refund':
      return `${from} paid ${sum} back to ${to}`
    case 'request':
      return `${to} asked ${from} for ${sum}`
  }
}

function memoWords(memo = ''): string {
  return memo === '' ? '' : `: ${escapeControls(memo)}`
}
