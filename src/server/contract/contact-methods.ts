// contact.*: consent.

import type { Result } from '../../protocol/contract/index.ts'
import type { Person } from '../../store/index.ts'
import { showsTo } from '../people.ts'
import type { AccountCall, Call } from './call.ts'

export async function request({ params, ...call }: Call<'contact.request'>): Promise<Result<'contact.request'>> {
  const peer = await find(call, params.name)
  const { conversationId, accepted } = await call.server.contacts.request(call.account, peer, { id: params.id, text: params.text })
  return { conversation: Number(conversationId), accepted }
}

export async function accept({ params, ...call }: Call<'contact.accept'>): Promise<Result<'contact.accept'>> {
  const { conversationId } = await call.server.contacts.answer(call.account, await find(call, params.name), true)
  return { conversation: Number(conversationId) }
}

export async function decline({ params, ...call }: Call<'contact.decline'>): Promise<Result<'contact.decline'>> {
  await call.server.contacts.answer(call.account, await find(call, params.name), false)
  return {}
}

export async function remove({ params, ...call }: Call<'contact.remove'>): Promise<Result<'contact.remove'>> {
  const { account, server } = call
  const peer = await find(call, params.name)
  await server.contacts.remove(account, peer)
  server.chats.part(account.key, peer.key)
  server.direct.part(account.key, peer.key)
  return {}
}

export async function list({ account, params, server }: Call<'contact.list'>): Promise<Result<'contact.list'>> {
  const after = params.after === undefined ? '' : server.accounts.keyOf(params.after)
  const { rows, more } = await server.contacts.page(account, after)
  const contacts = rows.map(async ({ account: person, state, conversationId, since }) => {
    const here = state === 'accepted' ? await whetherHere({ account, server }, person) : undefined
    return {
      name: person.name,
      state,
      ...(conversationId === undefined ? {} : { conversation: Number(conversationId) }),
      since: Number(since),
      ...(here === undefined ? {} : { here }),
    }
  })
  return { contacts: await Promise.all(contacts), more }
}

/** Who blocks is never here for the blocked; undefined for who does not show it. */
async function whetherHere({ account, server }: Caller, person: Person): Promise<boolean | undefined> {
  if (!showsTo(await server.people.showingOf(person), true, 'presence')) return undefined
  return server.people.sees(account, person.key)
}

function find({ account, server }: Caller, name: string): Promise<Person> {
  return server.people.find(account, server.accounts.keyOf(name))
}

type Caller = Pick<AccountCall<'contact.list'>, 'account' | 'server'>
