// Dialling a server of which nothing is known but the pin of its authority's key. The chain that it shows is read first,
// over a connection that carries nothing else; the authority in it that has the pin is then the only root of a second
// dial, with all checks. So nothing is ever sent to a peer that has not proved itself, and a certificate shown by
// somebody else leads nowhere: to pass the second dial takes the server's key, signed by the pinned one.
//
// A server whose authority was replaced shows, for a while, a way from the old key to the new one:
//
//   its certificate ◀─ bridge: the new key, signed by the pinned one ◀─ the pinned authority      and the new authority
//
// Who is let in by it learns the new pin, and keeps that one instead. It is read from the connection that has passed.

import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { SealwireError } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import { placeOf } from '../dial-error.ts'
import { dialSocket, type TlsDialOptions } from './node-dial.ts'
import { type DialledLink, NodeTlsLink } from './node-link.ts'

/** Whose chain to read. */
export type ChainOptions = Pick<TlsDialOptions, 'host' | 'port' | 'applicationProtocol' | 'timeoutMs' | 'signal'>

/** Whom to dial, and the pin to know it by. */
export interface PinnedDialOptions extends ChainOptions, Pick<TlsDialOptions, 'clientCertificate'> {
  /** `SHA256:…`, of the authority's key. */
  readonly pin: string
  /** The pin of a certificate's key: `spkiPin`. */
  readonly pinOf: (certificate: X509Certificate) => string
  /** Told the pin that takes the place of `pin`, when the pinned key has signed another; before the dial resolves. */
  readonly pinMoved?: ((pin: string) => void) | undefined
}

/**
 * The certificates that a server shows, its own first; whether any of them is to be trusted is not looked at. Nothing is
 * sent but the handshake.
 * @throws {SealwireError} `unreachable`, and `untrusted` when one of them cannot be read.
 */
export async function readPeerChain(options: ChainOptions, context: LinkContext): Promise<readonly X509Certificate[]> {
  const socket = await dialSocket({ ...options, dangerouslySkipVerification: true }, context)
  socket.on('error', () => {})
  try {
    return chainOf(socket)
  } catch (cause) {
    throw unreadable(options, cause)
  } finally {
    // What is still on its way is the end of our handshake: without it the server would count a failure.
    socket.end(() => socket.destroy())
  }
}

/**
 * The certificate in a chain that signs others and has signed itself; `undefined` when the server does not send it. While one
 * authority takes the place of another it is the new one, which is what the operator's own commands and new links tell.
 */
export function authorityOf(chain: readonly X509Certificate[]): X509Certificate | undefined {
  return authoritiesOf(chain)[0]
}

/** {@link authorityOf}, and behind it the one before, where the chain still leads from that one to it. */
export function authoritiesOf(chain: readonly X509Certificate[]): readonly X509Certificate[] {
  const first = chain.find(isAuthority)
  if (first === undefined) return []
  const successor = successorOf(first, chain)
  return successor === undefined ? [first] : [successor, first]
}

/**
 * Connects to the server whose certificate was signed by the authority with this pin, and to no other.
 * @throws {SealwireError} `unreachable`; `untrusted` when its authority has another key (the sentence has both pins), or when
 * its certificate does not hold.
 */
export async function dialPinned(options: PinnedDialOptions, context: LinkContext): Promise<DialledLink> {
  const { clock } = context.flusher
  const startedAt = clock.monotonic()
  const chain = await readPeerChain(options, context)
  const authority = pinnedAuthority(chain, options)
  const leftMs = Math.max(1, options.timeoutMs - (clock.monotonic() - startedAt))
  const socket = await dialSocket({ ...options, roots: authority.toString(), leftMs }, context)
  const successor = successorOf(authority, chainOf(socket))
  if (successor !== undefined) options.pinMoved?.(options.pinOf(successor))
  return new NodeTlsLink(socket, context)
}

/**
 * The authority that has taken the place of `authority`, in a chain that was verified: it has signed the server's certificate
 * and itself, with a key that `authority` has signed as that of an authority. `undefined` when there is none.
 */
export function successorOf(authority: X509Certificate, [leaf, ...others]: readonly X509Certificate[]): X509Certificate | undefined {
  const bridge = others.find((each) => each.ca && !isAuthority(each) && isSignedBy(each, authority))
  if (leaf === undefined || bridge === undefined || !isSignedBy(leaf, bridge)) return undefined
  return others.find((each) => isAuthority(each) && each.publicKey.equals(bridge.publicKey))
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}

function pinnedAuthority(chain: readonly X509Certificate[], options: PinnedDialOptions): X509Certificate {
  const { pin, pinOf } = options
  try {
    const found = chain.find((certificate) => isAuthority(certificate) && pinOf(certificate) === pin)
    if (found === undefined) throw anotherKey(chain, options)
    return found
  } catch (reason) {
    throw SealwireError.is(reason) ? reason : unreadable(options, reason)
  }
}

/** A key of a kind that the runtime does not know makes it throw: such a certificate is no authority of ours. */
function isAuthority(certificate: X509Certificate): boolean {
  try {
    return certificate.ca && certificate.verify(certificate.publicKey)
  } catch {
    return false
  }
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) chain.push(next)
  return chain
}

function anotherKey(chain: readonly X509Certificate[], options: PinnedDialOptions): SealwireError {
  const seen = authorityOf(chain) ?? chain[0]
  const shown = seen === undefined ? 'none' : options.pinOf(seen)
  return new SealwireError('untrusted', `${placeOf(options)} has another key: expected ${options.pin}, seen ${shown}`, {
    hint: 'somebody may be in the middle: ask the operator for the fingerprint',
  })
}

function unreadable(options: ChainOptions, cause: unknown): SealwireError {
  return new SealwireError('untrusted', `${placeOf(options)} has a certificate that cannot be read`, {
    cause,
    hint: 'ask the operator to make a new one',
  })
}
