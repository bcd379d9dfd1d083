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

/** Plain messages, one after the other. */
export interface PostColumns {
  /** Account, moment, conversation, peer; 0 for none. */
  readonly numbers: BigInt64Array
  /** 16 bytes each. */
  readonly ids: Uint8Array
  readonly bodies: Uint8Array
  /** Where each body ends. */
  readonly ends: Uint32Array
  /** Device and type: places in `texts`, 0 for none. */
  readonly words: Uint32Array
  readonly texts: readonly (string | undefined)[]
}

/** Of each plain answer: conversation, place, moment, then account and place in its inbox; 0 for none. */
export type PostedColumns = BigInt64Array

type PostRequest = Request<'entry.post'>
type PlainEntry = NewEntry & { readonly type: string; readonly body: Uint8Array }

/** What {@link unpackGroup} makes the same group of. */
export function packGroup(group: readonly Request[]): PackedGroup {
  const plain = group.filter(isPlain)
  if (plain.length < packedMin) return { requests: group, posts: undefined }
  return { requests: group.map((request) => (isPlain(request) ? null : request)), posts: columnsOf(plain.map(({ input }) => input)) }
}

export function unpackGroup({ requests, posts }: PackedGroup): readonly Request[] {
  if (posts === undefined) return requests.filter((request) => request !== null)
  let next = 0
  return requests.map((request) => request ?? { name: 'entry.post', input: entryAt(posts, next++) })
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
    columns.set([conversationId, seq, at, delivery?.accountId ?? 0n, delivery?.inboxSeq ?? 0n], index * postedWidth)
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
  const numbers = new BigInt64Array(entries.length * numbersWidth)
  const ids = new Uint8Array(entries.length * idBytes)
  const ends = new Uint32Array(entries.length)
  const bodies = new Uint8Array(entries.reduce((sum, { body }) => sum + body.length, 0))
  const texts = new TextTable()
  const words = new Uint32Array(entries.length * wordsWidth)
  let end = 0
  for (const [index, { accountId, at, conversationId = 0n, peerId = 0n, id, body, device, type }] of entries.entries()) {
    numbers.set([accountId, at, conversationId, peerId], index * numbersWidth)
    ids.set(id, index * idBytes)
    bodies.set(body, end)
    ends[index] = end += body.length
    words[index * wordsWidth] = texts.place(device)
    words[index * wordsWidth + 1] = texts.place(type)
  }
  return { numbers, ids, bodies, ends, words, texts: texts.all }
}

function entryAt({ numbers, ids, bodies, ends, words, texts }: PostColumns, index: number): NewEntry {
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
