import { afterAll, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type Clock, systemClock } from '../../../src/domain/index.ts'
import { authorityOf, dialPinned, Flusher, type PinnedDialOptions, readPeerChain, type TlsIdentity } from '../../../src/link/index.ts'
import { successorOf } from '../../../src/link/tls/pin.ts'
import { spkiPin } from '../../../src/pki/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { identityOf, makeCertificate, newKey, type Signer } from '../../support/certificates.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener } from '../../support/tls-pair.ts'

const identity = await testIdentity()
const authority = new X509Certificate(identity.roots)
const pin = spkiPin(authority)
const stranger = await testIdentity()
const strangerPin = spkiPin(new X509Certificate(stranger.roots))
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

describe('readPeerChain', () => {
  test('brings the certificates that the server shows, its own first, and trusts none', async () => {
    const server = await listen()
    const chain = await readPeerChain({ host: 'localhost', port: server.port, timeoutMs: 5000 }, server.context)
    expect(chain.map(({ ca }) => ca)).toEqual([false, true])
    expect(chain[1]?.fingerprint256).toBe(authority.fingerprint256)
    expect(authorityOf(chain)?.fingerprint256).toBe(authority.fingerprint256)
  })

  test('sends nothing but the handshake, and is gone at once', async () => {
    const server = await listen()
    await readPeerChain({ host: '127.0.0.1', port: server.port, timeoutMs: 5000 }, server.context)
    const { recorder } = await server.first()
    await recorder.until(() => recorder.ends.length > 0)
    await server.until(() => server.tickets === 0)
    expect(recorder.bytesTotal).toBe(0)
  })

  test('finds no authority where the server sends only its own certificate', async () => {
    const alone = await makeCertificate({ commonName: 'localhost', names: ['localhost'] })
    const server = await listen(identityOf(alone.key, alone.certificate))
    const chain = await readPeerChain({ host: 'localhost', port: server.port, timeoutMs: 5000 }, server.context)
    expect([chain.length, authorityOf(chain)]).toEqual([1, undefined])
  })
})

test('authorityOf passes over a certificate whose key nobody can read', () => {
  const curve = Buffer.from('06082a8648ce3d030107', 'hex')
  const bytes = Buffer.from(authority.raw)
  bytes.writeUInt8(0x7f, bytes.indexOf(curve) + curve.length - 1)
  expect(authorityOf([new X509Certificate(bytes), authority])?.fingerprint256).toBe(authority.fingerprint256)
})

