// chat.*: the contract's way into the chats that both dialects share. All of it answers in the same turn.

import type { Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { type Delivery, plainText } from '../chats.ts'
import type { Call } from './call.ts'

export function request({ account, params, server }: Call<'chat.request'>): Result<'chat.request'> {
  const { name } = server.chats.request(account, server.accounts.keyOf(params.name))
  return { name }
}

export function accept({ account, server }: Call<'chat.accept'>): Result<'chat.accept'> {
  if (!server.chats.accept(account)) throw noRequest()
  return {}
}

export function decline({ account, server }: Call<'chat.decline'>): Result<'chat.decline'> {
  if (!server.chats.decline(account)) throw noRequest()
  return {}
}

export function leave({ account, server }: Call<'chat.leave'>): Result<'chat.leave'> {
  server.chats.leave(account)
  return {}
}

/** The hot path: from the decoded request to the peer's output. */
export function say({ account, params, server }: Call<'chat.say'>): Result<'chat.say'> {
  const delivery = server.chats.say(account, params.body, params.type ?? plainText)
  if (delivery === 'handed_over') return {}
  if (delivery === undefined) throw new SealwireError('not_in_chat', 'you are in no chat')
  throw new SealwireError(delivery, undelivered[delivery])
}

const undelivered: Readonly<Record<Exclude<Delivery, 'handed_over'>, string>> = {
  peer_lost: 'the other side is gone',
  message_too_large: 'the message does not fit into a frame together with its sender',
  type_unsupported: 'the other side takes text/plain only',
}

function noRequest(): SealwireError {
  return new SealwireError('no_request', 'there is no open request')
}
