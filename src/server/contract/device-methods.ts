// device.*: from a session with a token to one with a certificate, and how devices end.

import type { Result } from '../../protocol/contract/index.ts'
import { limitTable } from '../../protocol/index.ts'
import type { Device } from '../../store/index.ts'
import { deviceRevoked } from '../devices.ts'
import { isSameToken } from '../accounts/session-token.ts'
import type { Call } from './call.ts'

export async function enrol({ account, params, session, server }: Call<'device.enrol'>): Promise<Result<'device.enrol'>> {
  const { speaker } = session
  const enroller = { accountId: account.id, label: params.label, token: account.tokenHash, connection: speaker.id }
  const { device, certificate, authority } = await server.devices.enrol(params, enroller, speaker.device)
  speaker.device ??= { id: device.id, spkiHash: device.spkiHash }
  return { device: device.id, certificate, authority, port: speaker.joinOnly ? server.port : undefined }
}

export async function login({ session, server }: Call<'device.login'>): Promise<Result<'device.login'>> {
  const { device } = session.speaker
  const { name } = await session.logIn(
    undefined,
    (origin) => server.devices.login(device, origin),
    () => device?.id,
  )
  return { name, device: device?.id ?? '' }
}

export async function list({ account, session, server }: Call<'device.list'>): Promise<Result<'device.list'>> {
  const devices = await server.devices.list(account.id)
  return { devices: devices.map((device) => listed(device, session.speaker.device?.id)) }
}

export async function revoke({ account, params, session, server }: Call<'device.revoke'>): Promise<Result<'device.revoke'>> {
  const { speaker } = session
  const revoked = await server.devices.revoke(params.device, account.id, speaker.id)
  server.endDevice(revoked, deviceRevoked(), { speaker, participant: account })
  // The one that asked is told first that it was done.
  const isItself = speaker.device?.id === revoked.device.id || isSameToken(account.tokenHash, revoked.token)
  if (isItself) server.clock.after(ownEndMs, () => speaker.fail(deviceRevoked()))
  return {}
}

function listed({ id, label, enrolledAt, usedAt, expiresAt }: Device, here: string | undefined) {
  const used = usedAt === undefined ? {} : { usedAt: Number(usedAt) }
  return { device: id, label, here: id === here, enrolledAt: Number(enrolledAt), ...used, expiresAt: Number(expiresAt) }
}

const ownEndMs = limitTable.revokedLastWordMs.value
