// A client shows its certificate to the server that it means, and to nobody in the middle.

import { afterAll, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import { createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls'
import { systemClock } from '../../src/domain/index.ts'
import { type ClientCertificate, dialPinned, dialTls, Flusher, type PinnedDialOptions, type TlsIdentity } from '../../src/link/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { identityOf, makeCertificate, newKey } from '../support/certificates.ts'
import { deviceOf, keyHash, makeAuthority, pemOf } from '../support/client-certificates.ts'
import { TestListener } from '../support/tls-pair.ts'

const authority = await makeAuthority('the authority')
const other = await makeAuthority('another')
const device = await deviceOf(authority)
const clientCertificate: ClientCertificate = { chain: device.certificate.toString(), key: pemOf(device.key) }
const leaf = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: authority })
const honest = identityOf(leaf.key, leaf.certificate, authority.certificate)
const limits = resolveLimits({})
const context = { limits, flusher: new Flusher(limits, systemClock) }
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

describe('a client certificate', () => {
  test('says who dials, found by a pin or by roots', async () => {
    const server = await asking(honest)
    for (const [dial, connections] of [
      [() => dialPinned(pinned(server.port), context), 2],
      [() => dialTls(rooted(server.port), context), 3],
    ] as const) {
      const link = await dial()
      await server.until(() => server.accepted.length === connections)
      expect([link.security.protocol, link.security.peerCertificate]).toEqual(['TLSv1.3', undefined])
      link.terminate()
    }
    // The first dial of the pinned one only reads the chain: it shows nothing.
    expect(server.accepted.map(({ link }) => nameOf(link.security.peerCertificate))).toEqual([
      'nobody',
      keyHash(device.certificate),
      keyHash(device.certificate),
    ])
  })

  test('is kept back where a server does not ask for it', async () => {
    const server = await TestListener.start({ identity: honest, roots: '' })
    open.push(server)
    const link = await dialTls(rooted(server.port), context)
    await server.until(() => server.accepted.length > 0)
    expect(server.accepted.map(({ link: { security } }) => security.peerCertificate)).toEqual([undefined])
    link.terminate()
  })

  test('is never shown to whoever is not verified, in any version of TLS', async () => {
    for (const [who, identity] of await impostors()) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        using witness = await Witness.start(identity, version)
        const refusals = [await refusal(dialPinned(pinned(witness.port), context)), await refusal(dialTls(rooted(witness.port), context))]
        // Who speaks only TLS 1.2 is no server for a client that has a certificate.
        if (version === 'TLSv1.3') expect([who, ...refusals]).toEqual([who, 'untrusted', 'untrusted'])
        await witness.left()
        expect([who, version, witness.shown.filter((name) => name !== 'nobody')]).toEqual([who, version, []])
      }
    }
  })

  test('is not shown to whoever takes the place of the server between the two dials', async () => {
    const server = await asking(honest)
    for (const [who, identity] of await impostors()) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        using witness = await Witness.start(identity, version)
        using middle = await Middle.between(server.port, witness.port)
        const code = await refusal(dialPinned(pinned(middle.port), context))
        await witness.left()
        expect([who, code, middle.connections, witness.connections, witness.shown]).toEqual([
          who,
          version === 'TLSv1.3' ? 'untrusted' : 'unreachable',
          2,
          1,
          [],
        ])
      }
    }
  })

  test('is not shown where verification is dangerously skipped', async () => {
    using witness = await Witness.start(honest, 'TLSv1.3')
    const link = await dialTls({ ...rooted(witness.port), dangerouslySkipVerification: true }, context)
    await witness.until(() => witness.shown.length > 0)
    expect(witness.shown).toEqual(['nobody'])
    link.terminate()
  })

  test('is shown by nobody over TLS 1.2, where everybody on the way could read it', async () => {
    using witness = await Witness.start(honest, 'TLSv1.2')
    expect(await refusal(dialTls(rooted(witness.port), context))).toBe('unreachable')
    const { clientCertificate: _, ...without } = rooted(witness.port)
    const link = await dialTls(without, context)
    await witness.until(() => witness.shown.length > 0)
    expect([link.security.protocol, witness.shown]).toEqual(['TLSv1.2', ['nobody']])
    link.terminate()
  })
})

