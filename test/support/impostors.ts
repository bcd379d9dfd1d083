// Those who are not whom they should be: they show what they have, and say a secret as soon as anybody would hear it.

import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import { connect, type ConnectionOptions, createServer, type TlsOptions, type TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../../src/link/index.ts'
import { peerProtocol } from '../../src/link/tls/options.ts'
import { type CertificateRequest, makeCertificate, newKey } from './certificates.ts'
import { deviceOf, makeAuthority } from './client-certificates.ts'
import { type Peers, shownBy } from './peers.ts'

/** A certificate that does not do, and what it is refused with. */
export interface WrongCertificate {
  readonly title: string
  readonly shown: ClientCertificate
  readonly refusal: string
}

/** One of each kind; none of them is a device that anybody expects. */
export async function wrongCertificates({ authority, alice }: Peers): Promise<readonly WrongCertificate[]> {
  const stranger = await makeAuthority('a stranger')
  const lookalike = await makeAuthority(authority.name)
  const { key } = alice
  const row = async (
    title: string,
    made: ReturnType<typeof makeCertificate>,
    why: string,
    ...issuers: readonly { toString(): string }[]
  ) => {
    const { chain, key: shownKey } = shownBy(await made)
    return {
      title,
      shown: { chain: [chain, ...issuers].join(''), key: shownKey },
      refusal: `[untrusted] the certificate of the other device ${why}`,
    }
  }
  const of = (request: Partial<CertificateRequest> = {}): ReturnType<typeof makeCertificate> => deviceOf(authority, { key, ...request })
  const foreign = 'is not of an authority of this server'
  return Promise.all([
    row('of another CA', deviceOf(stranger, { key }), foreign, stranger.certificate),
    row('of another CA with the same name', deviceOf(lookalike, { key }), foreign, lookalike.certificate),
    row('of another account', deviceOf(authority), 'is of a device that is not expected here', authority.certificate),
    row('self-signed', makeCertificate({ commonName: 'alice', usages: [clientUsage], key }), foreign),
    row('signed by a device', deviceOf({ ...alice, name: 'alice' }, { key: newKey() }), foreign, alice.certificate),
    row('expired', of({ until: -1 }), 'has expired'),
    row('not yet valid', of({ from: 1, until: 2 }), 'is not yet valid'),
    row('the server’s own', of({ usages: [serverUsage], names: ['localhost'] }), 'is not one for devices', authority.certificate),
    row('of an authority', of({ isAuthority: true }), 'is not one for devices'),
  ])
}

/** What became of a dial that should have led nowhere. */
export interface Knock {
  /** The handshake was done as far as the dialling side can know. */
  readonly shaken: boolean
  /** Bytes beside TLS that came back. */
  readonly received: number
}

/** Dials as an impostor; resolves when the connection is gone. */
export async function knock(port: number, shown: Partial<ClientCertificate>, options: ConnectionOptions = {}): Promise<Knock> {
  const own = { ...(shown.chain === undefined ? {} : { cert: shown.chain }), ...(shown.key === undefined ? {} : { key: shown.key }) }
  const always = { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: [peerProtocol] }
  const socket = connect({ ...always, ...own, ...options })
  let shaken = false
  let received = 0
  socket.once('secureConnect', () => {
    shaken = true
    socket.write('a secret')
  })
  socket.on('data', (bytes: Buffer) => (received += bytes.length))
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return { shaken, received }
}

/** Sends bytes of TCP; resolves with how many came back when the connection is gone. `end` closes our half behind them. */
export async function knockRaw(port: number, parts: readonly (string | Uint8Array)[], { end = false } = {}): Promise<Buffer> {
  const socket = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true })
  const received: Buffer[] = []
  socket.on('data', (bytes: Buffer) => received.push(bytes))
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  for (const part of parts) socket.write(part)
  if (end) socket.end()
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(received)
}

/** What stands where a device should be; it remembers whatever is told to it. */
export class Impostor implements Disposable {
  readonly #server: TcpServer
  readonly #sockets: Socket[] = []
  /** Handshakes that were done as far as this side can know. */
  shaken = 0
  /** Bytes beside TLS that it was sent. */
  received = 0
  /** Bytes of TCP that it was sent, by connection. */
  readonly raw: Buffer[] = []

  private constructor(server: TcpServer) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.push(socket)
      socket.on('error', () => {})
    })
  }

  /** That speaks TLS. */
  static ofTls(shown: ClientCertificate, options: TlsOptions = {}): Promise<Impostor> {
    const always = { cert: shown.chain, key: shown.key, requestCert: true, rejectUnauthorized: false, ALPNProtocols: [peerProtocol] }
    const server = createServer({ ...always, ...options })
    const impostor = new Impostor(server)
    server.on('tlsClientError', () => {})
    server.on('secureConnection', (socket: TLSSocket) => impostor.#meet(socket))
    return impostor.#listening()
  }

  /** That does what it likes with a socket. */
  static ofTcp(act: (socket: Socket) => void): Promise<Impostor> {
    const impostor: Impostor = new Impostor(
      createTcpServer({ allowHalfOpen: true }, (socket) => {
        socket.on('data', (bytes: Buffer) => impostor.raw.push(bytes))
        socket.on('end', () => socket.destroy())
        act(socket)
      }),
    )
    return impostor.#listening()
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #listening(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  #meet(socket: TLSSocket): void {
    this.shaken++
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => (this.received += bytes.length))
    socket.write('a secret')
  }
}

const clientUsage = '1.3.6.1.5.5.7.3.2'
const serverUsage = '1.3.6.1.5.5.7.3.1'
