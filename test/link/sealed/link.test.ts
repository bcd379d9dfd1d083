import { afterAll, describe, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { ChannelClient, type ClientChannel, KeyPair, keyPin, recordOverheadBytes } from '../../../src/channel/index.ts'
import { RecordSink } from '../../../src/link/record-sink.ts'
import { dialSealed, Flusher, type LinkContext } from '../../../src/link/index.ts'
import { type Limits, resolveLimits } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { relayedLinkCompliance } from '../../compliance/relayed-link.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { sealedListen, serverKeys } from '../../support/sealed-listener.ts'
import { TcpRelay } from '../../support/tcp-relay.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener } from '../../support/tls-pair.ts'

const identity = await testIdentity()
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

const pin = keyPin(serverKeys.publicKey)
const ways = {
  XX: { pin },
  NK: { pin, serverKey: serverKeys.publicKey },
  IK: { pin, serverKey: serverKeys.publicKey, staticKey: KeyPair.generate() },
} as const

relayedLinkCompliance('the sealed channel', {
  identity,
  listen: sealedListen(),
  dial: (port, context) => dialSealed({ host: '127.0.0.1', port, timeoutMs: 5000, ...ways.NK }, context),
})

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
    expect(client.renewBefore).toBe(clock.monotonic() + 30_000)
    await clock.move(44_999)
    expect(client.open).toBe(true)
    await clock.move(1)
    expect(client.open).toBe(false)
    await recorder.until(() => recorder.ends.length > 0)
    await clientRecorder.until(() => clientRecorder.ends.length > 0)
    expect([recorder.ends, clientRecorder.ends, server.failures]).toEqual([['ended'], ['closed'], []])
  })
})

describe('the life of a channel that the server says', () => {
  test('counts on the client, which has time to connect anew before either end closes', async () => {
    const clock = new ManualClock()
    const limits = resolveLimits()
    const { client } = await pair('NK', {
      limits: { channelAgeMsMax: 3_600_000 },
      context: { limits, flusher: new Flusher(limits, clock) },
    })
    expect(client.renewBefore).toBe(clock.monotonic() + 3_600_000 - 2 * 900_000)
    await clock.move(3_600_000 - 2 * 900_000)
    expect(client.open).toBe(true)
    await clock.move(900_000)
    expect(client.open).toBe(false)
  })
})

describe('a record that has begun', () => {
  // The shortest time that there is, on the clock of the machine.
  const limits = { frameMsMax: 1_000, frameBytesPerSecondMin: 1_024 }

  test.each([1, 16, 900])('is whole within the time of a frame, or the link is cut: %i bytes of it', async (bytes) => {
    await using raw = await RawClient.dial({ limits })
    const { link, recorder } = await raw.server.first()
    raw.socket.write(raw.record(60_000).subarray(0, bytes))
    await recorder.until(() => recorder.ends.length > 0)
    expect([link.open, recorder.bytesTotal, recorder.ends]).toEqual([false, 0, ['terminated']])
  })

  test('has more time while it keeps its pace, and while nobody reads', async () => {
    await using raw = await RawClient.dial({ limits })
    const { link, recorder } = await raw.server.first()
    const [first, second] = [raw.record(60_000), raw.record(100)]
    raw.socket.write(first.subarray(0, 50_000))
    await wait(1_500)
    raw.socket.write(Buffer.concat([first.subarray(50_000), second.subarray(0, 40)]))
    await recorder.until(() => recorder.bytesTotal === 60_000)
    link.pause()
    await wait(1_500)
    expect(recorder.ends).toEqual([])
    link.resume()
    raw.socket.write(second.subarray(40))
    await recorder.until(() => recorder.bytesTotal === 60_100)
    expect(recorder.ends).toEqual([])
  })
})

/** A client of NK that sends what a test says, byte for byte. */
class RawClient implements AsyncDisposable {
  readonly server: TestListener
  readonly socket: Socket
  readonly #channel: ClientChannel

  private constructor(server: TestListener, socket: Socket, channel: ClientChannel) {
    this.server = server
    this.socket = socket
    this.#channel = channel
  }

  static async dial(options: { readonly limits: Partial<Limits> }): Promise<RawClient> {
    const server = await TestListener.start(identity, { ...options, listen: sealedListen() })
    const { limits, flusher } = server.context
    const client = new ChannelClient({ pattern: 'NK', serverKey: serverKeys.publicKey, clock: flusher.clock, limits })
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(client.hello())
    for (;;) {
      const bytes = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
      const { send, channel } = client.received(bytes)
      socket.write(send)
      if (channel !== undefined) return new RawClient(server, socket, channel)
    }
  }

  /** The next record, with so much data. */
  record(count: number): Uint8Array {
    const sink = new RecordSink(count + recordOverheadBytes)
    this.#channel.sealed.writer.write(sink, new Uint8Array(count))
    return sink.take()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    this.server[Symbol.dispose]()
  }
}

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
