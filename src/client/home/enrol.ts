// Making a home a device of its account: from then on its certificate is its login, and no token is kept.

import { hostname } from 'node:os'
import type { Client } from '../node.ts'
import type { Clock } from '../../domain/clock.ts'
import { deviceRenewalTime, makeEnrolment } from '../../pki/index.ts'
import { deviceLabelCharactersMax } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { ifFree } from '../../store/data-lock.ts'
import { certificatePem, type HomeDevice, newDevice, readDevice, writeDevice } from './device-files.ts'
import type { Home } from './home.ts'
import { lockHome, type Profile, profileWith, readProfile, writeProfile } from './profile.ts'

/** What enrolling needs of a client that is logged in. */
export type EnrolClient = Pick<Client, 'request' | 'welcome'>

/** Whether a server takes devices. */
export function takesDevices({ welcome }: Pick<Client, 'welcome'>): boolean {
  return welcome.server !== undefined && welcome.features.includes('device-login')
}

/** Whether a connection is good for joining only. */
export function isForJoining({ welcome }: Pick<Client, 'welcome'>): boolean {
  return welcome.features.includes('join-only')
}

/**
 * Enrols `device` on a connection that is logged in, and writes it, with its certificate, and the profile without its token.
 * The caller has the lock of the home. Returns the profile.
 * @throws {SealwireError} what the server refuses; `storage_full` or `data_unusable`.
 */
export async function enrolHome(home: Home, client: EnrolClient, profile: Profile, device: HomeDevice): Promise<Profile> {
  const { server } = client.welcome
  if (server === undefined) throw new SealwireError('unavailable', 'this server knows no devices')
  writeDevice(home, device)
  const label = hostname().slice(0, deviceLabelCharactersMax)
  const { certificate, authority, port } = await client
    .request('device.enrol', { ...makeEnrolment(device.keys, server), label })
    .catch(refused)
  writeDevice(home, { ...device, issued: { certificate: certificatePem(certificate), authority: certificatePem(authority) } })
  // The port of the sealed channel is for devices too.
  const next = profile.serverKey === undefined ? port : undefined
  const enrolled = profileWith(profile, { token: undefined, server: { ...profile.server, port: next ?? profile.server.port } })
  writeProfile(home, enrolled)
  return enrolled
}

/** There is but one thing of which there can be too much. */
function refused(reason: unknown): never {
  const error = SealwireError.from(reason)
  if (error.code !== 'busy') throw error
  throw new SealwireError('busy', error.sentence, { cause: error, hint: roomHint })
}

const roomHint = 'sealwire devices lists them, and devices revoke makes room; until then this home pays nobody'

/**
 * What a home that has logged in does for its next login: enrols if it is no device yet, renews a certificate that has lived
 * two thirds of its life, forgets a token that is not needed any more. Does nothing while another command is at it.
 * @throws {SealwireError} as {@link enrolHome}.
 */
export async function keepEnrolled(home: Home, client: EnrolClient, clock: Clock): Promise<void> {
  if (!takesDevices(client) || !isDue(home, clock)) return
  using lock = ifFree(() => lockHome(home))
  // Another command may have done it meanwhile.
  if (lock === undefined || !isDue(home, clock)) return
  await enrolHome(home, client, readProfile(home), readDevice(home) ?? newDevice())
}

function isDue(home: Home, clock: Clock): boolean {
  const issued = readDevice(home)?.issued
  return issued === undefined || clock.now() >= deviceRenewalTime(issued.certificate) || readProfile(home).token !== undefined
}
