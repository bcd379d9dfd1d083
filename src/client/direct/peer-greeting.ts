// How a direct link begins: whoever has dialled says hello, with the token of the offers before it; the other one looks at who is
// there and at the token, and answers or refuses. Nothing else is taken before that.
//
//   dialled:  hello ──Result──▶ link                    accepted: waiting ──hello──▶ admitting ──▶ link
//               └──Fault, another frame, late──▶ over                └──late, another frame, refused──▶ over

import type { DialledLink, Link, LinkEnd, LinkReceiver } from '../../link/index.ts'
import { linkEnds } from '../../link/link-end.ts'
import { peerKeyHash } from '../../pki/peer-certificate.ts'
import {
  checkResultIn,
  contractCommands,
  encodeRequestIn,
  encodeResultIn,
  parseFault,
  parseParamsIn,
  parseRequest,
  parseResult,
} from '../../protocol/contract/index.ts'
import { peerMethods, type PeerMethods, type PeerParams, peerVersion } from '../../protocol/direct/index.ts'
import { type Code, crc32, type Packet, SealwireError } from '../../protocol/index.ts'
import { Connection, type ConnectionUser } from '../connection.ts'
import { Greeting } from '../greeting.ts'
import { serverError } from '../server-error.ts'
import { endWith } from './peer-faults.ts'
import { type PeerDevice, PeerLink, type PeerLinkParts } from './peer-link.ts'

/** Whom a dialled link leads to, and what lets us in there. */
export interface GreetOptions {
  readonly peer: PeerDevice
  readonly token: Uint8Array
  /** Cuts the link. */
  readonly signal?: AbortSignal | undefined
  /** Nothing is said before it resolves; what it throws ends the link. Default: at once. */
  readonly assured?: (() => Promise<void>) | undefined
}

/** Who may come in. */
export interface AwaitOptions {
  /** The device with this key (SHA-256 of its SubjectPublicKeyInfo, hex); `undefined` for one that nobody expects. */
  identify(spki: string): PeerDevice | undefined
  /**
   * Decides about the token of a hello; may take time, but no more than `directHelloMsMax` from the beginning of the link.
   * @throws {SealwireError} why the device is not let in: it is told.
   */
  admit(token: Uint8Array, peer: PeerDevice): Promise<void>
}

/** Of an accepted link: who hears what comes on it, and the link, once it was let in. */
export interface AwaitedPeer {
  readonly receiver: LinkReceiver
  readonly link: Promise<PeerLink>
}

/**
 * Says hello on a link that was dialled and verified; resolves when it was answered. The link is over when it rejects.
 * @throws {SealwireError} `untrusted` when the certificate is not that of `peer`; the refusal of the other device; `unreachable`
 * when no answer came within `directHelloMsMax`, or the signal aborted; `unexpected`, `malformed`, `version_unsupported`;
 * `connection_lost`.
 */
export async function greetPeer(
  link: DialledLink,
  { peer, token, signal, assured }: GreetOptions,
  parts: PeerLinkParts,
): Promise<PeerLink> {
  const greeting: Greeting<PeerLink> = new Greeting((packet) => {
    requireWelcome(packet)
    return new PeerLink(connection, { peer, dialled: true }, parts)
  })
  const connection = connectionOf(link, greeting, parts)
  link.attach(connection)
  const late = parts.clock.after(parts.limits.directHelloMsMax, () =>
    connection.cut(unreachable('the other device did not answer in time')),
  )
  const abort = (): void => connection.cut(unreachable('the direct link was given up'))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    if (keyOf(link) !== peer.spki) connection.cut(untrusted())
    else if (signal?.aborted === true) abort()
    else void sayHello(connection, token, assured)
    return await greeting.done
  } finally {
    late.cancel()
    signal?.removeEventListener('abort', abort)
  }
}

/**
 * Waits for the hello of whoever has connected, and answers it; without a byte to a device that nobody expects. `receiver` is what
 * `opened` of the listener gives back. `link` rejects, and the link is over, with `untrusted`, with what `admit` has thrown, with
 * `login_too_slow` when no hello came and was let in within `directHelloMsMax`, with `unexpected`, `malformed`,
 * `version_unsupported`, `connection_lost`.
 */
export function awaitPeer(link: Link, options: AwaitOptions, parts: PeerLinkParts): AwaitedPeer {
  const patience = new Greeting<never>(() => {
    throw new SealwireError('unexpected', 'the other device went on before its hello was answered')
  })
  const waiting = new Greeting((packet) => {
    const hello = helloOf(connection, packet)
    connection.user = patience
    return hello
  })
  const connection = connectionOf(link, waiting, parts)
  const late = parts.clock.after(parts.limits.directHelloMsMax, () => connection.cut(tooSlow()))
  const admitted = admit({ link, connection, hello: waiting.done, cut: patience.done }, options, parts).finally(() => late.cancel())
  return { receiver: connection, link: admitted }
}

