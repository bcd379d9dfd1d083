import { afterAll, describe, expect, test } from 'bun:test'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { KeyPair, keyPin } from '../../../src/channel/index.ts'
import { dialSealed, readSealedKey, type SealedDialOptions } from '../../../src/link/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { sealedListen, serverKeys } from '../../support/sealed-listener.ts'
import { TcpRelay } from '../../support/tcp-relay.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener } from '../../support/tls-pair.ts'

const identity = await testIdentity()
const server = await TestListener.start(identity, { listen: sealedListen() })
const servers: Server[] = []
afterAll(() => {
  server[Symbol.dispose]()
  for (const each of servers) each.close()
})

const key = serverKeys.publicKey
const pin = keyPin(key)
const strangers = KeyPair.generate()
const device = KeyPair.generate()
const another = { pin: keyPin(strangers.publicKey), serverKey: strangers.publicKey }

describe('dialSealed', () => {
  test.each([
    ['XX', { pin: another.pin }],
    ['XX with a key of ours', { pin: another.pin, staticKey: device }],
    ['NK', another],
    ['IK', { ...another, staticKey: device }],
  ] as const)('ends when the server has another key, and says both: %s', async (_, whom) => {
    const before = server.accepted.length
    const error = await refused(whom)
    expect([error.code, error.sentence]).toEqual([
      'untrusted',
      `127.0.0.1:${server.port} has another key: expected ${another.pin}, seen ${pin}`,
    ])
    expect(error.hint).toContain('somebody may be in the middle')
    expect(server.accepted.length).toBe(before)
  })

  test.each([
    ['XX', { pin }],
    ['NK', { pin, serverKey: key }],
  ] as const)('never sends a byte more to who has another key than what any stranger would: %s', async (_, whom) => {
    // Somebody in the middle with a key of their own, who answers as well as they can.
    const middle = await TestListener.start(identity, { listen: sealedListen({ staticKey: strangers }) })
    const relay = await TcpRelay.to(middle.port)
    expect((await refused({ ...whom, port: relay.port })).code).toBe('untrusted')
    // The first message of each connection: XX 8 + 32 bytes, NK 8 + 48 and then one of XX to see whose key it is.
    expect(relay.bytesFromClient).toBe(_ === 'XX' ? 40 : 56 + 40)
    expect(middle.accepted.length).toBe(0)
    middle[Symbol.dispose]()
    relay[Symbol.dispose]()
  })

  test('refuses a key that does not have the pin, before it dials', async () => {
    expect((await refused({ pin, serverKey: strangers.publicKey, port: 1 })).code).toBe('untrusted')
  })

  test.each([
    [
      'answers with text',
      (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
      'XX',
      'unreachable',
      'does not speak the sealed channel',
    ],
    [
      'answers with text',
      (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
      'NK',
      'untrusted',
      `did not prove that it has the key ${pin}`,
    ],
    [
      'answers as version 1',
      (socket: Socket) => socket.end(Buffer.alloc(69, 2)),
      'XX',
      'unreachable',
      'closed the connection during the handshake',
    ],
    ['hangs up', (socket: Socket) => socket.end(), 'XX', 'unreachable', 'closed the connection during the handshake'],
    ['hangs up', (socket: Socket) => socket.end(), 'NK', 'unreachable', 'closed the connection during the handshake'],
    ['resets', (socket: Socket) => socket.resetAndDestroy(), 'NK', 'unreachable', 'closed the connection during the handshake'],
  ] as const)('tells somebody who %s from a server (%#)', async (_, behave, pattern, code, sentence) => {
    const port = await somebody(behave)
    const error = await refused({ pin, ...(pattern === 'NK' ? { serverKey: key } : {}), port })
    expect([error.code, error.sentence]).toEqual([code, `127.0.0.1:${port} ${sentence}`])
  })

  test('does not wait for a silent server', async () => {
    const port = await somebody(() => {})
    const error = await refused({ pin, serverKey: key, port, timeoutMs: 200 })
    expect([error.code, error.sentence]).toEqual(['unreachable', `127.0.0.1:${port} did not answer within 0.2 s`])
  })

  test('says that nobody is there', async () => {
    // Not the port of somebody who has gone: it may be given to another process.
    const error = await refused({ pin, port: 1 })
    expect([error.code, error.sentence]).toEqual(['unreachable', '127.0.0.1:1 refused the connection'])
  })

  test('gives up when it is told to, before and while it dials', async () => {
    const port = await somebody(() => {})
    const abort = new AbortController()
    const dialling = refused({ pin, port, signal: abort.signal })
    abort.abort()
    expect((await dialling).sentence).toBe('the connection was given up')
    expect((await refused({ pin, port, signal: AbortSignal.abort() })).sentence).toBe('the connection was given up')
  })
})

describe('a server whose key is being replaced', () => {
  const next = KeyPair.generate()
  const dayMs = 24 * 60 * 60 * 1000
  const nextKey = next.publicKey

  /** For so long; `undefined` when it is over. */
  async function rotating(overlapMs: number | undefined): Promise<TestListener> {
    const keys = overlapMs === undefined ? { current: next } : { current: serverKeys, next: { key: next, until: Date.now() + overlapMs } }
    return TestListener.start(identity, { listen: sealedListen({ keys: () => keys }) })
  }

  test.each([
    ['XX', { pin }, key],
    ['NK', { pin, serverKey: key }, key],
    ['IK', { pin, serverKey: key, staticKey: device }, key],
    ['NK by the next key', { pin: keyPin(nextKey), serverKey: nextKey }, nextKey],
    ['IK by the next key', { pin: keyPin(nextKey), serverKey: nextKey, staticKey: device }, nextKey],
    ['the pin of the next key alone', { pin: keyPin(nextKey) }, nextKey],
    ['the pin of the next key alone, as a device', { pin: keyPin(nextKey), staticKey: device }, nextKey],
  ] as const)('answers for both, and tells who knows the old one of the next: %s', async (_, whom, proved) => {
    using listener = await rotating(30 * dayMs)
    const link = await dialSealed({ host: '127.0.0.1', port: listener.port, timeoutMs: 5000, ...whom }, listener.context)
    const recorder = new Recorder()
    link.attach(recorder)
    const accepted = await listener.first()
    accepted.link.send(Buffer.from('hello'))
    await recorder.until(() => recorder.text === 'hello')
    expect(link.security.peerStaticKey).toEqual(proved)
    expect(link.successor).toEqual(proved === key ? nextKey : undefined)
    expect(accepted.link.security.peerStaticKey).toEqual('staticKey' in whom ? device.publicKey : undefined)
    link.terminate()
  })

  test('is not followed further than 30 days, nor into the past', async () => {
    for (const overlapMs of [30 * dayMs + 60_000, -1]) {
      using listener = await rotating(overlapMs)
      const link = await dialSealed({ host: '127.0.0.1', port: listener.port, timeoutMs: 5000, pin }, listener.context)
      expect(link.successor).toBeUndefined()
      link.terminate()
    }
  })

  test('has the next key alone when it is over', async () => {
    using listener = await rotating(undefined)
    for (const whom of [{ pin }, { pin, serverKey: key }, { pin, serverKey: key, staticKey: device }]) {
      const error = await refused({ ...whom, port: listener.port })
      expect([error.code, error.sentence]).toEqual([
        'untrusted',
        `127.0.0.1:${listener.port} has another key: expected ${pin}, seen ${keyPin(nextKey)}`,
      ])
    }
    const link = await dialSealed({ host: '127.0.0.1', port: listener.port, timeoutMs: 5000, pin: keyPin(nextKey) }, listener.context)
    expect(link.successor).toBeUndefined()
    link.terminate()
  })

  test('cannot be played by who has neither key, whatever they announce', async () => {
    const keys = { current: strangers, next: { key: { publicKey: key } as KeyPair, until: Date.now() + dayMs } }
    // It answers XX with a key of its own and names the expected one, which it cannot prove.
    let asked = 0
    using middle = await TestListener.start(identity, {
      listen: sealedListen({ keys: () => (asked++ === 0 ? keys : { current: strangers }) }),
    })
    const error = await refused({ pin, port: middle.port })
    expect([error.code, middle.accepted.length, asked]).toEqual(['untrusted', 0, 3])
  })
})

describe('readSealedKey', () => {
  test('reads the key that a server shows', async () => {
    const place = { host: '127.0.0.1', port: server.port, timeoutMs: 5000 }
    expect(await readSealedKey(place, server.context)).toEqual(key)
  })

  test('says that there is none', async () => {
    const port = await somebody((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const reading = readSealedKey({ host: '127.0.0.1', port, timeoutMs: 5000 }, server.context)
    await expect(reading).rejects.toThrow('does not speak the sealed channel')
  })
})

async function refused(options: Partial<SealedDialOptions> & Pick<SealedDialOptions, 'pin'>): Promise<SealwireError> {
  try {
    const link = await dialSealed({ host: '127.0.0.1', port: server.port, timeoutMs: 5000, ...options }, server.context)
    link.terminate()
  } catch (reason) {
    return SealwireError.from(reason)
  }
  throw new Error('it was let in')
}

/** Somebody else, who behaves like this when the client has said something. */
async function somebody(behave: (socket: Socket) => unknown): Promise<number> {
  const other = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => behave(socket))
  })
  servers.push(other)
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  return (other.address() as AddressInfo).port
}
