// account.*: becoming somebody, and changing what proves it.

import type { Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { newToken } from '../accounts/session-token.ts'
import type { Call } from './call.ts'

export async function register({ params, session, server }: Call<'account.register'>): Promise<Result<'account.register'>> {
  const token = newToken()
  const { name } = await session.logIn(token, (origin) => server.accounts.register({ ...params, ...origin, newToken: token }))
  return { name, token }
}

export async function login({ params, session, server }: Call<'account.login'>): Promise<Result<'account.login'>> {
  const token = newToken()
  const { name } = await session.logIn(token, (origin) => server.accounts.login({ ...params, ...origin, newToken: token }))
  return { name, token }
}

export async function resume({ params, session, server }: Call<'account.resume'>): Promise<Result<'account.resume'>> {
  const { name } = await session.logIn(params.token, (origin) => server.accounts.resume({ ...params, ...origin }))
  return { name }
}

export async function password({ account, params, session, server }: Call<'account.password'>): Promise<Result<'account.password'>> {
  const { address, signal } = session.speaker
  const { id, key, tokenHash: keepToken } = account
  await server.accounts.changePassword({ ...params, id, key, keepToken, connection: session.speaker.id, address, signal })
  server.endSessions(key, new SealwireError('session_ended', 'the password of the account was changed'), account)
  return {}
}

export async function visibility({ account, params, server }: Call<'account.visibility'>): Promise<Result<'account.visibility'>> {
  if (params.visibility !== undefined) await server.people.show(account, params.visibility)
  return { visibility: account.standing.visibility }
}

export async function privacy({ account, params, server }: Call<'account.privacy'>): Promise<Result<'account.privacy'>> {
  return Object.keys(params).length === 0 ? account.standing.privacy : server.people.setPrivacy(account, params)
}
