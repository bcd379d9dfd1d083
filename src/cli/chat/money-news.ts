// News about money in a chat: as lines for people, as objects for programs.

import type { Balance, PaymentRequest } from '../../client/payments/results.ts'
import { isNothing } from '../../domain/money.ts'
import { momentText } from '../../pki/index.ts'
import type { Refusal } from './news.ts'
import { escapeControls } from '../terminal/escape.ts'
import { dueWords, sumWords } from '../money/words.ts'
import type { PendingPayment } from '../money/pending-payments.ts'

/** What each kind of news about money tells. */
export interface MoneyNewsData {
  readonly paying: PendingPayment
  /** `balance`: what is left, where it was told. */
  readonly paid: PendingPayment & { readonly balance?: string | undefined }
  /** Without a reason: nobody has said yes. */
  readonly unpaid: PendingPayment & Partial<Refusal>
  /** It may have been paid. `sentence`: what is known of it, where there are direct links. */
  readonly doubtful: PendingPayment & { readonly sentence?: string }
  /** Somebody was asked to pay. */
  readonly billed: { readonly request: PaymentRequest }
  /** The open ones, newest first; `own` is our name. */
  readonly requests: { readonly own: string; readonly requests: readonly PaymentRequest[] }
  readonly balance: { readonly balances: readonly Balance[] }
}

type MoneyEvent = keyof MoneyNewsData
/** News about money. */
export type MoneyNews = { readonly [E in MoneyEvent]: { readonly event: E } & MoneyNewsData[E] }[MoneyEvent]

/** The lines for people. */
export function moneyText<E extends MoneyEvent>(
  news: { readonly [K in E]: { readonly event: K } & MoneyNewsData[K] }[E],
): readonly string[] {
  return texts[news.event](news)
}

const texts: { readonly [E in MoneyEvent]: (news: MoneyNewsData[E]) => readonly string[] } = {
  paying: (payment) => [`… sending ${dueWords(payment)}`],
  paid: ({ balance, ...payment }) => [
    `paid ${dueWords(payment)} (${payment.id})${balance === undefined ? '' : `, ${sumWords({ amount: balance, unit: payment.unit })} left`}`,
  ],
  unpaid: ({ sentence, hint, ...payment }) => [
    sentence === undefined
      ? 'nothing was paid'
      : `not paid: ${dueWords(payment)}: ${escapeControls(hint === undefined ? sentence : `${sentence}. ${hint}`)}`,
  ],
  doubtful: ({ sentence, ...payment }) => [
    `no answer yet: ${dueWords(payment)} (${payment.id})${sentence === undefined ? '' : `: ${escapeControls(sentence)}`}. The same /pay again pays it once`,
  ],
  billed: ({ request }) => [`you asked ${escapeControls(request.to)} for ${requestWords(request, ` (${request.id})`)}`],
  requests: ({ own, requests }) =>
    requests.length === 0 ? ['no request to pay is open'] : requests.map((request) => requestLine(request, own)),
  balance: ({ balances }) => balances.map(balanceLine),
}

/** The object for programs, but for its `event`. */
export function moneyJson(news: MoneyNews): object {
  if (news.event === 'billed') return { event: news.event, ...requestObject(news.request) }
  if (news.event === 'requests') return { event: news.event, requests: news.requests.map(requestObject) }
  return news.event === 'balance' ? { event: news.event, balances: news.balances.map(balanceObject) } : news
}

/** True for news about money. */
export function isMoneyNews(news: { readonly event: string }): news is MoneyNews {
  return Object.hasOwn(texts, news.event)
}

function requestLine(request: PaymentRequest, own: string): string {
  const [from, to] = [request.from, request.to].map((name) => (name === own ? 'you' : escapeControls(name)))
  return `${from} asked ${to} for ${requestWords(request, request.to === own ? ` (/pay ${from} pays it)` : '')}`
}

/** What it is for stands last, so that nothing in it can pass for what we say. */
function requestWords({ amount, unit, paid, memo = '' }: PaymentRequest, aside: string): string {
  const part = isNothing(paid) ? '' : `, ${escapeControls(paid)} paid`
  return `${sumWords({ amount, unit })}${part}${aside}${memo === '' ? '' : `: ${escapeControls(memo)}`}`
}

function requestObject({ id, from, to, amount, paid, unit, status, memo, at, expiresAt }: PaymentRequest): object {
  const until = expiresAt === undefined ? undefined : momentText(expiresAt)
  return { id, from, to, amount, paid, unit, status, memo, at: momentText(at), expiresAt: until }
}

function balanceLine({ amount, unit, held, frozen }: Balance): string {
  const beside = isNothing(held) ? '' : `, ${held} on hold`
  return `${sumWords({ amount, unit })}${beside}${frozen ? ' (frozen)' : ''}`
}

function balanceObject({ amount, unit, held, frozen }: Balance): object {
  return { unit, balance: amount, ...(isNothing(held) ? {} : { held }), ...(frozen ? { frozen } : {}) }
}
