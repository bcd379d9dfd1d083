// room.*: conversations of more than two.

import type { Result } from '../../protocol/contract/index.ts'
import { limitTable, SealwireError } from '../../protocol/index.ts'
import type { Actor, Entrance, SeenMember } from '../rooms.ts'
import type { AccountCall, Call } from './call.ts'

type RoomMethod = 'room.create' | 'room.update' | 'room.invite' | 'room.link' | 'room.join' | 'room.leave' | 'room.remove' | 'room.role'

export async function create({ params, ...call }: Call<'room.create'>): Promise<Result<'room.create'>> {
  const { id, title, topic = '', announcement = false, history = 'joined' } = params
  const conversation = await call.server.rooms.create(actorOf(call), id, { title, topic, announcement, history })
  return { conversation: Number(conversation) }
}

export async function update({ params, ...call }: Call<'room.update'>): Promise<Result<'room.update'>> {
  const { conversation, ...traits } = params
  if (Object.keys(traits).length === 0) throw new SealwireError('malformed', 'room.update changes nothing')
  return posted(await call.server.rooms.update(actorOf(call), BigInt(conversation), traits))
}

export async function invite({ params, ...call }: Call<'room.invite'>): Promise<Result<'room.invite'>> {
  const { rooms, accounts } = call.server
  return posted(await rooms.invite(actorOf(call), BigInt(params.conversation), accounts.keyOf(params.name)))
}

export async function link({ params, ...call }: Call<'room.link'>): Promise<Result<'room.link'>> {
  const { conversation, uses = linkUses, livesMs = linkLivesMs } = params
  return call.server.rooms.link(actorOf(call), BigInt(conversation), { uses, livesMs })
}

export async function join({ params, ...call }: Call<'room.join'>): Promise<Result<'room.join'>> {
  const { conversationId, seq } = await call.server.rooms.join(actorOf(call), entranceOf(params))
  return { conversation: Number(conversationId), seq: Number(seq) }
}

export async function leave({ params, ...call }: Call<'room.leave'>): Promise<Result<'room.leave'>> {
  await call.server.rooms.leave(actorOf(call), BigInt(params.conversation))
  return {}
}

export async function remove({ params, ...call }: Call<'room.remove'>): Promise<Result<'room.remove'>> {
  const { rooms, accounts } = call.server
  return posted(await rooms.remove(actorOf(call), BigInt(params.conversation), accounts.keyOf(params.name)))
}

export async function role({ params, ...call }: Call<'room.role'>): Promise<Result<'room.role'>> {
  const { rooms, accounts } = call.server
  return posted(await rooms.giveRole(actorOf(call), BigInt(params.conversation), accounts.keyOf(params.name), params.role))
}

export async function members({ account, params, server }: Call<'room.members'>): Promise<Result<'room.members'>> {
  const after = params.after === undefined ? '' : server.accounts.keyOf(params.after)
  const page = await server.rooms.members(account, BigInt(params.conversation), { after, max: membersMax + 1 })
  return { members: page.slice(0, membersMax).map(listed), more: page.length > membersMax }
}

function actorOf({ account }: Pick<AccountCall<RoomMethod>, 'account'>): Actor {
  return { account, device: account.device }
}

function entranceOf({ conversation, secret }: Call<'room.join'>['params']): Entrance {
  if (conversation !== undefined && secret === undefined) return { conversationId: BigInt(conversation) }
  if (secret !== undefined && conversation === undefined) return { secret }
  throw new SealwireError('malformed', 'room.join takes a conversation or a secret')
}

function listed({ account, role: hasRole, since, invited, here }: SeenMember) {
  return { name: account.name, role: hasRole, since: Number(since), ...(invited ? { invited } : {}), ...(here === true ? { here } : {}) }
}

function posted(seq: bigint): { readonly seq: number } {
  return { seq: Number(seq) }
}

/** As many of the longest names as one frame holds. */
const membersMax = limitTable.roomMembersPageMax.value
const linkUses = 100
const linkLivesMs = 7 * 24 * 60 * 60 * 1_000
