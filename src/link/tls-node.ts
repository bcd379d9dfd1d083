// TLS through node:tls, which both runtimes have: dialling. A certificate is always checked against the roots given (or
// the system's) and against the host's name; the only way around it says so in its name.

import { isIP } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { SealwireError } from '../protocol/index.ts'
import { BufferedLink, type LinkContext } from './buffered-link.ts'
import type { Link, LinkReceiver, LinkSecurity } from './link.ts'
import { cipherSuites } from './tls-options.ts'

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
  /** Accepts any certificate for any name. Only the echo pair offers it, for a server that nobody has a certificate of. */
  readonly dangerouslySkipVerification?: boolean
}

/** A dialled link: the receiver is attached when the handshake is done. */
export interface DialledLink extends Link {
  attach(receiver: LinkReceiver): void
}

/**
 * Connects and completes the handshake. `connected` is called when TCP is, before anything is known of the peer.
 * @throws {SealwireError} `unreachable` (refused, unknown host, no answer in time) or `untrusted` (the certificate).
 */
export async function dialTls(options: TlsDialOptions, context: LinkContext, connected: () => void = () => {}): Promise<DialledLink> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = connect(connectionOptions(options))
  const deadline = context.flusher.clock.after(options.timeoutMs, () => reject(timedOut(options)))
  const aborted = (): void => reject(new SealwireError('unreachable', 'the connection was given up'))
  options.signal?.addEventListener('abort', aborted, { once: true })
  socket.once('connect', connected)
  socket.once('secureConnect', () => resolve(socket))
  socket.once('error', (cause) => reject(dialError(options, cause)))
  socket.once('close', () =>
    reject(
      new SealwireError('unreachable', `${place(options)} closed the connection during the handshake`, {
        hint: 'check that it is a TLS server',
      }),
    ),
  )
  try {
    return new NodeTlsLink(await promise, context)
  } catch (reason) {
    socket.on('error', () => {})
    socket.destroy()
    throw reason
  } finally {
    deadline.cancel()
    options.signal?.removeEventListener('abort', aborted)
  }
}

class NodeTlsLink extends BufferedLink implements DialledLink {
  readonly security: LinkSecurity
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket, context: LinkContext) {
    super({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }, context)
    this.#socket = socket
    this.security = {
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '',
    }
  }

  override attach(receiver: LinkReceiver): void {
    super.attach(receiver)
    const socket = this.#socket
    socket.removeAllListeners()
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.deliver(bytes))
    socket.on('drain', () => this.writable())
    socket.on('end', () => this.peerEnded())
    socket.on('error', (error: NodeJS.ErrnoException) => this.terminate(isReset(error) ? 'reset' : 'corrupt'))
    socket.on('close', () => this.over('ended'))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.#socket.destroyed) return -1
    if (this.#socket.writableNeedDrain) return 0
    this.#socket.write(new Uint8Array(bytes.subarray(start, end))) // The socket keeps what it is given; our buffer is used again.
    return end - start
  }

  protected endTransport(): void {
    this.#socket.resume()
    this.#socket.end()
  }

  protected cutTransport(): void {
    this.#socket.destroy()
  }
}

function connectionOptions({
  host,
  port,
  roots,
  applicationProtocol,
  dangerouslySkipVerification = false,
}: TlsDialOptions): ConnectionOptions & { readonly allowHalfOpen: boolean } {
  return {
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(roots === undefined ? {} : { ca: roots }),
    ...(applicationProtocol === undefined ? {} : { ALPNProtocols: [applicationProtocol] }),
    minVersion: 'TLSv1.2',
    ciphers: `TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:${cipherSuites}`,
    rejectUnauthorized: !dangerouslySkipVerification,
    allowHalfOpen: true,
  }
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE'
}

function timedOut(options: TlsDialOptions): SealwireError {
  return new SealwireError('unreachable', `${place(options)} did not answer within ${options.timeoutMs / 1000} s`, {
    hint: 'check address and firewall',
  })
}

const unreachable: Readonly<Record<string, readonly [sentence: string, hint: string]>> = {
  ECONNREFUSED: ['refused the connection', 'start the server, or check the port'],
  ENOTFOUND: ['is not a known host', 'check the name'],
  EAI_AGAIN: ['could not be looked up', 'check the name and the network'],
  ETIMEDOUT: ['did not answer', 'check address and firewall'],
  EHOSTUNREACH: ['cannot be reached', 'check the network'],
  ENETUNREACH: ['cannot be reached', 'check the network'],
  ECONNRESET: ['closed the connection during the handshake', 'check that it is a TLS server'],
}

const untrusted: Readonly<Record<string, readonly [sentence: string, hint: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['has a self-signed certificate', 'give its certificate as the CA file'],
  SELF_SIGNED_CERT_IN_CHAIN: ['has a certificate of an authority that is not trusted here', 'give the CA file of that authority'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['has a certificate of an unknown issuer', 'give the CA file of its issuer'],
  UNABLE_TO_GET_ISSUER_CERT: ['has a certificate of an unknown issuer', 'give the CA file of its issuer'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['has a certificate of an unknown issuer', 'give the CA file of its issuer'],
  CERT_HAS_EXPIRED: ['has a certificate that has expired', 'renew it on the server'],
  CERT_NOT_YET_VALID: ['has a certificate that is not yet valid', 'check the clocks of both machines'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['has a certificate for another name', 'dial a name that the certificate has'],
}

function dialError(options: TlsDialOptions, cause: NodeJS.ErrnoException): SealwireError {
  const code = cause.code ?? ''
  const distrust = untrusted[code]
  if (distrust !== undefined) return new SealwireError('untrusted', `${place(options)} ${distrust[0]}`, { cause, hint: distrust[1] })
  const [sentence, hint] = unreachable[code] ?? ['did not complete the TLS handshake', 'check that it is a TLS 1.2 or 1.3 server']
  return new SealwireError('unreachable', `${place(options)} ${sentence}`, { cause, hint })
}

function place({ host, port }: TlsDialOptions): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