interface Door {
  readonly link: Link
  readonly connection: Connection
  readonly hello: Promise<Hello>
  /** Rejects when the connection ends behind the hello. */
  readonly cut: Promise<never>
}

interface Hello {
  /** Of the request. */
  readonly id: number
  readonly params: PeerParams<'direct.hello'>
}

async function admit({ link, connection, hello, cut }: Door, options: AwaitOptions, parts: PeerLinkParts): Promise<PeerLink> {
  cut.catch(() => {}) // It is told where it is waited for.
  const peer = identified(link, connection, options)
  const { id, params } = await hello
  if (peer === undefined) throw untrusted()
  try {
    requireVersion(params.versions)
    await Promise.race([options.admit(params.token, peer), cut])
  } catch (reason) {
    throw endWith(connection, reason, id)
  }
  if (!connection.open) return cut
  connection.send(
    contractCommands.result,
    encodeResultIn<PeerMethods, 'direct.hello'>(peerMethods, id, 'direct.hello', { version: peerVersion }),
  )
  return new PeerLink(connection, { peer, dialled: false }, parts)
}

function connectionOf(link: Link, user: ConnectionUser, { checksum = crc32 }: PeerLinkParts): Connection {
  return new Connection(link, user, { checksum, lost: (end) => new SealwireError(codeOf(end), ends[end]) })
}

/** Cuts the connection when it is nobody. */
function identified(link: Link, connection: Connection, options: AwaitOptions): PeerDevice | undefined {
  try {
    const spki = keyOf(link)
    const peer = spki === undefined ? undefined : options.identify(spki)
    if (peer === undefined) connection.cut(untrusted())
    return peer
  } catch (reason) {
    connection.cut(SealwireError.from(reason))
    return undefined
  }
}

/** Whose certificate the link below has verified. */
function keyOf({ security: { peerCertificate } }: Link): string | undefined {
  return peerCertificate === undefined ? undefined : peerKeyHash(peerCertificate)
}

/** A device that is told why has shown a good certificate. */
function helloOf(connection: Connection, { command, body }: Packet): Hello {
  try {
    if (command !== contractCommands.request) throw noHello()
    const { id, method, params } = parseRequest(body)
    if (method !== 'direct.hello') throw noHello()
    return { id, params: parseParamsIn<PeerMethods, 'direct.hello'>(peerMethods, method, params) }
  } catch (reason) {
    throw endWith(connection, reason)
  }
}

async function sayHello(connection: Connection, token: Uint8Array, assured: GreetOptions['assured']): Promise<void> {
  try {
    await assured?.()
    if (connection.open) connection.send(contractCommands.request, helloBody(token))
  } catch (reason) {
    connection.cut(SealwireError.from(reason))
  }
}

function helloBody(token: Uint8Array): Uint8Array {
  return encodeRequestIn<PeerMethods, 'direct.hello'>(peerMethods, helloId, 'direct.hello', { versions: [peerVersion], token })
}

/** @throws {SealwireError} why the other device does not let us in, and what is no answer. */
function requireWelcome({ command, body }: Packet): void {
  if (command === contractCommands.fault) throw serverError(parseFault(body))
  const { id, result } = command === contractCommands.result ? parseResult(body) : { id: undefined, result: undefined }
  if (id !== helloId) throw new SealwireError('unexpected', 'the other device did not answer the hello')
  requireVersion([checkResultIn<PeerMethods, 'direct.hello'>(peerMethods, 'direct.hello', result).version])
}

function requireVersion(versions: readonly number[]): void {
  if (versions.includes(peerVersion)) return
  throw new SealwireError('version_unsupported', `this device speaks version ${peerVersion} of direct links`)
}

function noHello(): SealwireError {
  return new SealwireError('unexpected', 'the other device did not begin with a hello')
}

function untrusted(): SealwireError {
  return new SealwireError('untrusted', 'another device than the one that is expected is at the other end')
}

function unreachable(sentence: string): SealwireError {
  return new SealwireError('unreachable', sentence, { hint: 'what is said goes through the server' })
}

function tooSlow(): SealwireError {
  return new SealwireError('login_too_slow', 'the other device said no hello in time')
}

function codeOf(end: LinkEnd): Code {
  return end === 'slow_consumer' ? end : 'connection_lost'
}

const ends: Readonly<Record<LinkEnd, string>> = {
  ...linkEnds,
  ended: 'the other device ended the connection',
  refused: 'the other device does not let this one in',
  slow_consumer: 'communication error: the other device does not take what is sent',
}
const helloId = 0
