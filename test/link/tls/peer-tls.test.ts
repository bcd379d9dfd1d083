// Two devices that face each other, and everybody else who may stand in the place of one of them.

import { afterAll, describe, expect, test } from 'bun:test'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TlsOptions } from 'node:tls'
import { systemClock } from '../../../src/domain/index.ts'
import {
  type DialledLink,
  Flusher,
  type Link,
  type LinkContext,
  type ListenHandlers,
  listenPeer,
  type Ticket,
  type TlsListenOptions,
} from '../../../src/link/index.ts'
import { peerProtocol } from '../../../src/link/tls/options.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { relayedLinkCompliance } from '../../compliance/relayed-link.ts'
import { makeCertificate } from '../../support/certificates.ts'
import { deviceOf, selfSignedEd25519 } from '../../support/client-certificates.ts'
import { applicationProtocols, earlyData, extensionsOf, preSharedKey, serverName, supportedVersions } from '../../support/client-hello.ts'
import { Impostor, knock, knockRaw, wrongCertificates } from '../../support/impostors.ts'
import { derOf, dialBob, expecting, makePeers, openSockets, refusalOf, shownBy, TestPeer, untilSockets } from '../../support/peers.ts'
import { TcpRelay } from '../../support/tcp-relay.ts'

const peers = await makePeers()
const wrong = await wrongCertificates(peers)
const own = shownBy(peers.alice)
const limits = resolveLimits({})
const context = { limits, flusher: new Flusher(limits, systemClock) }
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

const listenAsPeer = <T extends Ticket>({ host, port }: TlsListenOptions, handlers: ListenHandlers<T>, parts: LinkContext) => {
  const ticket = { established() {}, release() {} } as T
  const opened = { opened: (link: Link) => handlers.opened(link, ticket), refused() {} }
  return listenPeer({ host, port, identity: () => shownBy(peers.bob), verify: expecting(peers, peers.alice) }, opened, parts)
}

relayedLinkCompliance('a link of two devices', {
  identity: { identity: { certificateChain: '', key: '' }, roots: '' },
  listen: listenAsPeer,
  dial: (port, parts) => dialBob(peers, port, parts),
})

describe('two devices', () => {
  test('know each other by their certificates, over TLS 1.3, on both ends', async () => {
    using bob = await TestPeer.start(peers)
    bob.greeting = 'hello'
    const link = await dialBob(peers, bob.port, context)
    const recorder = new Recorder()
    link.attach(recorder)
    await recorder.until(() => recorder.text === 'hello')
    link.send(Buffer.from('hello to you'))
    const [accepted] = bob.accepted
    await accepted?.recorder.until(() => accepted.recorder.text === 'hello to you')
    const alike = { protocol: 'TLSv1.3', alpn: 'sealwire-direct/1' }
    expect(link.security).toMatchObject({ ...alike, peerCertificate: derOf(peers.bob.certificate) })
    expect(accepted?.link.security).toMatchObject({ ...alike, peerCertificate: derOf(peers.alice.certificate) })
    link.terminate()
  })

  test('find each other on every address of a listener on ::', async () => {
    using bob = await TestPeer.start(peers, { host: '::' })
    for (const [at, host] of ['127.0.0.1', '::1'].entries()) {
      const link = await dialBob(peers, bob.port, context, { host })
      await bob.until(() => bob.accepted.length > at)
      link.terminate()
    }
  })

  test('send no name, no ticket and no early data, and offer nothing older than TLS 1.3', async () => {
    using bob = await TestPeer.start(peers)
    using relay = await TcpRelay.to(bob.port)
    for (const count of [1, 2]) {
      const link = await dialBob(peers, relay.port, context)
      await bob.until(() => bob.accepted.length === count)
      link.terminate()
    }
    const hellos = relay.fromClient.filter((bytes) => bytes[0] === 22).map(extensionsOf)
    expect(hellos.length).toBe(2)
    for (const extensions of hellos) {
      expect([serverName, preSharedKey, earlyData].filter((each) => extensions.has(each))).toEqual([])
      const versions = extensions.get(supportedVersions)?.subarray(1).toString('hex').match(/..../g) ?? []
      // A version of which both bytes are ?A is GREASE (RFC 8701).
      expect(versions.filter((each) => !/^(.a)\1$/.test(each))).toEqual(['0304'])
      expect(extensions.get(applicationProtocols)?.subarray(3).toString()).toBe(peerProtocol)
    }
  })

  test('resume no session', async () => {
    using bob = await TestPeer.start(peers)
    const sessions: Buffer[] = []
    const dial = (session?: Buffer): Promise<boolean> =>
      new Promise((resolve, reject) => {
        const always = { host: '127.0.0.1', port: bob.port, rejectUnauthorized: false, ALPNProtocols: [peerProtocol] }
        const socket = connectTls({ ...always, cert: own.chain, key: own.key, ...(session === undefined ? {} : { session }) })
        socket.on('session', (each) => sessions.push(each))
        socket.on('error', reject)
        socket.on('data', () => {
          resolve(socket.isSessionReused())
          socket.destroy()
        })
      })
    bob.greeting = 'hello'
    expect(await dial()).toBe(false)
    for (const session of sessions.slice()) expect(await dial(session)).toBe(false)
  })

  test('show the certificate of the moment, and ask for the verdict of the moment', async () => {
    using bob = await TestPeer.start(peers)
    const renewed = await deviceOf(peers.authority, { key: peers.bob.key })
    bob.identity = shownBy(renewed)
    const link = await dialBob(peers, bob.port, context)
    expect(link.security.peerCertificate).toEqual(derOf(renewed.certificate))
    await bob.until(() => bob.accepted.length === 1)
    link.terminate()
    bob.verify = expecting(peers) // Alice's device was revoked.
    expect(await knock(bob.port, own)).toMatchObject({ received: 0 })
    expect([await bob.refusal(), bob.accepted.length]).toEqual([`handshake client_certificate ${notExpected}`, 1])
  })
})

