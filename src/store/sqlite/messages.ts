// What the store and its worker say to each other. Errors travel as their code and sentence: a thrown object would lose
// its class on the way, and nobody may recognise an error by its text.

import { inspect } from 'node:util'
import { type Code, SealwireError } from '../../protocol/errors.ts'
import type { Delivery, Posted } from '../delivery.ts'
import type { Outcome, Request, StoreLimits } from '../store.ts'
import type { Presence } from './database.ts'
import { type AnswerColumns, packAnswers, unpackAnswers } from './packed-answers.ts'
import { type OrderColumns, packOrders, unpackOrders } from './packed-orders.ts'
import { isPlainPosted, type PackedGroup, packGroup, packPosted, type PostedColumns, unpackGroup, unpackPosted } from './packed-posts.ts'

/** What a worker is started with. */
export interface WorkerSetup {
  readonly location: string
  readonly limits: StoreLimits
  readonly presence: Presence
}

export type ToWorker = { readonly name: 'execute'; readonly group: SentGroup } | { readonly name: 'close' }

/** A worker says `ready` or `refused` once; then one `executed` for each group. It answers `close` by ending. */
export type FromWorker =
  | { readonly name: 'ready' }
  | { readonly name: 'refused'; readonly error: SentError; readonly detail: string }
  | ({ readonly name: 'executed'; readonly troubles: readonly Trouble[] } & SentAnswers)

/** `others`: the group without the orders. */
export interface SentGroup {
  readonly orders?: OrderColumns
  readonly others: PackedGroup
}

/** What is not in `answers`. */
export interface SentAnswers extends SentOutcomes {
  readonly answers?: AnswerColumns
}

/** `null` where the next one of the columns belongs. */
export interface SentOutcomes {
  readonly outcomes: readonly (SentOutcome | null)[]
  readonly posted: PostedColumns
}

/** `deliveries`: those of the value, when there are many: account and place by turns. As objects they take several times as long. */
export type SentOutcome = { readonly value: unknown; readonly deliveries?: BigInt64Array } | { readonly error: SentError }

export interface SentError {
  readonly code: Code
  readonly sentence: string
  readonly hint: string | undefined
}

/** A failure that the operator must hear of: its code and what caused it, for the log. */
export interface Trouble {
  readonly code: Code
  readonly detail: string
}

/** What {@link receiveGroup} makes the same group of. */
export function sendGroup(group: readonly Request[]): SentGroup {
  const { others, ...orders } = packOrders(group)
  return { ...orders, others: packGroup(others) }
}

export function receiveGroup({ orders, others }: SentGroup): readonly Request[] {
  const requests = unpackGroup(others)
  return orders === undefined ? requests : unpackOrders(orders, requests)
}

/** What {@link receiveAnswers} makes the same answers to `group` of. */
export function sendAnswers(group: readonly Request[], outcomes: readonly Outcome[]): SentAnswers {
  const { others, ...answers } = packAnswers(group, outcomes)
  return { ...answers, ...sendOutcomes(others) }
}

export function receiveAnswers(group: readonly Request[], { answers, ...others }: SentAnswers): readonly Outcome[] {
  const outcomes = receiveOutcomes(others)
  return answers === undefined ? outcomes : unpackAnswers(group, answers, outcomes)
}

/** What {@link receiveOutcomes} makes the same answers of. */
export function sendOutcomes(outcomes: readonly Outcome[]): SentOutcomes {
  const plain: Posted[] = []
  const sent = outcomes.map((outcome) => {
    if ('error' in outcome || !isPlainPosted(outcome.value)) return sendOutcome(outcome)
    plain.push(outcome.value)
    return null
  })
  return { outcomes: sent, posted: packPosted(plain) }
}

export function receiveOutcomes({ outcomes, posted }: SentOutcomes): readonly Outcome[] {
  let next = 0
  return outcomes.map((outcome) => (outcome === null ? { value: unpackPosted(posted, next++) } : receiveOutcome(outcome)))
}

export function sendOutcome(outcome: Outcome): SentOutcome {
  if ('error' in outcome) return { error: sendError(outcome.error) }
  const { value } = outcome
  if (!hasDeliveries(value) || value.deliveries.length < packedMin) return { value }
  const { deliveries, ...rest } = value
  return { value: rest, deliveries: packed(deliveries) }
}

export function receiveOutcome(outcome: SentOutcome): Outcome {
  if ('error' in outcome) return { error: receiveError(outcome.error) }
  const { value, deliveries } = outcome
  return deliveries === undefined ? { value } : { value: { ...(value as object), deliveries: unpacked(deliveries) } }
}

function hasDeliveries(value: unknown): value is Pick<Posted, 'deliveries'> {
  return typeof value === 'object' && value !== null && 'deliveries' in value && Array.isArray(value.deliveries)
}

function packed(deliveries: readonly Delivery[]): BigInt64Array {
  const numbers = new BigInt64Array(2 * deliveries.length)
  for (const [index, { accountId, inboxSeq }] of deliveries.entries()) {
    numbers[2 * index] = accountId
    numbers[2 * index + 1] = inboxSeq
  }
  return numbers
}

function unpacked(numbers: BigInt64Array): readonly Delivery[] {
  const deliveries: Delivery[] = []
  for (let at = 0; at + 1 < numbers.length; at += 2) deliveries.push({ accountId: numbers[at] ?? 0n, inboxSeq: numbers[at + 1] ?? 0n })
  return deliveries
}

/** Fewer are not worth it. */
const packedMin = 32

export function sendError({ code, sentence, hint }: SealwireError): SentError {
  return { code, sentence, hint }
}

/** The error as the other thread raised it; of its cause there is a description at most. */
export function receiveError({ code, sentence, hint }: SentError, detail?: string): SealwireError {
  return new SealwireError(code, sentence, { cause: detail, ...(hint === undefined ? {} : { hint }) })
}

/** Refusals have no cause; what has one is a failure. A failure of a whole group is told once. */
export function troublesOf(outcomes: readonly Outcome[]): readonly Trouble[] {
  const failures = new Set<SealwireError>()
  for (const outcome of outcomes) {
    if ('error' in outcome && outcome.error.cause !== undefined) failures.add(outcome.error)
  }
  return [...failures].map(({ code, cause }) => ({ code, detail: inspect(cause) }))
}
