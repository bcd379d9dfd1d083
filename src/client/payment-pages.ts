// What is told of money page by page, newest first.

import type { Params, Result } from '../protocol/contract/index.ts'
import type { CallOptions } from './calls.ts'
import { formatMessageId } from './message-id.ts'
import { type PaymentRequest, readLine, readRequest, type StatementLine } from './payment-results.ts'

/** Which requests to pay. */
export interface RequestsOptions extends CallOptions {
  /** Those that are over, too. Default: only open ones. */
  readonly all?: boolean
}

/** Which part of a statement. */
export interface StatementOptions extends CallOptions {
  /** Only of this unit. */
  readonly unit?: string | undefined
  /** Postings before this number. Default: from the newest. */
  readonly before?: number | undefined
}

type Ask<M extends 'payment.requests' | 'payment.statement'> = (params: Params<M>) => Promise<Result<M>>

/** Requests of one moment may stand on two pages: the next page begins with that moment again, and what was told is left out. */
export async function* requestPages(
  ask: Ask<'payment.requests'>,
  { all = false }: RequestsOptions,
): AsyncGenerator<PaymentRequest, void, undefined> {
  let told = new Set<string>()
  for (let before: number | undefined; ; ) {
    const { requests, more } = await ask({ open: !all, ...(before === undefined ? {} : { before }) })
    const last = requests.at(-1)?.at
    const fresh = requests.filter(({ id }) => !told.has(formatMessageId(id)))
    for (const request of fresh) yield readRequest(request)
    if (!more || last === undefined) return
    told = new Set(requests.flatMap(({ at, id }) => (at === last ? [formatMessageId(id)] : [])))
    before = fresh.length > 0 ? last + 1 : last
  }
}

export async function* statementPages(
  ask: Ask<'payment.statement'>,
  { unit, before }: StatementOptions,
): AsyncGenerator<StatementLine, void, undefined> {
  for (let place = before; ; ) {
    const { lines, more } = await ask({ ...(unit === undefined ? {} : { unit }), ...(place === undefined ? {} : { before: place }) })
    for (const line of lines) yield readLine(line)
    place = lines.at(-1)?.posting
    if (!more || place === undefined) return
  }
}