/** Those who may stand in the middle, and what they would show. */
async function impostors(): Promise<readonly (readonly [who: string, identity: TlsIdentity])[]> {
  const foreign = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: other })
  const forged = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: { name: authority.name, key: newKey() } })
  const elsewhere = await makeCertificate({ commonName: 'x', names: ['elsewhere.example'], signedBy: authority })
  const expired = await makeCertificate({ commonName: 'x', names: ['localhost'], until: -1, signedBy: authority })
  return [
    ['another authority', identityOf(foreign.key, foreign.certificate, other.certificate)],
    ['a stranger who shows our authority', identityOf(foreign.key, foreign.certificate, authority.certificate)],
    ['a changed key in the name of our authority', identityOf(forged.key, forged.certificate, authority.certificate)],
    ['a server of another name', identityOf(elsewhere.key, elsewhere.certificate, authority.certificate)],
    ['a server whose time is over', identityOf(expired.key, expired.certificate, authority.certificate)],
    ['a device of our authority', identityOf(device.key, device.certificate, authority.certificate)],
  ]
}

function pinned(port: number): PinnedDialOptions {
  const pinOf = (certificate: X509Certificate): string => keyHash(certificate)
  return { host: 'localhost', port, pin: pinOf(authority.certificate), pinOf, clientCertificate, timeoutMs: 5000 }
}

function rooted(port: number) {
  return { host: 'localhost', port, roots: authority.certificate.toString(), clientCertificate, timeoutMs: 5000 }
}

/** A server that asks for certificates of our authority and does not insist. */
async function asking(identity: TlsIdentity): Promise<TestListener> {
  const deviceAuthorities = authority.certificate.toString()
  const server = await TestListener.start({ identity: { ...identity, deviceAuthorities }, roots: '' }, { clientCertificates: 'optional' })
  open.push(server)
  return server
}

async function refusal(dialling: Promise<unknown>): Promise<string> {
  const reason = await dialling.catch((error: unknown) => error)
  return SealwireError.is(reason) ? reason.code : 'none'
}

function nameOf(certificate: Uint8Array | undefined): string {
  return certificate === undefined ? 'nobody' : keyHash(new X509Certificate(certificate))
}

/** A server that takes any certificate, and remembers whose it was shown. */
class Witness implements Disposable {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  readonly shown: string[] = []
  connections = 0
  #left = 0
  #wake: (() => void) | undefined

  private constructor({ certificateChain, key }: TlsIdentity, version: SecureVersion) {
    const options = { cert: certificateChain, key, minVersion: version, maxVersion: version, requestCert: true, rejectUnauthorized: false }
    this.#server = createServer({ ...options, ca: authority.certificate.toString() }, (socket) => this.#meet(socket))
    this.#server.on('tlsClientError', () => {})
    this.#server.on('connection', (socket: Socket) => this.#watch(socket))
  }

  static async start(identity: TlsIdentity, version: SecureVersion): Promise<Witness> {
    const witness = new Witness(identity, version)
    await new Promise<void>((resolve) => witness.#server.listen(0, '127.0.0.1', resolve))
    return witness
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** Resolves when whoever came has left. */
  left(): Promise<void> {
    return this.until(() => this.connections > 0 && this.#left === this.connections)
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #meet(socket: TLSSocket): void {
    socket.on('error', () => {})
    socket.resume()
    this.shown.push(nameOf(socket.getPeerX509Certificate()?.raw))
    this.#wake?.()
  }

  #watch(socket: Socket): void {
    this.connections++
    this.#sockets.push(socket)
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#left++
      this.#wake?.()
    })
  }
}

/** Carries the first connection to one server and all others to another. */
class Middle implements Disposable {
  readonly #server: TcpServer
  readonly #sockets: Socket[] = []
  connections = 0

  private constructor(first: number, second: number) {
    this.#server = createTcpServer((client) => {
      const server = connect(this.connections++ === 0 ? first : second, '127.0.0.1')
      for (const socket of [client, server]) socket.on('error', () => {})
      this.#sockets.push(client, server)
      client.pipe(server).pipe(client)
    })
  }

  static async between(first: number, second: number): Promise<Middle> {
    const middle = new Middle(first, second)
    await new Promise<void>((resolve) => middle.#server.listen(0, '127.0.0.1', resolve))
    return middle
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
