import { afterAll, describe, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { ChannelClient, keyPin, V1Client } from '../../../src/channel/index.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { dialSealed, type Link, type SealedListenOptions } from '../../../src/link/index.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { sealedListen, serverKeys } from '../../support/sealed-listener.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener, type TestListenerOptions } from '../../support/tls-pair.ts'

const identity = await testIdentity()
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))
const limits = resolveLimits()
const whom = { pin: keyPin(serverKeys.publicKey), serverKey: serverKeys.publicKey, timeoutMs: 5000 }

describe('listenSealed', () => {
  test('is on IPv4 and IPv6', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const server = await start({ host })
      const client = await dialSealed({ host, port: server.port, ...whom }, server.context)
      expect([client.remote.port, (await server.first()).link.remote.address]).toEqual([server.port, host])
      client.terminate()
    }
  })

  test('drops whoever is not admitted before any handshake', async () => {
    const server = await start()
    server.refuse = true
    const { received } = await exchange(server, hello())
    expect([received, server.accepted.length, server.failures]).toEqual(['', 0, []])
  })

  test('cuts handshakes that are silent, half done, or dripping, with its own timer', async () => {
    const server = await start({ limits: { handshakeMsMax: 400 } })
    const sockets = await Promise.all(Array.from({ length: 60 }, (_, at) => halfOpen(server.port, at)))
    await server.until(() => server.failures.length === sockets.length && server.tickets === 0)
    expect(new Set(server.failures)).toEqual(new Set(['timeout']))
    await Promise.all(sockets)
  })

  test('opens no link for a copy of a first message, however good it is', async () => {
    const server = await start({ limits: { handshakeMsMax: 1500 } })
    const { received } = await exchange(server, hello())
    // The answer comes; what would show that somebody is there does not.
    expect([received.length > 0, server.accepted.length, server.failures]).toEqual([true, 0, ['timeout']])
  })

  test('cuts a handshake that has to make room, and gives its place back before it says so', async () => {
    const server = await start()
    const { closed } = await halfOpen(server.port, 0)
    await server.until(() => server.evictions.length > 0)
    server.evictions[0]?.()
    expect([server.tickets, server.failures]).toEqual([0, ['evicted']])
    await closed
    server.evictions[0]?.()
    expect([server.tickets, server.established, server.failures]).toEqual([0, 0, ['evicted']])
  })

  test('evicts nobody whose handshake is done', async () => {
    const server = await start()
    const client = await dialSealed({ host: '127.0.0.1', port: server.port, ...whom }, server.context)
    client.attach(new Recorder())
    const { recorder } = await server.first()
    server.evictions[0]?.()
    client.send(Buffer.from('still here'))
    await recorder.until(() => recorder.bytesTotal === 10)
    expect([server.tickets, server.established, server.failures]).toEqual([1, 1, []])
    client.terminate()
    await server.until(() => server.tickets === 0)
  })

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.0\r\n\r\n')],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a frame', Buffer.from('4d41474303000568656c6c6f77d6528e', 'hex')],
    ['a pattern that there is not', Buffer.concat([Buffer.from('SWv2'), Buffer.from([4, 0, 0, 48]), Buffer.alloc(48, 7)])],
    ['a flag', Buffer.concat([Buffer.from('SWv2'), Buffer.from([3, 1, 0, 48]), Buffer.alloc(48, 7)])],
    ['version 1', Buffer.from(new V1Client({ limits }).hello())],
  ])('closes without a byte on %s', async (_, bytes) => {
    const server = await start({ limits: { handshakeMsMax: 60_000 } })
    const { received } = await exchange(server, bytes)
    await server.until(() => server.tickets === 0)
    expect([received, server.accepted.length, server.failures]).toEqual(['', 0, ['handshake']])
  })

  test('takes only the handshakes that it was told to take', async () => {
    const server = await start({}, { patterns: ['IK'] })
    const { received } = await exchange(server, hello())
    expect([received, server.failures]).toEqual(['', ['handshake']])
  })

  test('does not wait for whoever hangs up in the middle of a handshake', async () => {
    const server = await start({ limits: { handshakeMsMax: 60_000 } })
    for (const bytes of [new Uint8Array(0), hello().subarray(0, 20), hello()]) {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.end(bytes)
    }
    await server.until(() => server.failures.length === 3)
    expect([server.tickets, server.failures]).toEqual([0, ['handshake', 'handshake', 'handshake']])
  })

  test('takes a handshake that comes in single bytes', async () => {
    const server = await start()
    const client = new ChannelClient({ pattern: 'NK', serverKey: serverKeys.publicKey, clock: systemClock, limits })
    const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
    for (const byte of client.hello()) await new Promise((resolve) => socket.write(Uint8Array.of(byte), resolve))
    const ping = await new Promise<Uint8Array>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        const { send, channel } = client.received(bytes)
        if (channel !== undefined) resolve(send)
      })
    })
    for (const byte of ping) await new Promise((resolve) => socket.write(Uint8Array.of(byte), resolve))
    expect((await server.first()).link.security.protocol).toBe('noise')
    socket.destroy()
  })

  test('says clearly that an address is in use', async () => {
    const { port, context } = await start()
    const handlers = { admit: () => undefined, opened: () => new Recorder(), failed() {} }
    const again = sealedListen()({ host: '127.0.0.1', port, identity: () => identity.identity }, handlers, context)
    await expect(again).rejects.toThrow(`[address_unavailable] cannot listen on 127.0.0.1:${port}: the port is in use`)
  })
})

