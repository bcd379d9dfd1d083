// directory.*: who is here, and whom one wants to hear nothing of.

import type { Result } from '../../protocol/contract/index.ts'
import { frameBodyBytesLimit } from '../../protocol/index.ts'
import type { Person } from '../../store/index.ts'
import type { Seen } from '../people.ts'
import type { Call } from './call.ts'

export function who({ account, server }: Call<'directory.who'>): Result<'directory.who'> {
  const seen = server.people.seenBy(account)
  const people = seen.slice(0, Math.min(server.limits.whoEntriesMax, fitting(seen)))
  return { people, more: people.length < seen.length }
}

export async function block({ account, params, server }: Call<'directory.block'>): Promise<Result<'directory.block'>> {
  const other = await find({ account, params, server })
  server.chats.part(account.key, other.key)
  await server.people.block(account, other)
  // Until it was in force they could begin something again.
  server.chats.part(account.key, other.key)
  server.direct.part(account.key, other.key)
  return {}
}

export async function unblock({ account, params, server }: Call<'directory.unblock'>): Promise<Result<'directory.unblock'>> {
  await server.people.unblock(account, await find({ account, params, server }))
  return {}
}

export async function blocked({ account, server }: Call<'directory.blocked'>): Promise<Result<'directory.blocked'>> {
  const people = await server.people.blocked(account)
  return { names: people.map(({ name }) => name) }
}

function find({ account, params, server }: Pick<Call<'directory.block'>, 'account' | 'params' | 'server'>): Promise<Person> {
  return server.people.find(account, server.accounts.keyOf(params.name))
}

/** How many entries fit into one frame. */
function fitting(seen: readonly Seen[]): number {
  let bytes = envelopeBytes
  const at = seen.findIndex(({ name }) => {
    bytes += entryBytes + Buffer.byteLength(name)
    return bytes > frameBodyBytesLimit
  })
  return at < 0 ? seen.length : at
}

/** The CBOR of the id, `people` with its length, and `more`; that of an entry beside the name. At most. */
const envelopeBytes = 23
const entryBytes = 17