describe('listenPeer', () => {
  test('lets in nobody with another certificate or none, hears nothing of them and says nothing to them', async () => {
    using bob = await TestPeer.start(peers)
    bob.greeting = 'a secret'
    const before = openSockets()
    for (const { title, shown, refusal } of wrong) {
      const { received } = await knock(bob.port, shown)
      expect([title, received, await bob.refusal(), bob.accepted.length]).toEqual([title, 0, `handshake client_certificate ${refusal}`, 0])
    }
    expect(await knock(bob.port, {})).toMatchObject({ received: 0 })
    expect(await bob.refusal()).toBe('handshake client_certificate [untrusted] the other side shows no certificate')
    const { chain, key } = shownBy(await selfSignedEd25519())
    expect(await knock(bob.port, { chain, key })).toMatchObject({ received: 0 })
    expect(await bob.refusal()).toMatch(/^handshake /)
    await untilSockets(before)
    expect([bob.accepted.length, bob.refusals]).toEqual([0, []])
  })

  test('lets nobody in by TLS 1.2, or by another protocol than that of direct links', async () => {
    using bob = await TestPeer.start(peers)
    bob.greeting = 'a secret'
    const before = openSockets()
    for (const [refusal, options] of [
      ['handshake version', { maxVersion: 'TLSv1.2' }],
      ['handshake protocol', { ALPNProtocols: ['sealwire/1'] }],
      ['handshake protocol', { ALPNProtocols: ['h2', 'sealwire-direct/2'] }],
      ['handshake protocol', { ALPNProtocols: [] }],
    ] as const satisfies readonly (readonly [string, ConnectionOptions])[]) {
      const { received } = await knock(bob.port, own, {
        ...options,
        ...('ALPNProtocols' in options ? { ALPNProtocols: [...options.ALPNProtocols] } : {}),
      })
      expect([received, await bob.refusal(), bob.accepted.length]).toEqual([0, refusal, 0])
    }
    await untilSockets(before)
  })

  test('cuts what is no TLS, and what ends in its handshake', async () => {
    using bob = await TestPeer.start(peers)
    bob.greeting = 'a secret'
    const before = openSockets()
    const hello = await clientHello()
    for (const [title, parts, end, refusal] of [
      ['HTTP', ['GET / HTTP/1.1\r\n\r\n'], false, /^handshake not_tls$/],
      ['a frame of the contract', [Buffer.from('4d4147431000000000000000', 'hex')], false, /^handshake not_tls$/],
      ['nothing, and the end', [], true, /^handshake closed$/],
      ['half a hello, and the end', [hello.subarray(0, 100)], true, /^handshake closed$/],
      ['a hello, and the end of that half', [hello], true, /^handshake closed$/],
      ['a hello, and rubbish', [hello, Buffer.alloc(64, 0x17)], false, /^handshake /],
    ] as const) {
      const received = await knockRaw(bob.port, parts, { end })
      expect([title, received.includes('a secret'), bob.accepted.length]).toEqual([title, false, 0])
      expect(await bob.refusal()).toMatch(refusal)
    }
    await untilSockets(before)
  })

  test('cuts what is silent, from whichever moment on', async () => {
    using bob = await TestPeer.start(peers, { limits: { handshakeMsMax: 300 } })
    bob.greeting = 'a secret'
    const before = openSockets()
    const hello = await clientHello()
    for (const parts of [[], [hello.subarray(0, 100)], [hello]]) {
      const received = await knockRaw(bob.port, parts)
      expect([received.includes('a secret'), await bob.refusal(), bob.accepted.length]).toEqual([false, 'timeout', 0])
    }
    await untilSockets(before)
  })

  test('bounds how many are in their handshake: one more ends the oldest, and an honest device gets in', async () => {
    using bob = await TestPeer.start(peers, { limits: { directHandshakesMax: 3 } })
    const before = openSockets()
    const silent: Socket[] = []
    for (const _ of [1, 2, 3, 4, 5]) silent.push(await silentSocket(bob.port))
    await bob.until(() => bob.refusals.length === 2)
    const link = await dialBob(peers, bob.port, context)
    await bob.until(() => bob.accepted.length === 1 && bob.refusals.length === 3)
    expect(bob.refusals).toEqual(['evicted', 'evicted', 'evicted'])
    for (const each of silent) each.destroy()
    link.terminate()
    await untilSockets(before)
  })

  test('ends them when it is closed', async () => {
    const bob = await TestPeer.start(peers)
    await silentSocket(bob.port)
    bob[Symbol.dispose]()
    await bob.until(() => bob.refusals.length === 1)
  })

  test('counts nobody who is in among them', async () => {
    using bob = await TestPeer.start(peers, { limits: { directHandshakesMax: 2 } })
    for (const count of [1, 2, 3]) {
      open.push(disposable(await dialBob(peers, bob.port, context)))
      await bob.until(() => bob.accepted.length === count)
    }
    const silent: Socket[] = []
    for (const _ of [1, 2, 3]) silent.push(await silentSocket(bob.port))
    await bob.until(() => bob.refusals.length > 0)
    expect([bob.refusals, bob.accepted.map(({ link }) => link.open)]).toEqual([['evicted'], [true, true, true]])
    for (const each of silent) each.destroy()
  })

  test('lets nobody in when the verdict itself fails', async () => {
    using bob = await TestPeer.start(peers)
    bob.verify = () => {
      throw new TypeError('a bug')
    }
    expect(await knock(bob.port, own)).toMatchObject({ received: 0 })
    expect([await bob.refusal(), bob.accepted.length]).toEqual(['handshake client_certificate [internal] internal error', 0])
  })

  test('is somewhere, or says why not', async () => {
    using bob = await TestPeer.start(peers)
    const options = { host: '127.0.0.1', port: bob.port, identity: () => own, verify: () => {} }
    expect(await refusalOf(listenPeer(options, { opened: () => new Recorder(), refused: () => {} }, context))).toMatch(
      /^\[address_unavailable\]/,
    )
  })
})

