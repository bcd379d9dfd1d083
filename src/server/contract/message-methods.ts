// message.*, mark.read: what is said and changed, and what was said.

import type { Entry, Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { entryBytesOf, type Posted, type StoredEntry } from '../../store/index.ts'
import { plainText } from '../classic/chats.ts'
import { wireEntry } from '../messages/entry-event.ts'
import type { Said } from '../messages.ts'
import { type Answer, type Call, InStore } from './call.ts'
import { fitting, pageBytesMax } from './fitting.ts'

/** The hot path: where the other one is known and there is no file, nothing is waited for but the store. */
export function send(call: Call<'message.send'>): Answer<'message.send'> {
  const where = placeOf(call)
  if (where instanceof Promise) return where.then((found) => say(call, found)).then(sent)
  const posted = say(call, where)
  return call.params.file === undefined ? new InStore(posted, sent) : posted.then(sent)
}

function say({ account, params, server }: Call<'message.send'>, { conversationId, peerId }: Where): Promise<Posted> {
  const { id, body, type = plainText, replyTo, mentions, file } = params
  const more = replyTo === undefined && mentions === undefined ? undefined : { replyTo, mentions }
  const said = { conversationId, peerId, kind: 'message', id, type, body, more } as const
  const { messages } = server
  return file === undefined ? messages.post(account, said) : messages.postFile(account, { ...said, file })
}

/** In the order in which it is written: see plain-cbor.ts. */
function sent({ at, seq, conversationId }: Posted): Result<'message.send'> {
  return { at: Number(at), seq: Number(seq), conversation: Number(conversationId) }
}

export async function edit({ account, params, server }: Call<'message.edit'>): Promise<Result<'message.edit'>> {
  const { body, type = plainText } = params
  return placed(await server.messages.post(account, { ...change(params), kind: 'edit', type, body }))
}

/** A body that is deleted is deleted everywhere: the entry that says so is all that is pushed. */
export async function remove({ account, params, server }: Call<'message.delete'>): Promise<Result<'message.delete'>> {
  return placed(await server.messages.post(account, { ...change(params), kind: 'delete' }))
}

export async function react({ account, params, server }: Call<'message.react'>): Promise<Result<'message.react'>> {
  const { emoji, on } = params
  return placed(await server.messages.post(account, { ...change(params), kind: 'reaction', more: { emoji, on } }))
}

export async function pin({ account, params, server }: Call<'message.pin'>): Promise<Result<'message.pin'>> {
  return placed(await server.messages.post(account, { ...change(params), kind: 'pin', more: { on: params.on } }))
}

export async function history({ account, params, server }: Call<'message.history'>): Promise<Result<'message.history'>> {
  const { conversation, before, after, pinned } = params
  if (before !== undefined && after !== undefined) throw new SealwireError('malformed', 'message.history takes before or after')
  const { entries, more } = await server.conversations.history(account, {
    conversationId: BigInt(conversation),
    before: optional(before),
    after: optional(after),
    pinned,
    ...pageOf(params.max, server.limits.historyEntriesMax),
  })
  // What does not fit is left for the next page, which goes on from here in the same direction.
  const kept = after === undefined ? newestFitting(entries) : entries.slice(0, fitting(entries, entryBytesOf))
  return { entries: kept.map(wireEntry), more: more || kept.length < entries.length }
}

export async function search({ session, account, params, server }: Call<'message.search'>): Promise<Result<'message.search'>> {
  const { text, conversation, before, place } = params
  if (place !== undefined && before === undefined) throw new SealwireError('malformed', 'message.search takes place with before')
  const page = pageOf(params.max, server.limits.historyEntriesMax)
  const behind = place && { conversationId: BigInt(place.conversation), seq: BigInt(place.seq) }
  const wanted = { text, conversationId: optional(conversation), before: optional(before), place: behind, ...page }
  const { entries, more, upTo } = await server.conversations.search(account, wanted, { signal: session.speaker.signal })
  return { entries: entries.map(wireEntry), more, upTo: Number(upTo) }
}

export async function read({ account, params, server }: Call<'mark.read'>): Promise<Result<'mark.read'>> {
  const place = { conversationId: BigInt(params.conversation), seq: BigInt(params.seq) }
  return { readSeq: Number(await server.marks.read(account, place)) }
}

/** At once where nobody has to be looked up. @throws {SealwireError} `malformed` unless there is one of both. */
function placeOf({ account, params, server }: Call<'message.send'>): Where | Promise<Where> {
  const { conversation, to } = params
  if (conversation !== undefined && to === undefined) return { conversationId: BigInt(conversation) }
  if (to === undefined || conversation !== undefined) throw new SealwireError('malformed', 'message.send takes conversation or to')
  const peerId = server.names.idOf(account, to)
  return peerId instanceof Promise ? peerId.then((id) => ({ peerId: id })) : { peerId }
}

function change({ conversation, target, id }: Change): Pick<Said, 'conversationId' | 'target' | 'id'> {
  return { conversationId: BigInt(conversation), target: BigInt(target), id }
}

function placed({ seq, at }: Posted): { readonly seq: number; readonly at: number } {
  return { seq: Number(seq), at: Number(at) }
}

function pageOf(max = pageDefault, maxMax: number) {
  return { max: BigInt(Math.min(max, maxMax)), bytesMax: BigInt(pageBytesMax) }
}

function newestFitting(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  const count = fitting(entries.toReversed(), entryBytesOf)
  return entries.slice(entries.length - count)
}

function optional(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value)
}

type Where = Pick<Said, 'conversationId' | 'peerId'>
type Change = Pick<Entry, 'conversation' | 'id'> & { readonly target: number }

const pageDefault = 50
