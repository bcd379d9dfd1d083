import { afterAll, describe, expect, test } from 'bun:test'
import { KeyPair, keyPin } from '../../src/channel/index.ts'
import { dialSealed, type DialledLink, Flusher, type LinkContext } from '../../src/link/index.ts'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { linkCompliance, Recorder } from '../compliance/link.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { sealedListen, serverKeys } from '../support/sealed-listener.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'

const identity = await testIdentity()
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

const pin = keyPin(serverKeys.publicKey)
const ways = {
  XX: { pin },
  NK: { pin, serverKey: serverKeys.publicKey },
  IK: { pin, serverKey: serverKeys.publicKey, staticKey: KeyPair.generate() },
} as const

for (const side of ['accepted', 'dialled'] as const) {
  let server: TestListener
  let relay: TcpRelay
  let client: DialledLink
  linkCompliance(`the sealed channel (${side})`, {
    async setup(overrides) {
      server = await TestListener.start(identity, { limits: overrides ?? {}, listen: sealedListen() })
      relay = await TcpRelay.to(server.port)
      client = await dialSealed({ host: '127.0.0.1', port: relay.port, timeoutMs: 5000, ...ways.NK }, server.context)
      const clientRecorder = new Recorder()
      client.attach(clientRecorder)
      const { link, recorder } = await server.first()
      const breakFar = (): void => relay.reset()
      return side === 'accepted'
        ? { near: link, nearRecorder: recorder, far: client, farRecorder: clientRecorder, breakFar }
        : { near: client, nearRecorder: clientRecorder, far: link, farRecorder: recorder, breakFar }
    },
    async teardown() {
      client.terminate()
      server[Symbol.dispose]()
      relay[Symbol.dispose]()
      await server.until(() => server.tickets === 0)
    },
  })
}

describe('a sealed link', () => {
  test.each(['XX', 'NK', 'IK'] as const)('says that it is one of %s, and which key the peer has proved', async (pattern) => {
    const { link, client } = await pair(pattern)
    expect(client.security).toEqual({
      protocol: 'noise',
      cipher: `Noise_${pattern}_25519_AESGCM_SHA256`,
      alpn: '',
      peerCertificate: undefined,
      peerStaticKey: serverKeys.publicKey,
    })
    // With XX the client shows a key too, and one that means nothing.
    expect(link.security.peerStaticKey).toEqual(pattern === 'IK' ? ways.IK.staticKey.publicKey : undefined)
  })

  test('delivers what came together with the end of the handshake', async () => {
    const { client, recorder } = await pair('NK', { attach: false })
    client.send(Buffer.from('before '))
    client.flush()
    client.send(Buffer.from('anybody '))
    client.flush()
    client.attach(new Recorder())
    client.send(Buffer.from('listened'))
    await recorder.until(() => recorder.bytesTotal === 23)
    expect(recorder.text).toBe('before anybody listened')
  })

  test('keeps for whoever attaches late what the peer sent at once', async () => {
    const { client, link } = await pair('XX', { attach: false })
    link.send(Buffer.from('early'))
    link.flush()
    await new Promise((resolve) => setImmediate(resolve))
    const recorder = new Recorder()
    client.attach(recorder)
    expect(recorder.chunks).toEqual([])
    await recorder.until(() => recorder.bytesTotal === 5)
    expect(recorder.text).toBe('early')
  })

  test('seals what a turn has written as one record, and 200 kB as four', async () => {
    const { client, recorder, relay } = await pair('NK')
    const before = relay.bytesFromClient
    for (let count = 0; count < 50; count++) client.send(Buffer.from('xx'))
    await recorder.until(() => recorder.bytesTotal === 100)
    expect(relay.bytesFromClient - before).toBe(100 + 33)
    client.send(Buffer.alloc(200_000, 'y'))
    await recorder.until(() => recorder.bytesTotal === 200_100)
    expect(relay.bytesFromClient - before).toBe(200_100 + 5 * 33)
  })

  test('tells a record that was changed on its way, and delivers nothing of it', async () => {
    const { client, recorder, relay } = await pair('NK')
    relay.corrupt = true
    client.send(Buffer.from('this record is damaged on its way'))
    await recorder.until(() => recorder.ends.length > 0)
    expect([recorder.bytesTotal, recorder.ends]).toEqual([0, ['corrupt']])
  })

  test.each([
    ['clean', 'ended'],
    ['fin', 'truncated'],
    ['record', 'truncated'],
  ] as const)('tells a clean end from one that somebody made: %s is %s', async (cut, end) => {
    const { client, recorder, relay } = await pair('NK')
    client.send(Buffer.from('whole'))
    await recorder.until(() => recorder.bytesTotal === 5)
    if (cut === 'clean') client.close()
    if (cut === 'record') client.send(Buffer.from('this record will not arrive whole'))
    if (cut !== 'clean') relay.truncate(cut === 'record' ? 9 : 0)
    client.flush()
    await recorder.until(() => recorder.ends.length > 0)
    expect([recorder.text, recorder.ends]).toEqual(['whole', [end]])
  })

  test('still answers a peer that has ended, with more than the system takes at once', async () => {
    const lots = 16 * 1024 * 1024
    const { client, clientRecorder, link, recorder } = await pair('NK', {
      limits: { outputBytesMax: lots, outputBytesHigh: lots, closingBytesMax: lots },
    })
    recorder.onBytes = () => {
      for (let piece = 0; piece < 100; piece++) link.send(Buffer.alloc(100_000, 'x'))
    }
    client.send(Buffer.from('still there?'))
    client.close()
    await recorder.until(() => recorder.ends.length > 0)
    await clientRecorder.until(() => clientRecorder.ends.length > 0)
    expect([recorder.ends, clientRecorder.ends]).toEqual([['ended'], ['closed']])
  })

  test('closes in order before the life of its channel is over', async () => {
    const clock = new ManualClock()
    const limits = resolveLimits({ channelAgeMsMax: 60_000 })
    const context = { limits, flusher: new Flusher(limits, clock) }
    const { server, client, recorder, clientRecorder } = await pair('NK', { context })
    await clock.move(44_999)
    expect(client.open).toBe(true)
    await clock.move(1)
    expect(client.open).toBe(false)
    await recorder.until(() => recorder.ends.length > 0)
    await clientRecorder.until(() => clientRecorder.ends.length > 0)
    expect([recorder.ends, clientRecorder.ends, server.failures]).toEqual([['ended'], ['closed'], []])
  })
})

interface PairOptions {
  readonly limits?: Partial<Limits>
  /** Of the dialling side. Default: that of the listener. */
  readonly context?: LinkContext
  /** Default: true. */
  readonly attach?: boolean
}

async function pair(pattern: keyof typeof ways, { limits = {}, context, attach = true }: PairOptions = {}) {
  const server = await TestListener.start(identity, { limits, listen: sealedListen() })
  const relay = await TcpRelay.to(server.port)
  open.push(server, relay)
  const client = await dialSealed({ host: '127.0.0.1', port: relay.port, timeoutMs: 5000, ...ways[pattern] }, context ?? server.context)
  const clientRecorder = new Recorder()
  if (attach) client.attach(clientRecorder)
  const { link, recorder } = await server.first()
  return { server, relay, client, clientRecorder, link, recorder }
}
