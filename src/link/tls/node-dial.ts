// TLS through node:tls, which both runtimes have: dialling. A certificate is always checked against the roots given (or
// the system's) and against the host's name, for which only subject alternative names count (RFC 9525: the library alone
// would take a common name where there are none); the only way around it says so in its name.

import { isIP } from 'node:net'
import { checkServerIdentity, connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls'
import { SealwireError } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import { type Dialled, dialError, givenUp, hungUp, timedOut } from '../dial-error.ts'
import { type DialledLink, NodeTlsLink } from './node-link.ts'
import { allCipherSuites, minVersion, minVersionWithCertificate } from './options.ts'

/** PEM texts of a client's certificate, with what its issuer needs behind it, and of its key. */
export interface ClientCertificate {
  readonly chain: string
  readonly key: string
}

/** Whom to dial, and whom to trust. */
export interface TlsDialOptions {
  readonly host: string
  readonly port: number
  /** PEM of the only roots that are trusted; the system's when absent. */
  readonly roots?: string
  /** Default: none is offered. */
  readonly applicationProtocol?: string
  /** Whole dial, TCP and TLS, in ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Shown to a server that asks, once it has proved itself, and never where verification is skipped. Speaks only TLS 1.3. */
  readonly clientCertificate?: ClientCertificate
  /** Accepts any certificate for any name. Only the echo pair offers it, for a server that nobody has a certificate of. */
  readonly dangerouslySkipVerification?: boolean
}

/**
 * Connects and completes the handshake. `connected` is called when TCP is, before anything is known of the peer.
 * @throws {SealwireError} `unreachable` (refused, unknown host, no answer in time) or `untrusted` (the certificate).
 */
export async function dialTls(options: TlsDialOptions, context: LinkContext, connected: () => void = () => {}): Promise<DialledLink> {
  return new NodeTlsLink(await dialSocket(options, context, connected), context)
}

/** As {@link dialTls}, for whoever wants the socket; `leftMs` when some of `timeoutMs` is spent already. */
export async function dialSocket(
  options: TlsDialOptions & Dialled & { readonly leftMs?: number },
  context: LinkContext,
  connected: () => void = () => {},
): Promise<TLSSocket> {
  return socketOf(() => connect(connectionOptions(options)), options, context, { connected })
}

/** What happens on the way of a dial. */
interface DialSteps {
  /** TCP has connected. */
  readonly connected?: () => void
  /** The handshake is done, and nothing of its last part has left yet: what this throws cuts the connection, and is told. */
  readonly shaken?: (socket: TLSSocket) => void
}

/** The socket that `make` makes, once its handshake is done. */
export async function socketOf(
  make: () => TLSSocket,
  options: Dialled & { readonly leftMs?: number; readonly signal?: AbortSignal },
  context: LinkContext,
  { connected = () => {}, shaken = () => {} }: DialSteps,
): Promise<TLSSocket> {
  const { signal } = options
  if (signal?.aborted === true) throw givenUp(signal.reason)
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = make()
  const deadline = context.flusher.clock.after(options.leftMs ?? options.timeoutMs, () => reject(timedOut(options)))
  const aborted = (): void => reject(givenUp(signal?.reason))
  signal?.addEventListener('abort', aborted, { once: true })
  socket.once('connect', connected)
  socket.once('secureConnect', () => {
    try {
      shaken(socket)
      resolve(socket)
    } catch (reason) {
      socket.destroy() // At once: a turn later our part of the handshake would be on its way.
      reject(SealwireError.from(reason))
    }
  })
  socket.once('error', (cause) => reject(dialError(options, cause)))
  socket.once('close', () => reject(hungUp(options)))
  try {
    return await promise
  } catch (reason) {
    socket.on('error', () => {})
    socket.destroy()
    throw reason
  } finally {
    deadline.cancel()
    signal?.removeEventListener('abort', aborted)
  }
}

function connectionOptions({
  host,
  port,
  roots,
  applicationProtocol,
  clientCertificate,
  dangerouslySkipVerification = false,
}: TlsDialOptions): ConnectionOptions & { readonly allowHalfOpen: boolean } {
  return {
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(roots === undefined ? {} : { ca: roots }),
    ...(applicationProtocol === undefined ? {} : { ALPNProtocols: [applicationProtocol] }),
    ...(clientCertificate === undefined || dangerouslySkipVerification ? { minVersion } : showing(clientCertificate)),
    ciphers: allCipherSuites,
    rejectUnauthorized: !dangerouslySkipVerification,
    checkServerIdentity: checkAlternativeNames,
    allowHalfOpen: true,
  }
}

function showing({ chain, key }: ClientCertificate): ConnectionOptions {
  return { cert: chain, key, minVersion: minVersionWithCertificate }
}

/** Without a common name there is none to fall back to. */
function checkAlternativeNames(host: string, certificate: PeerCertificate): Error | undefined {
  return checkServerIdentity(host, { ...certificate, subject: { ...certificate.subject, CN: '' } })
}
