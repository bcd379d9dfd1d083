// From a server's address, its key and the leave to join it to an account whose profile is in the home. Everything that can fail
// here is tried before anything is said to the server: the home is reserved, the server has proved its key. What fails after
// the server has made the account says exactly that.

import type { Clock } from '../../domain/clock.ts'
import type { Transport } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Client } from '../node.ts'
import { forgetDevice, newDevice } from './device-files.ts'
import { type Endpoint, formatEndpoint } from './endpoint.ts'
import { enrolHome, isForJoining, takesDevices } from './enrol.ts'
import type { Home } from './home.ts'
import { keepLedgerKey } from './ledger-key.ts'
import { Profile, readProfile, reserveProfile } from './profile.ts'
import { connectTrusted, rememberServer, trustedNow } from './trust.ts'

/** Whom to join, and as who. */
export interface JoinRequest extends JoinTarget {
  /** Of the account; empty with a link for one more device, which knows it. */
  readonly name: string
  readonly password: string | undefined
  /** Whether the account is there already. */
  readonly login: boolean
}

/** A server, the key it must have, and the leave to join it, if there is one. */
export interface JoinTarget {
  readonly server: Endpoint
  readonly pin: string
  readonly transport: Transport
  readonly invitation: Uint8Array | undefined
  /** What the invitation is for. Default: an account. */
  readonly makes?: 'account' | 'device'
}

export interface JoinParts {
  readonly clock: Clock
  /** Gives up the dial; what was said to the server is not taken back. */
  readonly signal?: AbortSignal | undefined
  /** Told what could not be noted in the home, or that it was not made a device; the next connection tries again. */
  readonly warn: (what: string, reason: unknown) => void
}

/**
 * Joins, and resolves with the profile that was written.
 * @throws {SealwireError} what `reserveProfile` and `connectTrusted` throw; what the server refuses; with the same code, and a sentence
 * that says so, when the account was made, or may have been, and this home is not its device.
 */
export async function joinServer(home: Home, request: JoinRequest, { clock, signal, warn }: JoinParts): Promise<Profile> {
  using reservation = reserveProfile(home)
  const trusted = trustedNow(home, request)
  const client = await connectTrusted(trusted, { signal })
  try {
    const { name, token } = await enter(client, request)
    const serverKey = trusted.serverKey && textOf(trusted.serverKey)
    const profile = new Profile({ ...request, ...trusted, serverKey, name, token: textOf(token) })
    try {
      reservation.write(profile)
    } catch (reason) {
      throw notKept(reason, name, request)
    }
    const joined = await becomeDevice(home, client, profile, warn)
    note(() => rememberServer(home, joined, clock), 'the key of the server was not noted', warn)
    note(() => keepLedgerKey(home, client.welcome, joined), 'do not rely on what is said of money', warn)
    await client.drain()
    return joined
  } finally {
    client.close()
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

/** The account is there and the profile is kept; what fails now can be had with the next connection, if that can get in. */
async function becomeDevice(home: Home, client: Client, profile: Profile, warn: JoinParts['warn']): Promise<Profile> {
  forgetDevice(home)
  if (!takesDevices(client)) return profile
  try {
    return await enrolHome(home, client, profile, newDevice())
  } catch (reason) {
    if (isForJoining(client)) throw notEnrolled(reason, profile)
    warn('this home was not enrolled as a device', reason)
    return readProfile(home)
  }
}

function note(act: () => void, what: string, warn: JoinParts['warn']): void {
  try {
    act()
  } catch (reason) {
    warn(what, reason)
  }
}

/** Registers, or logs in. */
async function enter(client: Client, request: JoinRequest): Promise<{ name: string; token: Uint8Array }> {
  const { login, name, password, invitation, makes } = request
  if (makes === 'device' && invitation !== undefined) return client.request('account.link', { secret: invitation })
  if (login) return client.request('account.login', { name, password: password ?? '' })
  try {
    return await client.request('account.register', { name, invitation, password })
  } catch (reason) {
    throw registrationError(reason, name)
  }
}

function registrationError(reason: unknown, name: string): SealwireError {
  const error = SealwireError.from(reason)
  if (!unanswered.has(error.code)) return error
  return new SealwireError(error.code, `${error.sentence}; whether ${name} was registered is not known`, {
    cause: error,
    hint: 'try again; if the name is taken or the link used by then, ask the operator',
  })
}

/** The account is made, and its only key is lost. */
function notKept(reason: unknown, name: string, { server, login, password }: JoinRequest): SealwireError {
  const { code, sentence } = SealwireError.from(reason)
  if (login) return SealwireError.from(reason)
  const first = password === undefined ? 'it has no password: ask the operator for one (admin reset-password), then ' : ''
  return new SealwireError(code, `${name} is registered at ${formatEndpoint(server)}, but the profile was not written: ${sentence}`, {
    cause: reason,
    hint: `${first}join again with --login when that is mended`,
  })
}

/** The address is for joining, and the one for everything else wants the certificate. */
function notEnrolled(reason: unknown, { name, server }: Profile): SealwireError {
  const { code, sentence } = SealwireError.from(reason)
  return new SealwireError(code, `${name} is registered at ${formatEndpoint(server)}, but this home was not made a device: ${sentence}`, {
    cause: reason,
    hint: 'ask the operator to issue its certificate: sealwire cert issue',
  })
}

const unanswered: ReadonlySet<string> = new Set(['connection_lost', 'unknown_outcome', 'stopping', 'internal'])
