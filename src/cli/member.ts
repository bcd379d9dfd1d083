// Somebody who has joined a server, at work: home, profile and a connection that is logged in. Every command of a member
// begins here, so that all of them tell a changed key, a dead token and a server that is not there in the same words.

import type { KeyObject } from 'node:crypto'
import { type Client, connectNode } from '../client/node.ts'
import type { ClientCertificate } from '../link/index.ts'
import type { Clock } from '../domain/clock.ts'
import type { Transport } from '../pki/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Advice, advised } from './advice.ts'
import { writeNow } from './descriptor.ts'
import { clientCertificateOf, readDevice } from './device-files.ts'
import type { Endpoint } from './endpoint.ts'
import { keepEnrolled, takesDevices } from './enrol.ts'
import type { Home } from './home.ts'
import { KnownServers } from './known-servers.ts'
import { movePin, type Profile, readProfile } from './profile.ts'
import { errorLine } from './report.ts'

/** A member whose connection is logged in. Disposing of it drains the connection. */
export interface Member extends AsyncDisposable {
  readonly profile: Profile
  readonly client: Client
}

export interface MemberParts {
  readonly clock: Clock
  /** Gives up the dial and the login. */
  readonly signal?: AbortSignal
}

/**
 * Connects to the server that was joined from `home` and logs in.
 * @throws {SealwireError} what the files of the home are refused with; `untrusted` when the server's key is another;
 * `unreachable`; `login_refused` when the session token is not good any more; what else the server refuses.
 */
export async function openMember(home: Home, { clock, signal }: MemberParts): Promise<Member> {
  const profile = readProfile(home)
  const trusted = trustedNow(home, trustedIn(profile))
  const own = readDevice(home)
  const device = clientCertificateOf(own)
  const client = await connectDevice(home, trusted, { device, deviceKey: device && own?.keys.x25519, signal })
  try {
    await logIn(client, { isDevice: device !== undefined, token: profile.token, signal })
  } catch (reason) {
    client.close()
    throw advised(reason, { login_refused: refusedAdvice(home, device !== undefined) })
  }
  rememberServer(home, { ...trusted, before: profile.pin }, clock)
  await prepareNextLogin(home, client, clock)
  return { profile, client, [Symbol.asyncDispose]: () => client.drain() }
}

/** What a connection is made with. */
export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: none is shown. */
  readonly device?: ClientCertificate | undefined
  /** Of the same device, in the sealed channel. */
  readonly deviceKey?: KeyObject | undefined
}

/** A server and the key by which it is trusted; another key takes its place when the first has signed it. */
export interface TrustedServer {
  readonly server: Endpoint
  pin: string
  /** Default: `tls`. */
  readonly transport?: Transport
  /** Its static key in the sealed channel, once it is known. */
  serverKey?: Uint8Array | undefined
}

/**
 * The server as this home trusts it by now.
 * @throws {SealwireError} `untrusted` when it is known by another key.
 */
export function trustedNow(home: Home, { server, pin, transport = 'tls', serverKey }: TrustedServer): TrustedServer {
  const known = new KnownServers(home)
  const next = known.successorOf(server, pin)
  known.check(server, next)
  return { server, pin: next, transport, serverKey }
}

/** The server of a profile, as it was trusted when that was written. */
function trustedIn({ server, pin, serverKey }: Profile): TrustedServer {
  if (serverKey === undefined) return { server, pin }
  return { server, pin, transport: 'sealed', serverKey: Uint8Array.from(Buffer.from(serverKey, 'base64url')) }
}

/**
 * Connects to a server by its pin, without a login. In `trusted` there is another pin afterwards if another key has taken its
 * place, and the static key where the sealed channel leads there.
 * @throws {SealwireError} what `connectNode` throws, with what to do next.
 */
export async function connectMember(trusted: TrustedServer, { signal, device, deviceKey }: ConnectOptions = {}): Promise<Client> {
  const { server, pin, transport, serverKey } = trusted
  const pinMoved = (next: string): void => void (trusted.pin = next)
  try {
    const keySeen = (key: Uint8Array): void => void (trusted.serverKey = key)
    const overTls = device === undefined ? {} : { clientCertificate: device }
    const shown = transport === 'sealed' ? { sealed: { serverKey, deviceKey, keySeen } } : overTls
    return await connectNode({ ...server, pin, pinMoved, name: 'sealwire', ...shown, ...(signal === undefined ? {} : { signal }) })
  } catch (reason) {
    throw advised(reason)
  }
}

/**
 * Notes the key of a server that has just proved it, in the place of the one `before`, which the profile has. What is not
 * noted is found out again by the next command, so a failure is a warning.
 */
export function rememberServer(
  home: Home,
  { server, pin, before = pin }: Pick<TrustedServer, 'server' | 'pin'> & { readonly before?: string },
  clock: Clock,
): void {
  try {
    const known = new KnownServers(home)
    if (before === pin) return known.remember(server, pin, clock.now())
    // In this order: should we be ended in between, the first alone says which key follows that of the profile.
    known.replace(server, { before, pin }, clock.now())
    movePin(home, before, pin)
  } catch (reason) {
    writeNow(standardError, `sealwire: warning: the key of the server was not noted: ${errorLine(reason)}\n`)
  }
}

/**
 * Opens a member, lets `use` do its work, and ends in order. What the server refuses is told with what to do next.
 * @throws {SealwireError} what {@link openMember} and `use` throw.
 */
export async function withMember<T>(home: Home, parts: MemberParts, use: (member: Member) => Promise<T>, advice?: Advice): Promise<T> {
  await using member = await openMember(home, parts)
  try {
    return await use(member)
  } catch (reason) {
    throw SealwireError.is(reason) ? advised(reason, advice) : reason
  }
}

/** A server does not greet a device that it does not let in, and says nothing else either. */
async function connectDevice(home: Home, trusted: TrustedServer, options: ConnectOptions): Promise<Client> {
  try {
    return await connectMember(trusted, options)
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    if (options.device === undefined || code !== 'connection_lost') throw reason
    throw new SealwireError(code, sentence, {
      cause: reason,
      hint: `try again; if it stays so, this device was revoked or its certificate has expired: ${again(home)}`,
    })
  }
}

/** With the certificate where the server takes one, else with the token. */
async function logIn(client: Client, { isDevice, token, signal }: LogInWith): Promise<void> {
  const options = signal === undefined ? {} : { signal }
  if (isDevice && takesDevices(client)) return void (await client.request('device.login', {}, options))
  if (token === undefined) throw new SealwireError('login_refused', 'there is nothing to log in with')
  await client.request('account.resume', { token: Uint8Array.from(Buffer.from(token, 'base64url')) }, options)
}

interface LogInWith extends Pick<ConnectOptions, 'signal'> {
  readonly isDevice: boolean
  readonly token: string | undefined
}

/** What fails here is tried again by the next command. */
async function prepareNextLogin(home: Home, client: Client, clock: Clock): Promise<void> {
  try {
    await keepEnrolled(home, client, clock)
  } catch (reason) {
    writeNow(standardError, `sealwire: warning: this home was not enrolled as a device: ${errorLine(reason)}\n`)
  }
}

function refusedAdvice(home: Home, isDevice: boolean): string {
  const why = isDevice
    ? 'this device was revoked, or the server takes no certificates any more'
    : 'the password was changed, or it was too long ago'
  return `${why}: ${again(home)}`
}

function again(home: Home): string {
  return `move ${home.pathOf('profile.json')} away and join again with --login`
}

const standardError = 2
