// The answers to plain orders on their way back from the worker, as columns. Of what an order said itself nothing crosses again: it is
// taken from the order, and an answer that says anything else is not plain and goes as it is.

import { assert } from '../../protocol/errors.ts'
import type { Ordered } from '../ledger.ts'
import type { Outcome, Request } from '../store.ts'
import { present, putBack, TextTable } from './columns.ts'
import { isPayOrder, isPlainOrder, type PlainOrder } from './packed-orders.ts'
import { isPlainPosted, packPosted, type PostedColumns, unpackPosted } from './packed-posts.ts'

/** Plain answers, one after the other. */
export interface AnswerColumns {
  /** Where each stands in its group, ascending. */
  readonly places: Uint32Array
  /** Posting, decimals, balance. */
  readonly numbers: BigInt64Array
  /** Key and name of the payer and of the payee, as places in `texts`; 1 for a message that was stored. */
  readonly words: Uint32Array
  readonly texts: readonly (string | undefined)[]
  /** Of each message that was stored. */
  readonly posted: PostedColumns
}

/** Takes the plain answers out of those of a group; {@link unpackAnswers} puts them back. */
export function packAnswers(
  group: readonly Request[],
  outcomes: readonly Outcome[],
): { readonly answers?: AnswerColumns; readonly others: readonly Outcome[] } {
  const places: number[] = []
  const plain: Ordered[] = []
  const others = outcomes.filter((outcome, place) => {
    const ordered = plainAnswer(group[place], outcome)
    if (ordered === undefined) return true
    places.push(place)
    plain.push(ordered)
    return false
  })
  return places.length === 0 ? { others: outcomes } : { answers: { places: Uint32Array.from(places), ...columnsOf(plain) }, others }
}

/** The answers that {@link packAnswers} was given, to the same group. */
export function unpackAnswers(group: readonly Request[], columns: AnswerColumns, others: readonly Outcome[]): readonly Outcome[] {
  const { places, words } = columns
  let stored = 0
  return putBack(places, others, (index): Outcome => {
    const request = group[places[index] ?? group.length]
    assert(isPayOrder(request), 'a plain answer to another request')
    const posted = words[index * wordsWidth + storedAt] === 1 ? [unpackPosted(columns.posted, stored++)] : []
    return { value: answerAt(columns, index, request.input, posted) }
  })
}

/** What an answer says when it is to a plain order and says of it what the order said. */
function plainAnswer(request: Request | undefined, outcome: Outcome): Ordered | undefined {
  if (!isPlainOrder(request) || !('value' in outcome)) return undefined
  const { order, memo, at } = request.input
  // The step that the request names has answered.
  const ordered = outcome.value as Ordered
  const { transfer, repeated, posted, changed, request: paid } = ordered
  const { signerId, id, kind, status, unit, amount, payer, payee, parts, captured, refunded, expiresAt, original } = transfer
  const isNew = !repeated && changed === undefined && paid === undefined && transfer.at === at && transfer.memo === memo
  const isPayment = kind === 'pay' && status === 'posted' && captured === 0n && refunded === 0n && parts.length === 0
  const isSaid = signerId === order.payer && unit === order.unit && amount === order.amount && Buffer.compare(id, order.id) === 0
  const isBetween = payer?.id === order.payer && payee?.id === order.payee && expiresAt === undefined && original === undefined
  const isShort = posted.length === 0 || (posted.length === 1 && isPlainPosted(posted[0]))
  return isNew && isPayment && isSaid && isBetween && isShort ? ordered : undefined
}

function columnsOf(all: readonly Ordered[]): Omit<AnswerColumns, 'places'> {
  const [numbers, words] = [new BigInt64Array(all.length * numbersWidth), new Uint32Array(all.length * wordsWidth)]
  const texts = new TextTable()
  for (const [index, { transfer, balance, posted }] of all.entries()) {
    const { posting, decimals, payer, payee } = transfer
    numbers.set([posting, decimals, balance], index * numbersWidth)
    const people = [texts.place(payer?.key), texts.place(payer?.name), texts.place(payee?.key), texts.place(payee?.name)]
    words.set([...people, posted.length], index * wordsWidth)
  }
  return { numbers, words, texts: texts.all, posted: packPosted(all.flatMap(({ posted }) => posted)) }
}

function answerAt({ numbers, words, texts }: AnswerColumns, index: number, input: PlainOrder, posted: Ordered['posted']): Ordered {
  const { order, memo, at } = input
  const { kind, id, unit, amount, payer: signerId } = order
  const number = (which: number) => present(numbers[index * numbersWidth + which])
  const word = (which: number) => present(texts[words[index * wordsWidth + which] ?? 0])
  const people = { payer: { id: signerId, key: word(0), name: word(1) }, payee: { id: order.payee, key: word(2), name: word(3) } }
  const [expiresAt, original, changed, request] = [undefined, undefined, undefined, undefined]
  const made = { signerId, id, kind, unit, decimals: number(1), amount, ...people, memo, at, posting: number(0) }
  const transfer = { ...made, parts: [], expiresAt, original, status: 'posted', captured: 0n, refunded: 0n } as const
  return { transfer, balance: number(2), repeated: false, posted, changed, request }
}

const [numbersWidth, wordsWidth, storedAt] = [3, 5, 4]
