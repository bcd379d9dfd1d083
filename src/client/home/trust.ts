// How a home trusts a server: by its profile, by what it knows of servers, and by what the trusted key has signed since.

import type { KeyObject } from 'node:crypto'
import { keyPin } from '../../channel/index.ts'
import type { Clock } from '../../domain/clock.ts'
import type { ClientCertificate } from '../../link/index.ts'
import type { Transport } from '../../pki/index.ts'
import { type Client, connectNode } from '../node.ts'
import type { Endpoint } from './endpoint.ts'
import type { Home } from './home.ts'
import { KnownServers } from './known-servers.ts'
import { movePin, type Profile } from './profile.ts'

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
  // A command that was ended in between has noted one of them and not the other.
  const own = serverKey !== undefined && keyPin(serverKey) === next ? serverKey : undefined
  return { server, pin: next, transport, serverKey: own }
}

/** The server of a profile, as it was trusted when that was written. */
export function trustedIn({ server, pin, serverKey }: Profile): TrustedServer {
  if (serverKey === undefined) return { server, pin }
  return { server, pin, transport: 'sealed', serverKey: Uint8Array.from(Buffer.from(serverKey, 'base64url')) }
}

/**
 * Connects to a server by its pin, without a login. In `trusted` there is another pin afterwards if another key has taken its
 * place, and the static key where the sealed channel leads there.
 * @throws {SealwireError} what `connectNode` throws.
 */
export function connectTrusted(trusted: TrustedServer, { signal, device, deviceKey }: ConnectOptions = {}): Promise<Client> {
  const { server, pin, transport, serverKey } = trusted
  const pinMoved = (next: string): void => void (trusted.pin = next)
  const keySeen = (key: Uint8Array): void => void (trusted.serverKey = key)
  const overTls = device === undefined ? {} : { clientCertificate: device }
  const shown = transport === 'sealed' ? { sealed: { serverKey, deviceKey, keySeen } } : overTls
  return connectNode({ ...server, pin, pinMoved, name: 'sealwire', ...shown, ...(signal === undefined ? {} : { signal }) })
}

interface RememberedAs {
  readonly before?: string
  /** That has the pin; of a profile as it is written there. */
  readonly serverKey?: Uint8Array | string | undefined
}

/**
 * Notes the key of a server that has just proved it, in the place of the one `before`, which the profile has. What is not
 * noted is found out again at the next connection.
 * @throws {SealwireError} what the files of the home are refused with.
 */
export function rememberServer(
  home: Home,
  { server, pin, before = pin, serverKey }: Pick<TrustedServer, 'server' | 'pin'> & RememberedAs,
  clock: Clock,
): void {
  const known = new KnownServers(home)
  if (before === pin) return known.remember(server, pin, clock.now())
  // In this order: should we be ended in between, the first alone says which key follows that of the profile.
  known.replace(server, { before, pin }, clock.now())
  movePin(home, before, pin, typeof serverKey === 'object' ? Buffer.from(serverKey).toString('base64url') : serverKey)
}
