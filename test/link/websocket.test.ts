import { describe, expect, test } from 'bun:test'
import { type AddressInfo, createServer } from 'node:net'
import { systemClock } from '../../src/domain/index.ts'
import { dialWebSocket, Flusher, type Link } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { linkCompliance, Recorder } from '../compliance/link.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'
import { webListen } from '../support/web-listener.ts'

const identity = await testIdentity()
/** The standard has no way to name a certificate to be trusted; this runtime has one. */
const open = (url: string, protocol: string): WebSocket => new WebSocket(url, { protocols: [protocol], tls: { ca: identity.roots } })

let server: TestListener
let relay: TcpRelay
let client: Link
linkCompliance("a browser's WebSocket", {
  async setup(overrides) {
    server = await TestListener.start(identity, { limits: overrides ?? {}, listen: webListen() })
    relay = await TcpRelay.to(server.port)
    const nearRecorder = new Recorder()
    const link = await dialWebSocket({ url: `wss://127.0.0.1:${relay.port}/sealwire`, timeoutMs: 5000, open }, server.context)
    client = link
    link.attach(nearRecorder)
    const { link: far, recorder: farRecorder } = await server.first()
    return { near: link, nearRecorder, far, farRecorder, breakFar: () => relay.reset() }
  },
  async teardown() {
    client.terminate()
    server[Symbol.dispose]()
    relay[Symbol.dispose]()
    await server.until(() => server.tickets === 0)
  },
})

describe('dialWebSocket', () => {
  const context = { limits: resolveLimits({ heldBytesMax: 65_536 }), flusher: new Flusher(resolveLimits(), systemClock) }
  const dial = (port: number, more: Partial<Parameters<typeof dialWebSocket>[0]> = {}) =>
    dialWebSocket({ url: `wss://127.0.0.1:${port}/sealwire`, timeoutMs: 5000, open, ...more }, context)

  test.each(['ws://127.0.0.1/sealwire', 'https://127.0.0.1/sealwire', 'wss://me@127.0.0.1/', 'wss://127.0.0.1/#x', 'no address'])(
    'takes no %s',
    async (url) => {
      await expect(dialWebSocket({ url, timeoutMs: 5000 }, context)).rejects.toThrow(TypeError)
    },
  )

  test('says that it cannot connect, whether nobody is there, nobody is trusted, or it is not wanted any more', async () => {
    using listener = await TestListener.start(identity, { listen: webListen() })
    using silent = await TestListener.start(identity)
    const failures = [
      () => dial(listener.port, { url: `wss://127.0.0.1:${listener.port}/elsewhere` }),
      () => dial(listener.port, { open: (url, protocol) => new WebSocket(url, [protocol]) }),
      () => dial(silent.port),
      () => dial(listener.port, { signal: AbortSignal.abort() }),
    ]
    for (const failure of failures) await expect(failure()).rejects.toThrow('[unreachable] 127.0.0.1:')
    await listener.until(() => listener.tickets === 0)
  })

  test('gives up in time, and when it is told to', async () => {
    const deaf = createServer(() => {})
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
    const { port } = deaf.address() as AddressInfo
    await expect(dial(port, { timeoutMs: 50 })).rejects.toThrow('did not answer within 0.05 s')
    const stop = new AbortController()
    const dialling = dial(port, { signal: stop.signal })
    stop.abort()
    await expect(dialling).rejects.toThrow('was given up')
    deaf.close()
  })

  test('holds what comes before anybody is attached and while it is paused, as much as it may', async () => {
    using listener = await TestListener.start(identity, { listen: webListen() })
    const link = await dial(listener.port)
    const { link: far } = await listener.first()
    far.send(Buffer.from('early '))
    far.flush()
    const recorder = new Recorder()
    link.attach(recorder)
    await recorder.until(() => recorder.bytesTotal === 6)
    link.pause()
    far.send(new Uint8Array(60_000))
    far.flush()
    link.resume()
    await recorder.until(() => recorder.bytesTotal === 60_006)
    link.pause()
    far.send(new Uint8Array(70_000))
    await recorder.until(() => recorder.ends.length > 0)
    expect([recorder.bytesTotal, recorder.ends]).toEqual([60_006, ['terminated']])
  })

  test('gives its WebSocket no more at once than may be in flight, and the rest as it leaves', async () => {
    const limits = resolveLimits({ webInFlightBytesMax: 16_384, outputBytesMax: 64 * 1_048_576 })
    using listener = await TestListener.start(identity, { listen: webListen() })
    let most = 0
    const watched = (url: string, protocol: string): WebSocket => {
      const socket = open(url, protocol)
      const send = socket.send.bind(socket)
      socket.send = (data) => {
        send(data)
        most = Math.max(most, socket.bufferedAmount)
      }
      return socket
    }
    const url = `wss://127.0.0.1:${listener.port}/sealwire`
    const link = await dialWebSocket({ url, timeoutMs: 5000, open: watched }, { limits, flusher: new Flusher(limits, systemClock) })
    link.attach(new Recorder())
    const { link: far, recorder } = await listener.first()
    far.pause()
    // More than the system takes for a peer that does not read.
    link.send(new Uint8Array(32 * 1_048_576))
    link.flush()
    far.resume()
    await recorder.until(() => recorder.bytesTotal >= 100_000)
    expect(most).toBeLessThanOrEqual(limits.webInFlightBytesMax)
    link.terminate()
  })
})