describe('dialPinned', () => {
  test('talks to the server whose authority has the pin', async () => {
    const server = await listen()
    const link = await dialPinned(pinned(server.port, { applicationProtocol: 'sealwire/1' }), server.context)
    expect(link.security).toMatchObject({ protocol: 'TLSv1.3', alpn: 'sealwire/1' })
    link.attach(new Recorder())
    link.send(Buffer.from('hello'))
    await server.until(() => server.accepted.length === 2)
    const recorder = server.accepted[1]?.recorder ?? new Recorder()
    await recorder.until(() => recorder.bytesTotal === 5)
    expect(recorder.text).toBe('hello')
    link.terminate()
  })

  test('still knows a server whose certificate was renewed', async () => {
    const server = await listen()
    const again = await makeCertificate({ commonName: 'new', names: ['localhost'], signedBy: await signer() })
    server.identity = { ...identity, identity: identityOf(again.key, again.certificate, (await signer()).certificate) }
    const link = await dialPinned(pinned(server.port, { pin: (await signer()).pin }), server.context)
    expect(link.open).toBe(true)
    link.terminate()
  })

  test('says both pins when the authority has another key', async () => {
    const server = await listen(stranger.identity)
    const refused = await refusal(pinned(server.port), server)
    expect([refused.code, refused.sentence]).toEqual([
      'untrusted',
      `localhost:${server.port} has another key: expected ${pin}, seen ${strangerPin}`,
    ])
    expect(await bytesOf(server)).toBe(0)
  })

  test('refuses somebody who shows the right authority with a certificate of his own', async () => {
    const { key, certificateChain } = { ...stranger.identity }
    const leaf = new X509Certificate(certificateChain)
    await refusedForSignature({ key, certificateChain: leaf.toString() + identity.roots })
  })

  test('refuses a certificate that names the right authority as its issuer and was signed by somebody else', async () => {
    const name = /CN=(.*)/.exec(authority.subject)?.[1] ?? ''
    const leaf = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: { name, key: newKey() } })
    await refusedForSignature(identityOf(leaf.key, leaf.certificate, authority))
  })

  test('refuses an authority that has the right key and was signed by somebody else', async () => {
    const real = await signer()
    const forged = await makeCertificate({ commonName: 'ca', isAuthority: true, key: real.key, signedBy: { name: 'ca', key: newKey() } })
    const leaf = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: real })
    const server = await listen(identityOf(leaf.key, leaf.certificate, forged.certificate))
    expect((await refusal(pinned(server.port, { pin: real.pin }), server)).sentence).toMatch(
      /has another key: expected SHA256:.*, seen SHA256:/,
    )
  })

  test('refuses a certificate with the right key that is not an authority', async () => {
    const server = await listen()
    const chain = await readPeerChain({ host: 'localhost', port: server.port, timeoutMs: 5000 }, server.context)
    const leafPin = chain[0] === undefined ? '' : spkiPin(chain[0])
    expect((await refusal(pinned(server.port, { pin: leafPin }), server)).sentence).toContain(`expected ${leafPin}, seen ${pin}`)
  })

  test('refuses whoever takes the place of the server between the two dials', async () => {
    const server = await listen()
    const other = await listen(stranger.identity)
    using proxy = await SwappingProxy.between(server.port, other.port)
    const refused = await refusal(pinned(proxy.port), server)
    expect([refused.code, refused.sentence]).toEqual([
      'untrusted',
      `localhost:${proxy.port} has a certificate that the authority ${pin} has not signed`,
    ])
    expect([proxy.connections, await bytesOf(server), await bytesOf(other)]).toEqual([2, 0, 0])
  })

  test('checks the name and the time', async () => {
    const server = await listen()
    const at = await signer()
    const elsewhere = await makeCertificate({ commonName: 'x', names: ['elsewhere.example'], signedBy: at })
    const expired = await makeCertificate({ commonName: 'x', names: ['localhost'], until: -1, signedBy: at })
    for (const [leaf, words] of [
      [elsewhere, 'has a certificate for another name'],
      [expired, 'has a certificate that has expired'],
    ] as const) {
      server.identity = { ...identity, identity: identityOf(leaf.key, leaf.certificate, at.certificate) }
      expect((await refusal(pinned(server.port, { pin: at.pin }), server)).sentence).toBe(`localhost:${server.port} ${words}`)
    }
  })

  test('gives the second dial the time that the first has left', async () => {
    const server = await listen()
    const asked: number[] = []
    let now = 0
    const after: Clock['after'] = (ms, action) => {
      asked.push(ms)
      return systemClock.after(ms, action)
    }
    const clock = { ...systemClock, after, monotonic: () => (now += 1000) }
    const { limits } = server.context
    const link = await dialPinned(pinned(server.port), { limits, flusher: new Flusher(limits, clock) })
    expect(asked).toEqual([5000, 4000])
    link.terminate()
  })

  test('gives up after its time, and when its signal says so', async () => {
    const server = await listen()
    using proxy = await SwappingProxy.between(server.port, undefined)
    const late = await refusal(pinned(proxy.port, { timeoutMs: 1500 }), server)
    expect([late.code, late.sentence, proxy.connections]).toEqual(['unreachable', `localhost:${proxy.port} did not answer within 1.5 s`, 2])
    const given = await refusal(pinned(proxy.port, { signal: AbortSignal.abort() }), server)
    expect([given.sentence, proxy.connections]).toEqual(['the connection was given up', 2])
  })
})

