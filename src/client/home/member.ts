// Somebody who has joined a server, at work: home, profile and a connection that is logged in.

import { createHash } from 'node:crypto'
import type { Clock } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Client } from '../node.ts'
import { clientCertificateOf, readDevice } from './device-files.ts'
import { keepEnrolled, takesDevices } from './enrol.ts'
import type { Home } from './home.ts'
import { keepLedgerKey } from './ledger-key.ts'
import { type Profile, readProfile } from './profile.ts'
import { connectTrusted, rememberServer, trustedIn, trustedNow } from './trust.ts'

/** A member whose connection is logged in. Disposing of it drains the connection: its work is done by then, and a dead server is not waited for. */
export interface Member extends AsyncDisposable {
  readonly profile: Profile
  /** The installation, whose place in the inbox it is: the id of the device, or `t-` and a part of the hash of the token. */
  readonly device: string
  readonly client: Client
}

export interface OpenMemberParts {
  readonly clock: Clock
  /** Gives up the dial and the login. */
  readonly signal?: AbortSignal
  /** Told what could not be noted in the home, or not be renewed, and of another ledger key; the next connection tries again. */
  readonly warn: (what: string, reason: unknown) => void
  /** Whether another ledger key is refused, where it is a warning otherwise. Default: false. */
  readonly isForMoney?: boolean | undefined
}

/**
 * Connects to the server that was joined from `home` and logs in.
 * @throws {SealwireError} what the files of the home are refused with; `untrusted` when the server's key is another;
 * `unreachable`; `login_refused` when the session token is not good any more; what else the server refuses. With `isForMoney` what
 * `keepLedgerKey` throws, too.
 */
export async function openMember(home: Home, parts: OpenMemberParts): Promise<Member> {
  const { clock, signal, warn, isForMoney = false } = parts
  const profile = readProfile(home)
  const trusted = trustedNow(home, trustedIn(profile))
  const own = readDevice(home)
  const device = clientCertificateOf(own)
  const client = await connectTrusted(trusted, { device, deviceKey: device && own?.keys.x25519, signal })
  const installation = await logIn(client, { isDevice: device !== undefined, token: profile.token, signal }).catch((reason: unknown) => {
    client.close()
    throw reason
  })
  attempt(() => rememberServer(home, { ...trusted, before: profile.pin }, clock), 'the key of the server was not noted', warn)
  try {
    attempt(() => keepLedgerKey(home, client.welcome, profile), 'do not rely on what is said of money', isForMoney ? refuse : warn)
  } catch (reason) {
    client.close()
    throw reason
  }
  await keepEnrolled(home, client, clock).catch((reason: unknown) => warn('this home was not enrolled as a device', reason))
  return { profile, client, device: installation, [Symbol.asyncDispose]: () => client.drain({ answersMsMax }) }
}

/** With the certificate where the server takes one, else with the token. Answers the installation that this is. */
async function logIn(client: Client, { isDevice, token, signal }: LogInWith): Promise<string> {
  const options = signal === undefined ? {} : { signal }
  if (isDevice && takesDevices(client)) return (await client.request('device.login', {}, options)).device
  if (token === undefined) throw new SealwireError('login_refused', 'there is nothing to log in with')
  const bytes = Uint8Array.from(Buffer.from(token, 'base64url'))
  await client.request('account.resume', { token: bytes }, options)
  return `t-${createHash('sha256').update(bytes).digest('hex').slice(0, installationHexDigits)}`
}

const answersMsMax = limitTable.clientGoodbyeMsMax.value
/** The first ten bytes. */
const installationHexDigits = 20

interface LogInWith {
  readonly isDevice: boolean
  readonly token: string | undefined
  readonly signal: AbortSignal | undefined
}

function refuse(_what: string, reason: unknown): never {
  throw reason
}

function attempt(act: () => void, what: string, warn: OpenMemberParts['warn']): void {
  try {
    act()
  } catch (reason) {
    warn(what, reason)
  }
}
