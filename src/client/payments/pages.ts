// What is told of money page by page, newest first.

import type { Params, Result } from '../../protocol/contract/index.ts'
import type { CallOptions } from '../calls.ts'
import { type PaymentRequest, readLine, readRequest, readTransfer, type StatementLine, type Transfer } from './results.ts'

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

type Ask<M extends 'payment.holds' | 'payment.requests' | 'payment.statement'> = (params: Params<M>) => Promise<Result<M>>

export async function* requestPages(
  ask: Ask<'payment.requests'>,
  { all = false }: RequestsOptions,
): AsyncGenerator<PaymentRequest, void, undefined> {
  for await (const requests of rawRequestPages(ask, !all)) for (const request of requests) yield readRequest(request)
}

/** The same as the server says it, a page at a time. */
export async function* rawRequestPages(
  ask: Ask<'payment.requests'>,
  open: boolean,
): AsyncGenerator<readonly Result<'payment.request'>[], void, undefined> {
  for (let last: Result<'payment.request'> | undefined; ; ) {
    const { requests, more } = await ask({ open, ...(last === undefined ? {} : { before: last.at, beforeId: last.id }) })
    yield requests
    last = requests.at(-1)
    if (!more || last === undefined) return
  }
}

export async function* holdPages(ask: Ask<'payment.holds'>): AsyncGenerator<Transfer, void, undefined> {
  for await (const holds of rawHoldPages(ask)) for (const hold of holds) yield readTransfer(hold)
}

/** The same as the server says it, a page at a time. */
export async function* rawHoldPages(ask: Ask<'payment.holds'>): AsyncGenerator<Result<'payment.holds'>['holds'], void, undefined> {
  for (let place: number | undefined; ; ) {
    const { holds, more } = await ask(place === undefined ? {} : { before: place })
    yield holds
    place = holds.at(-1)?.posting
    if (!more || place === undefined) return
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