describe('version 1, where it is wanted', () => {
  test('carries frames: each is received by itself, and each send is one', async () => {
    const { link, recorder, exchangeFrames } = await startV1()
    recorder.onBytes = (bytes) => link().send(bytes)
    expect(await exchangeFrames(['hello', '', 'a'.repeat(65_535)])).toEqual(['hello', '', 'a'.repeat(65_535)])
    expect(recorder.chunks.map(({ length }) => length)).toEqual([5, 0, 65_535])
    expect(link().security).toMatchObject({ protocol: 'sealed v1', peerCertificate: undefined })
  })

  test('never reaches who is told of others', async () => {
    const { server, link, exchangeFrames, recorder } = await startV1()
    recorder.onBytes = (bytes) => link().send(bytes)
    await exchangeFrames(['x'])
    expect([server.accepted.length, server.established, server.tickets]).toEqual([0, 1, 1])
  })

  test('ends with whatever the channel does not take, and its ticket comes back', async () => {
    const { server, socket, recorder } = await startV1()
    socket.write(Buffer.alloc(4))
    await recorder.until(() => recorder.ends.length > 0)
    await server.until(() => server.tickets === 0)
    expect([recorder.ends, recorder.bytesTotal]).toEqual([['corrupt'], 0])
  })

  test('refuses bytes that are no frame', async () => {
    const { link } = await startV1()
    let refusal: unknown
    try {
      link().reserve(1)
    } catch (reason) {
      refusal = reason
    }
    expect(SealwireError.from(refusal).code).toBe('internal')
  })
})

async function start(options: TestListenerOptions = {}, sealed: Partial<SealedListenOptions> = {}): Promise<TestListener> {
  const server = await TestListener.start(identity, { ...options, listen: sealedListen(sealed) })
  open.push(server)
  return server
}

/** A server that takes version 1, and a client of it whose handshake is done. */
async function startV1() {
  const recorder = new Recorder()
  const opened = Promise.withResolvers<Link>()
  let current: Link | undefined
  const openedV1 = (link: Link): Recorder => {
    current = link
    opened.resolve(link)
    return recorder
  }
  const server = await start({}, { openedV1 })
  const client = new V1Client({ limits })
  const socket = connect(server.port, '127.0.0.1')
  open.push({ [Symbol.dispose]: () => void socket.destroy() })
  socket.on('error', () => {})
  socket.write(client.hello())
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  const { channel } = client.received(answer)
  await opened.promise
  const exchangeFrames = async (texts: readonly string[]): Promise<readonly string[]> => {
    const answers: string[] = []
    const all = Promise.withResolvers<readonly string[]>()
    socket.on('data', (bytes: Buffer) => {
      channel?.push(bytes)
      for (let plaintext = channel?.next(); plaintext !== undefined; plaintext = channel?.next())
        answers.push(Buffer.from(plaintext).toString())
      if (answers.length === texts.length) all.resolve(answers)
    })
    const sink = new Frames()
    for (const text of texts) channel?.write(sink, Buffer.from(text))
    socket.write(sink.bytes.subarray(0, sink.length))
    return all.promise
  }
  const link = (): Link => current as Link
  return { server, socket, recorder, link, exchangeFrames }
}

class Frames {
  bytes = new Uint8Array(0)
  length = 0

  reserve(count: number): number {
    const grown = new Uint8Array(this.length + count)
    grown.set(this.bytes)
    this.bytes = grown
    this.length += count
    return this.length - count
  }
}

/** The first bytes of a client that knows the server's key. */
function hello(): Uint8Array {
  return new ChannelClient({ pattern: 'NK', serverKey: serverKeys.publicKey, clock: systemClock, limits }).hello()
}

/** Sends `bytes`, and resolves with all that came back, in hexadecimal, once the connection is over. */
async function exchange({ port }: TestListener, bytes: Uint8Array): Promise<{ received: string }> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  const received: Buffer[] = []
  socket.on('data', (some: Buffer) => received.push(some))
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  return { received: Buffer.concat(received).toString('hex') }
}

/** Three kinds of bad company: says nothing, sends the beginning of a hello, drips it. */
async function halfOpen(port: number, at: number): Promise<{ closed: Promise<void> }> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let drip: ReturnType<typeof setInterval> | undefined
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve(clearInterval(drip))))
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed])
  const beginning = hello().subarray(0, 20)
  if (at % 3 === 1) socket.write(beginning)
  let dripped = 0
  if (at % 3 === 2 && !socket.destroyed) drip = setInterval(() => socket.write(beginning.subarray(dripped, ++dripped)), 100)
  return { closed }
}
