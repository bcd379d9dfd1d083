// The messages of a group on their way to the worker, and its answers on their way back, as columns of numbers and bytes. As objects
// they take several times as long to cross, and they are most of what crosses. What a plain message does not have goes as it is.

import type { NewEntry, Posted } from '../delivery.ts'
import type { Request } from '../store.ts'
import { present, TextTable } from './columns.ts'

/** A group between threads: `null` where the next one of the columns belongs. */
export interface PackedGroup {
  readonly requests: readonly (Request | null)[]
  readonly posts: PostColumns | undefined
}

/** Plain messages: all their columns in one buffer, which is handed over without a copy. */
export interface PostColumns {
  readonly count: number
  readonly buffer: ArrayBuffer
  readonly texts: readonly (string | undefined)[]
}

/** What is in the buffer, one after the other. */
interface PostViews {
  /** Account, moment, conversation, peer; 0 for none. */
  readonly numbers: BigInt64Array
  /** Where each body ends. */
  readonly ends: Uint32Array
  /** Device and type: places in `texts`, 0 for none. */
  readonly words: Uint32Array
  /** 16 bytes each. */
  readonly ids: Uint8Array
  readonly bodies: Uint8Array
}

/** Of each plain answer: conversation, place, moment, then account and place in its inbox; 0 for none. */
export type PostedColumns = BigInt64Array

type PostRequest = Request<'entry.post'>
type PlainEntry = NewEntry & { readonly type: string; readonly body: Uint8Array }

/** What {@link unpackGroup} makes the same group of. */
export function packGroup(group: readonly Request[]): PackedGroup {
  const plain: PlainEntry[] = []
  const requests = group.map((request) => {
    if (!isPlain(request)) return request
    plain.push(request.input)
    return null
  })
  return plain.length < packedMin ? { requests: group, posts: undefined } : { requests, posts: columnsOf(plain) }
}

export function unpackGroup({ requests, posts }: PackedGroup): readonly Request[] {
  if (posts === undefined) return requests.filter((request) => request !== null)
  const views = viewsOf(posts.count, posts.buffer)
  let next = 0
  return requests.map((request) => request ?? { name: 'entry.post', input: entryAt(views, posts.texts, next++) })
}

/** What an answer is in its columns; false when it has something that they have no place for. */
export function isPlainPosted(value: unknown): value is Posted {
  if (typeof value !== 'object' || value === null || !('repeated' in value) || !('deliveries' in value)) return false
  const isFew = Array.isArray(value.deliveries) && value.deliveries.length <= 1
  return value.repeated === false && isFew && Object.keys(value).length === postedWidth
}

export function packPosted(all: readonly Posted[]): PostedColumns {
  const columns = new BigInt64Array(all.length * postedWidth)
  for (const [index, { conversationId, seq, at, deliveries }] of all.entries()) {
    const [delivery] = deliveries
    const place = index * postedWidth
    columns[place] = conversationId
    columns[place + 1] = seq
    columns[place + 2] = at
    columns[place + 3] = delivery?.accountId ?? 0n
    columns[place + 4] = delivery?.inboxSeq ?? 0n
  }
  return columns
}

export function unpackPosted(columns: PostedColumns, index: number): Posted {
  const at = index * postedWidth
  const [accountId, inboxSeq] = [number(columns, at + 3), number(columns, at + 4)]
  const deliveries = accountId === 0n ? [] : [{ accountId, inboxSeq }]
  return { conversationId: number(columns, at), seq: number(columns, at + 1), at: number(columns, at + 2), repeated: false, deliveries }
}

function isPlain(request: Request): request is PostRequest & { readonly input: PlainEntry } {
  if (request.name !== 'entry.post') return false
  const { kind, id, type, body, target, data, file } = request.input
  const hasMore = target !== undefined || data !== undefined || file !== undefined
  return kind === 'message' && id.length === idBytes && type !== undefined && body !== undefined && !hasMore
}

function columnsOf(entries: readonly PlainEntry[]): PostColumns {
  const count = entries.length
  const buffer = new ArrayBuffer(entries.reduce((sum, { body }) => sum + body.length, count * fixedBytes))
  const { numbers, ends, words, ids, bodies } = viewsOf(count, buffer)
  const texts = new TextTable()
  let end = 0
  for (const [index, { accountId, at, conversationId = 0n, peerId = 0n, id, body, device, type }] of entries.entries()) {
    const place = index * numbersWidth
    numbers[place] = accountId
    numbers[place + 1] = at
    numbers[place + 2] = conversationId
    numbers[place + 3] = peerId
    ids.set(id, index * idBytes)
    bodies.set(body, end)
    ends[index] = end += body.length
    words[index * wordsWidth] = texts.place(device)
    words[index * wordsWidth + 1] = texts.place(type)
  }
  return { count, buffer, texts: texts.all }
}

/** The widest first: each begins where it may. */
function viewsOf(count: number, buffer: ArrayBuffer): PostViews {
  const numbers = new BigInt64Array(buffer, 0, count * numbersWidth)
  const ends = new Uint32Array(buffer, numbers.byteLength, count)
  const words = new Uint32Array(buffer, ends.byteOffset + ends.byteLength, count * wordsWidth)
  const ids = new Uint8Array(buffer, words.byteOffset + words.byteLength, count * idBytes)
  return { numbers, ends, words, ids, bodies: new Uint8Array(buffer, count * fixedBytes) }
}

function entryAt({ numbers, ids, bodies, ends, words }: PostViews, texts: PostColumns['texts'], index: number): NewEntry {
  const at = index * numbersWidth
  const [device, type] = [texts[present(words[index * wordsWidth])], texts[present(words[index * wordsWidth + 1])]]
  return {
    accountId: number(numbers, at),
    at: number(numbers, at + 1),
    conversationId: number(numbers, at + 2) || undefined,
    peerId: number(numbers, at + 3) || undefined,
    device,
    kind: 'message',
    id: ids.subarray(index * idBytes, (index + 1) * idBytes),
    type,
    body: bodies.subarray(ends[index - 1] ?? 0, ends[index]),
  }
}

function number(columns: BigInt64Array, at: number): bigint {
  return present(columns[at])
}

/** Fewer are not worth it. */
const packedMin = 4
const idBytes = 16
const [numbersWidth, wordsWidth, postedWidth] = [4, 2, 5]
/** Of a message, beside its body. */
const fixedBytes = numbersWidth * 8 + 4 + wordsWidth * 4 + idBytes
