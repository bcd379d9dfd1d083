// conversation.*, presence.typing: what there is to talk in, and who is about to.

import type { ConversationInfo, Result } from '../../protocol/contract/index.ts'
import { limitTable, SealwireError } from '../../protocol/index.ts'
import type { SeenConversation } from '../messages/conversations.ts'
import type { AccountCall, Call } from './call.ts'
import { fitting } from './fitting.ts'

export async function list({ account, params, server }: Call<'conversation.list'>): Promise<Result<'conversation.list'>> {
  const rows = await server.conversations.page(account, BigInt(params.after ?? 0), BigInt(pageMax + 1))
  const kept = rows.slice(0, Math.min(pageMax, fitting(rows, bytesOf)))
  return { conversations: kept.map(listed), more: kept.length < rows.length }
}

export async function find({ params, ...call }: Call<'conversation.find'>): Promise<Result<'conversation.find'>> {
  return listed(await call.server.conversations.find(call.account, await which(call, params)))
}

export async function retain({ account, params, server }: Call<'conversation.retain'>): Promise<Result<'conversation.retain'>> {
  const { conversation, retentionMs } = params
  const kept = retentionMs === undefined ? undefined : BigInt(retentionMs)
  const { entries, bytes } = await server.conversations.retain(account, BigInt(conversation), kept)
  return { entries: Number(entries), freedBytes: Number(bytes) }
}

export async function typing({ account, params, server }: Call<'presence.typing'>): Promise<Result<'presence.typing'>> {
  await server.marks.typing(account, BigInt(params.conversation))
  return {}
}

async function which({ account, server }: Caller, { conversation, name }: Call<'conversation.find'>['params']) {
  if (conversation !== undefined && name === undefined) return { id: BigInt(conversation) }
  if (name !== undefined && conversation === undefined) return { peerId: await server.names.idOf(account, name) }
  throw new SealwireError('malformed', 'conversation.find takes conversation or name')
}

function listed(seen: SeenConversation): ConversationInfo {
  const { id, kind, peer, state, members, lastSeq, firstSeq, readSeq, peerDeliveredSeq, peerReadSeq, retentionMs } = seen
  return {
    ...{ conversation: Number(id), kind, name: peer?.name, state, members: Number(members) },
    ...(kind === 'room' ? roomOf(seen) : {}),
    ...{ lastSeq: Number(lastSeq), firstSeq: Number(firstSeq), readSeq: Number(readSeq) },
    ...{ peerDeliveredSeq: optional(peerDeliveredSeq), peerReadSeq: optional(peerReadSeq), retentionMs: optional(retentionMs) },
  }
}

function roomOf({ title, topic, announcement, history, role }: SeenConversation) {
  return { title, topic, announcement, history, role }
}

function optional(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}

/** At most: a character takes three bytes of UTF-8 for each unit of UTF-16. */
function bytesOf({ peer, title = '', topic = '' }: SeenConversation): number {
  return rowBytes + ((peer?.name ?? '').length + title.length + topic.length) * 3
}

type Caller = Pick<AccountCall<'conversation.find'>, 'account' | 'server'>

const pageMax = limitTable.conversationsPageMax.value
/** Keys and numbers of one conversation. */
const rowBytes = 320
