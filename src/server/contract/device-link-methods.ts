// How an installation joins an account that is there already, and how a device logs in that shows no certificate.

import { randomBytes } from 'node:crypto'
import { challengeBytes, type Result } from '../../protocol/contract/index.ts'
import { proofRefused } from '../../pki/index.ts'
import type { AccountIdentity, Origin } from '../accounts.ts'
import { newToken } from '../accounts/session-token.ts'
import type { Call } from './call.ts'

export async function link({ account, session, server }: Call<'device.link'>): Promise<Result<'device.link'>> {
  const { speaker } = session
  return server.devices.link({ accountId: account.id, token: account.tokenHash, connection: speaker.id }, speaker.device)
}

export async function useLink({ params, session, server }: Call<'account.link'>): Promise<Result<'account.link'>> {
  const token = newToken()
  const { name } = await session.logIn(token, (origin) => server.accounts.useLink({ ...params, ...origin, newToken: token }))
  return { name, token }
}

export async function enrolKey({ account, params, session, server }: Call<'device.enrolKey'>): Promise<Result<'device.enrolKey'>> {
  const { speaker } = session
  const enroller = { accountId: account.id, label: params.label, token: account.tokenHash, connection: speaker.id }
  const { id, spkiHash } = await server.devices.enrolKey(params.statement, enroller, speaker.device)
  speaker.device ??= { id, spkiHash }
  return { device: id }
}

export function challenge({ session, server }: Call<'device.challenge'>): Result<'device.challenge'> {
  const nonce = new Uint8Array(randomBytes(challengeBytes))
  session.challenge = { nonce, until: server.clock.monotonic() + server.limits.deviceChallengeMsMax }
  return { nonce }
}

/** From here on the session is what it would be after device.login, also on a connection that was for joining only so far. */
export async function prove({ params, session, server }: Call<'device.prove'>): Promise<Result<'device.prove'>> {
  const { speaker, challenge: asked } = session
  const { device: before, joinOnly } = speaker
  session.challenge = undefined
  try {
    const proved = async (origin: Origin): Promise<AccountIdentity> => {
      if (asked === undefined || server.clock.monotonic() > asked.until) throw proofRefused()
      return server.devices.prove({ ...params, nonce: asked.nonce, connected: before }, origin, (device) => {
        speaker.device = device
        if (speaker.mayProve) speaker.joinOnly = false
      })
    }
    const { name } = await session.logIn(undefined, proved, () => speaker.device?.id)
    return { name, device: speaker.device?.id ?? '' }
  } catch (reason) {
    speaker.device = before
    speaker.joinOnly = joinOnly
    throw reason
  }
}