describe('an authority that was replaced', () => {
  test('is followed by who knows the old key, and who knows the new one notices nothing', async () => {
    const { old, next, bridge, leaf } = await replaced()
    const server = await listen(identityOf(leaf.key, leaf.certificate, bridge.certificate, old.certificate, next.certificate))
    const moved: string[] = []
    for (const known of [old.pin, next.pin]) {
      const link = await dialPinned(pinned(server.port, { pin: known, pinMoved: (to) => moved.push(to) }), server.context)
      link.terminate()
    }
    expect(moved).toEqual([next.pin])
  })

  test('is never one that the pinned key has not signed', async () => {
    const { old, next, bridge, leaf } = await replaced()
    const other = await makeCertificate({ commonName: 'next', isAuthority: true })
    const forged = await makeCertificate({
      commonName: 'next',
      isAuthority: true,
      key: other.key,
      signedBy: { name: 'old', key: newKey() },
    })
    const device = await makeCertificate({ commonName: 'next', key: other.key, signedBy: { name: 'old', key: old.key } })
    const stolen = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: { name: 'next', key: other.key } })
    const before = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: { name: 'old', key: old.key } })
    const found = (...chain: readonly Signer[]) =>
      successorOf(
        old.certificate,
        chain.map(({ certificate }) => certificate),
      )
    expect(found(leaf, bridge, old, next)?.fingerprint256).toBe(next.certificate.fingerprint256)
    expect(found(leaf, next, old, bridge)?.fingerprint256).toBe(next.certificate.fingerprint256)
    for (const chain of [
      [leaf, old, next], // Nobody vouches.
      [stolen, forged, old, other], // The one who vouches is another one of that name.
      [stolen, device, old, other], // A device is no authority.
      [stolen, bridge, old, next], // The server has nothing to do with the new one.
      [before, bridge, old, next],
      [leaf, bridge, old, other], // The one at the end is another one of that name.
      [leaf, bridge, old],
      [leaf],
      [],
    ]) {
      expect(found(...chain)).toBeUndefined()
    }
  })
})

async function replaced() {
  const [old, next] = [
    await makeCertificate({ commonName: 'old', isAuthority: true }),
    await makeCertificate({ commonName: 'next', isAuthority: true }),
  ]
  const bridge = await makeCertificate({ commonName: 'next', isAuthority: true, key: next.key, signedBy: { name: 'old', key: old.key } })
  const leaf = await makeCertificate({ commonName: 'x', names: ['localhost'], signedBy: { name: 'next', key: next.key } })
  return { old, next, bridge, leaf }
}

/** Carries the first connection to one server and all others to another, or nowhere. */
class SwappingProxy implements Disposable {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  connections = 0

  private constructor(first: number, second: number | undefined) {
    this.#server = createServer((client) => {
      const target = this.connections++ === 0 ? first : second
      const sockets = target === undefined ? [client] : [client, connect(target, '127.0.0.1')]
      this.#sockets.push(...sockets)
      for (const socket of sockets) socket.on('error', () => {})
      const [, server] = sockets
      if (server !== undefined) client.pipe(server).pipe(client)
    })
  }

  static async between(first: number, second: number | undefined): Promise<SwappingProxy> {
    const proxy = new SwappingProxy(first, second)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** An authority whose key the test has. */
const signer = once(async () => ({ name: 'ca', ...(await makeCertificate({ commonName: 'ca', isAuthority: true })) }))

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

async function listen(shown: TlsIdentity = identity.identity): Promise<TestListener> {
  const server = await TestListener.start({ ...identity, identity: shown })
  open.push(server)
  return server
}

function pinned(port: number, options: Partial<PinnedDialOptions> = {}): PinnedDialOptions {
  return { host: 'localhost', port, pin, pinOf: spkiPin, timeoutMs: 5000, ...options }
}

async function refusal(options: PinnedDialOptions, { context }: TestListener): Promise<SealwireError> {
  const reason = await dialPinned(options, context).catch((error: unknown) => error)
  if (!SealwireError.is(reason)) throw new TypeError(`not refused: ${String(reason)}`)
  return reason
}

async function refusedForSignature(shown: TlsIdentity): Promise<void> {
  const server = await listen(shown)
  const refused = await refusal(pinned(server.port), server)
  expect([refused.code, refused.sentence]).toEqual([
    'untrusted',
    `localhost:${server.port} has a certificate that the authority ${pin} has not signed`,
  ])
  expect(await bytesOf(server)).toBe(0)
}

/** What the server has been sent, once nobody is connected to it any more. */
async function bytesOf(server: TestListener): Promise<number> {
  await server.until(() => server.tickets === 0)
  return server.accepted.reduce((sum, { recorder }) => sum + recorder.bytesTotal, 0)
}