describe('dialPeer', () => {
  test('takes nobody with another certificate, shows its own to none of them, hears nothing and says nothing', async () => {
    const before = openSockets()
    for (const { title, shown, refusal } of wrong) {
      using impostor = await Impostor.ofTls(shown)
      const reason = await refusalOf(dialBob(peers, impostor.port, context))
      await untilSockets(before + 1)
      expect([title, reason, impostor.shaken, impostor.received]).toEqual([title, refusal, 0, 0])
    }
    await untilSockets(before)
  })

  test('sends not a byte of its certificate to who is refused: nothing follows its first message', async () => {
    const [first] = wrong
    using impostor = await Impostor.ofTls(first?.shown ?? own)
    using relay = await TcpRelay.to(impostor.port)
    expect(await refusalOf(dialBob(peers, relay.port, context))).toBe(first?.refusal ?? '')
    const sent = Buffer.concat(relay.fromClient)
    // One record of a ClientHello, and nothing behind it.
    expect([sent[0], sent.readUInt16BE(3) + 5]).toEqual([22, sent.length])
  })

  test('refuses TLS 1.2, and another protocol than that of direct links, whoever it is', async () => {
    const before = openSockets()
    for (const [expected, options] of [
      [/^\[unreachable\] HOST:PORT speaks neither TLS 1.2 nor TLS 1.3$/, { maxVersion: 'TLSv1.2' }],
      [/^\[unreachable\] HOST:PORT is a TLS server of another protocol$/, { ALPNProtocols: ['sealwire/1'] }],
      [/^\[unreachable\] HOST:PORT is a TLS server of another protocol$/, { ALPNProtocols: [] }],
    ] as const) {
      const changes: TlsOptions = 'maxVersion' in options ? options : { ALPNProtocols: [...options.ALPNProtocols] }
      using impostor = await Impostor.ofTls(shownBy(peers.bob), changes)
      const reason = await refusalOf(dialBob(peers, impostor.port, context))
      await untilSockets(before + 1)
      expect(reason.replace(`127.0.0.1:${impostor.port}`, 'HOST:PORT')).toMatch(expected)
      expect([impostor.shaken, impostor.received]).toEqual([0, 0])
    }
    await untilSockets(before)
  })

  test('gives up on what is no TLS, what ends in its handshake, and what is silent', async () => {
    const before = openSockets()
    for (const [title, act, expected] of [
      ['HTTP', (socket: Socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /does not speak TLS$/],
      ['the end', (socket: Socket) => void socket.end(), /closed the connection during the handshake$/],
      ['half-close', (socket: Socket) => void socket.once('data', () => socket.end()), /closed the connection during the handshake$/],
      ['cut', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()), /closed the connection during the handshake$/],
      ['silence', () => {}, /did not answer within 0.5 s$/],
    ] as const) {
      using impostor = await Impostor.ofTcp(act)
      const reason = await refusalOf(dialBob(peers, impostor.port, context, title === 'silence' ? { timeoutMs: 500 } : {}))
      expect(`${title}: ${reason}`).toMatch(expected)
      expect(reason).toMatch(/^\[unreachable\]/)
    }
    await untilSockets(before)
  })

  test('ends when it is told to, before and in the middle', async () => {
    const before = openSockets()
    const controller = new AbortController()
    using impostor = await Impostor.ofTcp((socket) => void socket.once('data', () => controller.abort()))
    const { signal } = controller
    expect(await refusalOf(dialBob(peers, impostor.port, context, { signal }))).toBe('[unreachable] the connection was given up')
    expect(await refusalOf(dialBob(peers, impostor.port, context, { signal }))).toBe('[unreachable] the connection was given up')
    impostor[Symbol.dispose]()
    await untilSockets(before)
  })

  test('looks up no names', async () => {
    expect(await refusalOf(dialBob(peers, 1, context, { host: 'localhost' }))).toMatch(/^\[internal\]/)
  })

  test('may believe that it is connected when the other side has refused it, and never hears a byte then', async () => {
    using bob = await TestPeer.start(peers)
    bob.greeting = 'a secret'
    bob.verify = expecting(peers)
    const before = openSockets()
    for (let at = 0; at < 5; at++) {
      const link = await dialBob(peers, bob.port, context)
      const recorder = new Recorder()
      link.attach(recorder)
      link.send(Buffer.from('a secret'))
      expect(await bob.refusal()).toBe(`handshake client_certificate ${notExpected}`)
      await recorder.until(() => recorder.ends.length > 0)
      expect([recorder.bytesTotal, ['ended', 'reset', 'refused'].includes(recorder.ends[0] ?? '')]).toEqual([0, true])
    }
    expect(bob.accepted.length).toBe(0)
    await untilSockets(before)
  })

  test('gets nothing of a device that refuses it, no ticket either, once that has verified it', async () => {
    using bob = await TestPeer.start(peers)
    bob.greeting = 'a secret'
    bob.verify = expecting(peers)
    using relay = await TcpRelay.to(bob.port)
    const link = await dialBob(peers, relay.port, context)
    // All of the other side's handshake has come, and the last part of ours has not reached it yet.
    const before = relay.fromServer.length
    const recorder = new Recorder()
    link.attach(recorder)
    await recorder.until(() => recorder.ends.length > 0)
    expect([relay.fromServer.length - before, await bob.refusal()]).toEqual([0, `handshake client_certificate ${notExpected}`])
  })

  test('lets the environment have no say, on either side', async () => {
    const name = 'NODE_TLS_REJECT_UNAUTHORIZED'
    const before = process.env[name]
    process.env[name] = '0'
    try {
      using bob = await TestPeer.start(peers)
      const [first] = wrong
      expect(await knock(bob.port, first?.shown ?? {})).toMatchObject({ received: 0 })
      expect(await bob.refusal()).toBe(`handshake client_certificate ${first?.refusal}`)
      bob.identity = first?.shown ?? own
      expect(await refusalOf(dialBob(peers, bob.port, context))).toBe(first?.refusal ?? '')
    } finally {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    }
  })

  test('takes no certificate for a server’s: one that is for both, and for this name, is none of a device without its key in the list', async () => {
    const both = await makeCertificate({
      commonName: 'x',
      names: ['localhost'],
      usages: [serverUsage, clientUsage],
      signedBy: peers.authority,
    })
    using impostor = await Impostor.ofTls(shownBy(both))
    expect(await refusalOf(dialBob(peers, impostor.port, context))).toBe(notExpected)
  })
})

/** What `dialPeer` sends first. */
async function clientHello(): Promise<Buffer> {
  using listener = await Impostor.ofTcp((socket) => void socket.once('data', () => socket.destroy()))
  await refusalOf(dialBob(peers, listener.port, context))
  return Buffer.concat(listener.raw)
}

function disposable(link: DialledLink): Disposable {
  return { [Symbol.dispose]: () => link.terminate() }
}

async function silentSocket(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

const notExpected = '[untrusted] the certificate of the other device is of a device that is not expected here'
const serverUsage = '1.3.6.1.5.5.7.3.1'
const clientUsage = '1.3.6.1.5.5.7.3.2'
