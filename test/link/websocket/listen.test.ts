import { afterAll, describe, expect, test } from 'bun:test'
import { connect, type TLSSocket } from 'node:tls'
import type { Limits } from '../../../src/protocol/index.ts'
import { closeCodes, frameHeader, mask, opcodes } from '../../../src/link/websocket/frame.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener } from '../../support/tls-pair.ts'
import { upgradeRequest, webListen } from '../../support/web-listener.ts'

const identity = await testIdentity()
const renewed = await testIdentity()
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

/** A client of HTTP over TLS that sends what it is told, and remembers what came. */
class RawClient implements Disposable {
  readonly socket: TLSSocket
  readonly closed: Promise<void>
  received = Buffer.alloc(0)
  #wake: (() => void) | undefined

  private constructor(socket: TLSSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes])
      this.#wake?.()
    })
  }

  static async to({ port }: TestListener, roots = identity.roots): Promise<RawClient> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect({ host: '127.0.0.1', port, ca: roots, ALPNProtocols: ['http/1.1'] }, resolve)
    const client = new RawClient(socket)
    socket.once('error', reject)
    open.push(client)
    await promise
    return client
  }

  /** One whose upgrade is done. */
  static async upgraded(server: TestListener): Promise<RawClient> {
    const client = await RawClient.to(server)
    client.socket.write(upgradeRequest('127.0.0.1'))
    await client.until((bytes) => bytes.includes('\r\n\r\n'))
    client.received = Buffer.alloc(0)
    return client
  }

  frame(opcode: number, payload: Uint8Array): void {
    const key = Uint8Array.of(1, 2, 3, 4)
    const masked = new Uint8Array(payload)
    mask(masked, key, 0)
    this.socket.write(Buffer.concat([frameHeader(opcode, payload.length, key), masked]))
  }

  async until(condition: (bytes: Buffer) => boolean): Promise<void> {
    while (!condition(this.received)) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

async function start(limits: Partial<Limits> = {}, origins: readonly string[] = []): Promise<TestListener> {
  const server = await TestListener.start(identity, { limits, listen: webListen({ origins }) })
  open.push(server)
  return server
}

/** A Close frame of a server, with its code. */
function closing(code: number): string {
  return Buffer.from([0x80 | opcodes.close, 2, code >> 8, code & 0xff]).toString('hex')
}

describe('listening for WebSockets', () => {
  test('upgrades, and takes what came right behind the request', async () => {
    const server = await start()
    const client = await RawClient.to(server)
    const hello = Buffer.concat([frameHeader(opcodes.binary, 5, new Uint8Array(4)), Buffer.from('hello')])
    client.socket.write(Buffer.concat([Buffer.from(upgradeRequest('127.0.0.1')), hello]))
    const { link, recorder } = await server.first()
    await recorder.until(() => recorder.bytesTotal === 5)
    expect([recorder.text, link.security.alpn, server.established, server.failures]).toEqual(['hello', 'http/1.1', 1, []])
    await client.until((bytes) => bytes.toString('latin1').startsWith('HTTP/1.1 101 '))
  })

  test('reads a request that comes byte by byte', async () => {
    const server = await start()
    const client = await RawClient.to(server)
    for (const byte of upgradeRequest('127.0.0.1')) client.socket.write(byte)
    await client.until((bytes) => bytes.includes('\r\n\r\n'))
    expect([server.established, server.failures]).toEqual([1, []])
  })

  test('tells everybody else what is here, closes, and counts it', async () => {
    const server = await start()
    const client = await RawClient.to(server)
    client.socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await client.closed
    expect(client.received.toString()).toMatch(
      /^HTTP\/1\.1 404 Not Found\r\n[^]*\r\n\r\nthis is a Sealwire server: clients connect to \/sealwire\n$/,
    )
    await server.until(() => server.failures.length > 0 && server.tickets === 0)
    expect([server.failures, server.accepted.length, server.established]).toEqual([['handshake'], 0, 0])
  })

  test('refuses pages of elsewhere, but for those that the operator has named', async () => {
    const server = await start({}, ['https://app.example'])
    for (const [origin, status] of [
      ['https://evil.example', '403'],
      ['https://app.example', '101'],
    ] as const) {
      const client = await RawClient.to(server)
      client.socket.write(upgradeRequest('127.0.0.1', [`Origin: ${origin}`]))
      await client.until((bytes) => bytes.includes('\r\n\r\n'))
      expect(client.received.toString()).toContain(`HTTP/1.1 ${status} `)
    }
  })

  test('refuses a request that has no end', async () => {
    const server = await start({ webRequestBytesMax: 1_024 })
    const client = await RawClient.to(server)
    client.socket.write(`GET /sealwire HTTP/1.1\r\nX: ${'x'.repeat(2_000)}`)
    await client.closed
    expect(client.received.toString()).toContain('HTTP/1.1 431 ')
    await server.until(() => server.tickets === 0)
  })

  test('cuts whoever asks for nothing in time, and whoever has to make room', async () => {
    const server = await start({ handshakeMsMax: 400 })
    const silent = await RawClient.to(server)
    silent.socket.write('GET /sealwire HTTP/1.1\r\n')
    await silent.closed
    await server.until(() => server.failures.length > 0)
    expect([server.failures, server.tickets]).toEqual([['timeout'], 0])

    const patient = await start()
    const client = await RawClient.to(patient)
    await patient.until(() => patient.evictions.length > 0)
    patient.evictions[0]?.()
    expect([patient.tickets, patient.failures, patient.established]).toEqual([0, ['evicted'], 0])
    await client.closed
    patient.evictions[0]?.()
    expect([patient.tickets, patient.failures]).toEqual([0, ['evicted']])
  })

  test('evicts nobody whose upgrade is done', async () => {
    const server = await start()
    const client = await RawClient.upgraded(server)
    server.evictions[0]?.()
    client.frame(opcodes.binary, Buffer.from('still here'))
    const { recorder } = await server.first()
    await recorder.until(() => recorder.bytesTotal === 10)
    expect([server.tickets, server.failures]).toEqual([1, []])
  })

  test('gives the place of somebody back who hangs up before the request, or whom nobody admits', async () => {
    const server = await start()
    const client = await RawClient.to(server)
    client.socket.end()
    await client.closed
    await server.until(() => server.failures.length > 0)
    expect([server.failures, server.tickets]).toEqual([['handshake'], 0])
    server.refuse = true
    await expect(RawClient.to(server)).rejects.toThrow()
  })

  test('answers a ping, and a close with a close', async () => {
    const server = await start()
    const client = await RawClient.upgraded(server)
    client.frame(opcodes.ping, Buffer.from('there?'))
    await client.until((bytes) => bytes.length >= 8)
    expect(client.received.toString('latin1')).toBe('\x8a\x06there?')
    client.received = Buffer.alloc(0)
    client.frame(opcodes.close, Uint8Array.of(closeCodes.goingAway >> 8, closeCodes.goingAway & 0xff))
    await client.closed
    const { recorder } = await server.first()
    await recorder.until(() => recorder.ends.length > 0)
    await server.until(() => server.tickets === 0)
    expect([client.received.toString('hex'), recorder.ends]).toEqual([closing(closeCodes.normal), ['ended']])
  })

  test.each([
    ['text', opcodes.text, 5, closeCodes.unsupported],
    ['an unknown kind of frame', 3, 5, closeCodes.protocol],
    ['a message that is too large', opcodes.binary, 65_548, closeCodes.tooLarge],
  ])('says why it ends a connection that sends %s', async (_, opcode, count, code) => {
    const server = await start({ webMessageBytesMax: 65_547 })
    const client = await RawClient.upgraded(server)
    client.frame(opcodes.binary, Buffer.from('good'))
    client.frame(opcode, new Uint8Array(count))
    const { recorder } = await server.first()
    await recorder.until(() => recorder.ends.length > 0)
    expect([recorder.text, recorder.ends]).toEqual(['good', ['corrupt']])
    await client.until((bytes) => bytes.length > 0)
    expect(client.received.toString('hex')).toBe(closing(code))
    client.socket.destroy()
    await server.until(() => server.tickets === 0)
  })

  test.each([
    ['pings', opcodes.ping, 5],
    ['pongs', opcodes.pong, 0],
    ['messages of nothing', opcodes.binary, 0],
  ])('ends a connection of too many %s', async (_, opcode, count) => {
    const server = await start({ webEmptyFramesBurstMax: 4, webEmptyFramesPerSecondMax: 1 })
    const client = await RawClient.upgraded(server)
    client.frame(opcodes.binary, Buffer.from('good'))
    for (let sent = 0; sent < 500; sent++) client.frame(opcode, new Uint8Array(count))
    const { recorder } = await server.first()
    await recorder.until(() => recorder.ends.length > 0)
    expect([recorder.text, recorder.ends]).toEqual(['good', ['corrupt']])
    await client.until((bytes) => bytes.toString('hex').endsWith(closing(closeCodes.policy)))
    client.socket.destroy()
    await server.until(() => server.tickets === 0)
  })

  test('cuts who goes on with pings behind our own close', async () => {
    const server = await start({ webEmptyFramesBurstMax: 4, webEmptyFramesPerSecondMax: 1, outputStallMsMax: 600_000 })
    const client = await RawClient.upgraded(server)
    const { link, recorder } = await server.first()
    link.close()
    await client.until((bytes) => bytes.toString('hex') === closing(closeCodes.normal))
    for (let sent = 0; sent < 500; sent++) client.frame(opcodes.ping, new Uint8Array(5))
    await recorder.until(() => recorder.ends.length > 0)
    await client.closed
    await server.until(() => server.tickets === 0)
  })

  test('takes a message of exactly the largest size', async () => {
    const server = await start({ webMessageBytesMax: 65_547 })
    const client = await RawClient.upgraded(server)
    client.frame(opcodes.binary, new Uint8Array(65_547))
    const { recorder } = await server.first()
    await recorder.until(() => recorder.bytesTotal === 65_547)
    expect(recorder.ends).toEqual([])
  })

  test('tells an end without a close from one with it', async () => {
    const server = await start()
    const client = await RawClient.upgraded(server)
    client.socket.end()
    const { recorder } = await server.first()
    await recorder.until(() => recorder.ends.length > 0)
    expect(recorder.ends).toEqual(['truncated'])
  })

  test('shows a renewed certificate to the next connection, and leaves those that are open alone', async () => {
    const server = await start()
    const before = await RawClient.upgraded(server)
    server.identity = renewed
    await RawClient.to(server, renewed.roots)
    await expect(RawClient.to(server)).rejects.toThrow()
    before.frame(opcodes.binary, Buffer.from('as before'))
    const { recorder } = await server.first()
    await recorder.until(() => recorder.bytesTotal === 9)
    expect(recorder.ends).toEqual([])
  })

  test('is no place for clients of TLS alone', async () => {
    const server = await start()
    const { promise, resolve } = Promise.withResolvers<string>()
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: identity.roots, ALPNProtocols: ['sealwire/1'] }, () =>
      resolve('connected'),
    )
    socket.on('error', () => resolve('refused'))
    expect(await promise).toBe('refused')
    socket.destroy()
  })
})
