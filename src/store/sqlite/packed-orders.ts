// The orders of a group on their way to the worker as columns of numbers and bytes, as packed-posts.ts has messages: as objects they
// take thirty times as long to cross. Plain is a payment that pays no request and has one message at most; others go as they are.

import type { PayOrder } from '../../protocol/contract/order.ts'
import type { LedgerMessage, LedgerOrder } from '../ledger.ts'
import type { Request } from '../store.ts'
import { present, putBack, TextTable } from './columns.ts'

/** Plain orders, one after the other. */
export interface OrderColumns {
  /** Where each stands in its group, ascending. */
  readonly places: Uint32Array
  /** Payer, payee, amount, expiry, moment, whom the message is for: 0 for none. */
  readonly numbers: BigInt64Array
  /** Server, id, hash of the memo, key. */
  readonly marks: Uint8Array
  /** What was signed, then the body of the message. */
  readonly bytes: Uint8Array
  /** Where each of both ends. */
  readonly ends: Uint32Array
  /** Unit, memo, device, type of the message: places in `texts`, 0 for none. */
  readonly words: Uint32Array
  readonly texts: readonly (string | undefined)[]
}

type OrderRequest = Request<'ledger.order'>
/** A payment with what may come beside it. */
export type PlainOrder = LedgerOrder & { readonly order: PayOrder; readonly messages: readonly LedgerMessage[] }

/** Takes the plain orders out of a group; {@link unpackOrders} puts them back. */
export function packOrders(group: readonly Request[]): { readonly orders?: OrderColumns; readonly others: readonly Request[] } {
  if (!group.some(({ name }) => name === 'ledger.order')) return { others: group }
  const places: number[] = []
  const plain: PlainOrder[] = []
  const others = group.filter((request, place) => {
    if (!isPlainOrder(request)) return true
    places.push(place)
    plain.push(request.input)
    return false
  })
  if (plain.length < packedMin) return { others: group }
  return { orders: { places: Uint32Array.from(places), ...columnsOf(plain) }, others }
}

/** The group that {@link packOrders} was given. */
export function unpackOrders(columns: OrderColumns, others: readonly Request[]): readonly Request[] {
  return putBack(columns.places, others, (index): OrderRequest => ({ name: 'ledger.order', input: orderAt(columns, index) }))
}

/** Whether columns have a place for all that it says. */
export function isPlainOrder(request: Request | undefined): request is OrderRequest & { readonly input: PlainOrder } {
  if (!isPayOrder(request)) return false
  const { order, key, memos, request: paid, messages, viewerId } = request.input
  if (memos !== undefined || paid !== undefined || messages.length > 1 || viewerId !== undefined) return false
  const { server, id, memoHash, payer, payee, amount, expiresAt } = order
  const hasMarks = server.length === idBytes && id.length === idBytes && memoHash.length === hashBytes && key.length === keyBytes
  const isFitting = payer < tooLarge && payee < tooLarge && amount < tooLarge && expiresAt < tooLarge
  return hasMarks && isFitting && messages.every((message) => isPlainMessage(message, id))
}

/** What every plain order is; of one that was found plain before, this is left to be seen. */
export function isPayOrder(request: Request | undefined): request is OrderRequest & { readonly input: PlainOrder } {
  return request?.name === 'ledger.order' && request.input.order.kind === 'pay' && request.input.messages !== undefined
}

/** It has the id of its order. */
function isPlainMessage({ id, peerId, data }: LedgerMessage, orderId: Uint8Array): boolean {
  return data === undefined && peerId > 0n && Buffer.compare(id, orderId) === 0
}

function columnsOf(all: readonly PlainOrder[]): Omit<OrderColumns, 'places'> {
  const [numbers, marks] = [new BigInt64Array(all.length * numbersWidth), new Uint8Array(all.length * marksWidth)]
  const bytes = new Uint8Array(all.reduce((sum, { signed, messages }) => sum + signed.length + (messages[0]?.body.length ?? 0), 0))
  const [ends, words, texts] = [new Uint32Array(all.length * 2), new Uint32Array(all.length * wordsWidth), new TextTable()]
  let end = 0
  for (const [index, { order, signed, key, memo, messages, device, at }] of all.entries()) {
    const [message] = messages
    numbers.set([order.payer, order.payee, order.amount, order.expiresAt, at, message?.peerId ?? 0n], index * numbersWidth)
    marks.set(order.server, index * marksWidth)
    marks.set(order.id, index * marksWidth + idAt)
    marks.set(order.memoHash, index * marksWidth + hashAt)
    marks.set(key, index * marksWidth + keyAt)
    bytes.set(signed, end)
    ends[index * 2] = end += signed.length
    if (message !== undefined) bytes.set(message.body, end)
    ends[index * 2 + 1] = end += message?.body.length ?? 0
    words.set([texts.place(order.unit), texts.place(memo), texts.place(device), texts.place(message?.type)], index * wordsWidth)
  }
  return { numbers, marks, bytes, ends, words, texts: texts.all }
}

function orderAt({ numbers, marks, bytes, ends, words, texts }: OrderColumns, index: number): PlainOrder {
  const mark = (from: number, until: number) => marks.subarray(index * marksWidth + from, index * marksWidth + until)
  const number = (which: number) => present(numbers[index * numbersWidth + which])
  const word = (which: number) => texts[present(words[index * wordsWidth + which])]
  const [from = 0, middle, end] = [ends[index * 2 - 1], ends[index * 2], ends[index * 2 + 1]]
  const [id, peerId] = [mark(idAt, hashAt), number(5)]
  return {
    order: {
      ...{ kind: 'pay', server: mark(0, idAt), payer: number(0), payee: number(1), unit: present(word(0)), amount: number(2), id },
      ...{ expiresAt: number(3), memoHash: mark(hashAt, keyAt) },
    },
    ...{ signed: bytes.subarray(from, middle), key: mark(keyAt, marksWidth), memo: word(1), memos: undefined, request: undefined },
    messages: peerId === 0n ? [] : [{ peerId, id, type: present(word(3)), body: bytes.subarray(middle, end) }],
    ...{ device: word(2), at: number(4) },
  }
}

/** Fewer are not worth it. */
const packedMin = 2
const [idBytes, hashBytes, keyBytes] = [16, 32, 32]
const [idAt, hashAt, keyAt, marksWidth] = [16, 32, 64, 96]
const [numbersWidth, wordsWidth] = [6, 4]
/** For a column of numbers. */
const tooLarge = 2n ** 63n
