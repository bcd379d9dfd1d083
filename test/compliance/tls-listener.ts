// What every adapter that accepts TLS must do. An adapter's test calls this with the function that listens.

import { afterAll, describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { dialTls, type listenTls } from '../../src/link/index.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener, type TestListenerOptions } from '../support/tls-pair.ts'
import { Recorder } from './link.ts'
import { relayedLinkCompliance } from './relayed-link.ts'

const identity = await testIdentity()
const renewed = await testIdentity()
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

export function tlsListenerCompliance(name: string, listen: typeof listenTls): void {
  relayedLinkCompliance(name, {
    identity,
    listen,
    dial: (port, context) => dialTls({ host: '127.0.0.1', port, roots: identity.roots, timeoutMs: 5000 }, context),
  })
  const start = async (options: TestListenerOptions = {}): Promise<TestListener> => {
    const server = await TestListener.start(identity, { ...options, listen })
    open.push(server)
    return server
  }

  describe(`${name} as a listener`, () => {
    test('is on IPv4 and IPv6, and its certificate holds for localhost, 127.0.0.1 and ::1', async () => {
      for (const [host, hosts] of [
        ['127.0.0.1', ['127.0.0.1', 'localhost']],
        ['::1', ['::1']],
      ] as const) {
        const server = await start({ host })
        for (const each of hosts) {
          const client = await dialTls({ host: each, port: server.port, roots: identity.roots, timeoutMs: 5000 }, server.context)
          expect(client.security.protocol).toBe('TLSv1.3')
          client.terminate()
        }
      }
    })

    test('offers sealwire/1 and accepts a client without ALPN', async () => {
      const server = await start()
      for (const [offered, chosen] of [
        [['sealwire/1'], 'sealwire/1'],
        [['h2', 'sealwire/1'], 'sealwire/1'],
        [[], ''],
      ] as const) {
        const before = server.accepted.length
        const socket = await dial(server, { ALPNProtocols: [...offered] })
        await server.until(() => server.accepted.length > before)
        expect(server.accepted[before]?.link.security.alpn).toBe(chosen)
        socket.destroy()
      }
    })

    test('refuses a client that offers only other application protocols', async () => {
      const server = await start()
      await expect(dial(server, { ALPNProtocols: ['http/1.1'] })).rejects.toThrow()
      await server.until(() => server.tickets === 0)
      expect([server.accepted.length, server.failures]).toEqual([0, ['handshake']])
    })

    test('speaks TLS 1.2 with AEAD and ECDHE only, and nothing older', async () => {
      const server = await start()
      const socket = await dial(server, { maxVersion: 'TLSv1.2' })
      expect(`${socket.getProtocol()} ${socket.getCipher().name}`).toMatch(/^TLSv1\.2 ECDHE-ECDSA-.*(GCM|POLY1305)/)
      socket.destroy()
      for (const ciphers of ['AES128-SHA', 'ECDHE-ECDSA-AES128-SHA', 'AES256-GCM-SHA384']) {
        await expect(dial(server, { maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow()
      }
    })

    test('agrees on X25519MLKEM768 with a client that offers it, and on X25519 with one that does not', async () => {
      const server = await start()
      // The key_share extension of a ServerHello: its number and length, the group, the length of the key.
      for (const [ecdhCurve, keyShare] of [
        ['X25519MLKEM768:X25519', '0033046411ec0460'],
        ['X25519', '00330024001d0020'],
      ] as const) {
        const relay = await through(server)
        const socket = await dial(server, { port: relay.port, ecdhCurve })
        expect(socket.getProtocol()).toBe('TLSv1.3')
        expect(Buffer.concat(relay.fromServer).toString('hex')).toContain(keyShare)
        socket.destroy()
      }
    })

    test('drops whoever is not admitted before any TLS', async () => {
      const server = await start()
      server.refuse = true
      const socket = connectTcp(server.port, '127.0.0.1')
      const received: unknown[] = []
      socket.on('data', (bytes) => received.push(bytes))
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('close', resolve))
      expect([received, server.accepted.length, server.failures]).toEqual([[], 0, []])
    })

    test('cuts handshakes that are silent, half done, or dripping, with its own timer', async () => {
      const server = await start({ limits: { handshakeMsMax: 400 } })
      const sockets = await Promise.all(Array.from({ length: 60 }, (_, at) => halfOpen(server.port, at)))
      await server.until(() => server.failures.length === sockets.length && server.tickets === 0)
      expect(new Set(server.failures)).toEqual(new Set(['timeout']))
      // To say that one was cut frees nothing.
      const all = Promise.all(sockets.map(({ closed }) => closed))
      expect(await Promise.race([all.then(() => 'cut'), sleep(20_000, 'still open', { ref: false })])).toBe('cut')
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
      const socket = await dial(server, {})
      const { recorder } = await server.first()
      server.evictions[0]?.()
      socket.write('still here')
      await recorder.until(() => recorder.bytesTotal === 10)
      expect([server.tickets, server.established, server.failures]).toEqual([1, 1, []])
      socket.destroy()
      await server.until(() => server.tickets === 0)
    })

    test('cuts whoever does not speak TLS', async () => {
      const server = await start()
      const socket = connectTcp(server.port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('close', resolve))
      await server.until(() => server.tickets === 0)
      expect([server.accepted.length, server.failures]).toEqual([0, ['handshake']])
    })

    test('does not wait for whoever hangs up in the middle of a handshake', async () => {
      const server = await start({ limits: { handshakeMsMax: 60_000 } })
      for (const hello of ['', '16030100c8010000c40303']) {
        const socket = connectTcp(server.port, '127.0.0.1')
        socket.on('error', () => {})
        socket.end(Buffer.from(hello, 'hex'))
      }
      await server.until(() => server.failures.length === 2)
      expect([server.tickets, server.failures]).toEqual([0, ['handshake', 'handshake']])
    })

    test('shows a renewed certificate to the next connection, and leaves those that are open alone', async () => {
      const server = await start()
      const before = await dial(server, {})
      const { link, recorder } = await server.first()
      server.identity = renewed
      const after = await dial(server, { ca: renewed.roots })
      await expect(dial(server, {})).rejects.toThrow()
      before.write('as before')
      await recorder.until(() => recorder.bytesTotal === 9)
      expect(link.open).toBe(true)
      before.destroy()
      after.destroy()
    })

    test('tells a record that fails authentication from a broken connection', async () => {
      const server = await start()
      const relay = await through(server)
      const client = await dialTls({ host: '127.0.0.1', port: relay.port, roots: identity.roots, timeoutMs: 5000 }, server.context)
      client.attach(new Recorder())
      const { recorder } = await server.first()
      relay.corrupt = true
      client.send(Buffer.from('this record is damaged on its way'))
      await recorder.until(() => recorder.ends.length > 0)
      expect([recorder.bytesTotal, recorder.ends]).toEqual([0, ['corrupt']])
    })

    // The runtime reports all three alike, which is why a session ends cleanly only with a goodbye of our own.
    test('cannot tell a clean end from a truncated one: close_notify, FIN alone, and a record cut in two', async () => {
      const server = await start()
      const relay = await through(server)
      for (const cut of ['clean', 'fin', 'record'] as const) {
        const before = server.accepted.length
        const client = await dialTls({ host: '127.0.0.1', port: relay.port, roots: identity.roots, timeoutMs: 5000 }, server.context)
        client.attach(new Recorder())
        client.send(Buffer.from('whole'))
        await server.until(() => server.accepted.length > before)
        const recorder = server.accepted[before]?.recorder as Recorder
        await recorder.until(() => recorder.bytesTotal === 5)
        if (cut === 'clean') client.close()
        if (cut === 'record') client.send(Buffer.from('this record will not arrive whole'))
        if (cut !== 'clean') relay.truncate(cut === 'record' ? 9 : 0)
        client.flush()
        await recorder.until(() => recorder.ends.length > 0)
        expect([cut, recorder.text, recorder.ends]).toEqual([cut, 'whole', ['ended']])
        relay.truncate(undefined)
        client.terminate()
      }
    })

    test('still answers a peer that has ended its own direction, with more than the system takes at once', async () => {
      const lots = 16 * 1024 * 1024
      const server = await start({ limits: { outputBytesMax: lots, outputBytesHigh: lots } })
      const socket = await dial(server, {})
      const { link, recorder } = await server.first()
      recorder.onBytes = () => {
        for (let piece = 0; piece < 100; piece++) link.send(Buffer.alloc(100_000, 'x'))
      }
      socket.pause()
      socket.end('still there?')
      await recorder.until(() => recorder.bytesTotal > 0)
      while (link.open) await new Promise((resolve) => setImmediate(resolve))
      let received = 0
      socket.on('data', (bytes: Buffer) => (received += bytes.length))
      socket.resume()
      await recorder.until(() => recorder.ends.length > 0)
      await new Promise((resolve) => socket.once('close', resolve))
      expect([received, recorder.ends]).toEqual([10_000_000, ['ended']])
    })

    test('does not renegotiate and takes no early data', async () => {
      const server = await start()
      const target = ['s_client', '-connect', `127.0.0.1:${server.port}`]
      if (!(await hasOpenssl())) return
      // An R alone on a line makes openssl ask for renegotiation.
      expect(await openssl([...target, '-tls1_2'], 'R\n', /Verify return code/)).toMatch(/no renegotiation/)
      // A session ticket that allowed early data would travel with the server's first bytes.
      void server.until(() => server.accepted.length > 1).then(() => server.accepted[1]?.link.send(Buffer.from('first bytes')))
      const output = await openssl([...target, '-tls1_3'], 'Q\n', /first bytes/)
      expect(output).toContain('New, TLSv1.3')
      expect(output).not.toMatch(/Max Early Data: [1-9]/)
    })

    test('says clearly that an address is in use', async () => {
      const { port, context } = await start()
      const handlers = { admit: () => undefined, opened: () => new Recorder(), failed() {} }
      const again = listen({ host: '127.0.0.1', port, identity: () => identity.identity }, handlers, context)
      await expect(again).rejects.toThrow(`[address_unavailable] cannot listen on 127.0.0.1:${port}: the port is in use`)
    })

    test.each([
      ['an address of another machine', '192.0.2.1', ': this is no address of this machine', 'choose one that it has, such as 127.0.0.1'],
      ['a name that cannot be', 'x'.repeat(64), '', 'check the name or address'],
    ])('says why it cannot listen on %s', async (_, host, why, hint) => {
      const refused = await start({ host }).catch((reason: unknown) => reason)
      expect(refused).toMatchObject({ code: 'address_unavailable', sentence: `cannot listen on ${host}:0${why}`, hint })
    })
  })
}

/** Both ends of what it accepts are links. */
async function through({ port }: TestListener): Promise<TcpRelay> {
  const relay = await TcpRelay.to(port)
  open.push(relay)
  return relay
}

function dial({ port }: TestListener, options: ConnectionOptions): Promise<TLSSocket> {
  const halfOpenOptions: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    host: '127.0.0.1',
    port,
    ca: identity.roots,
    allowHalfOpen: true,
    ...options,
  }
  return new Promise((resolve, reject) => {
    const socket = connectTls(halfOpenOptions, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Three kinds of bad company: says nothing, sends the beginning of a hello, drips it. */
async function halfOpen(port: number, at: number): Promise<{ closed: Promise<void> }> {
  const socket: Socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  let drip: ReturnType<typeof setInterval> | undefined
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve(clearInterval(drip))))
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed])
  const hello = Buffer.from('16030100c8010000c40303', 'hex')
  if (at % 3 === 1) socket.write(hello)
  let dripped = 0
  if (at % 3 === 2 && !socket.destroyed) drip = setInterval(() => socket.write(hello.subarray(dripped, ++dripped)), 100)
  return { closed }
}

async function hasOpenssl(): Promise<boolean> {
  try {
    await openssl(['version'], '', /never/)
    return true
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    console.warn('SKIPPED: openssl is not installed')
    return false
  }
}

/** Runs openssl and types `input` once it has printed what `when` says; resolves with everything it printed. */
function openssl(args: readonly string[], input: string, when: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', args)
    let output = ''
    let typed = false
    const collect = (bytes: Buffer): void => {
      output += bytes.toString()
      if (typed || !when.test(output)) return
      typed = true
      child.stdin.write(input)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', reject)
    const patience = setTimeout(() => child.kill(), 20_000)
    child.on('close', () => {
      clearTimeout(patience)
      resolve(output)
    })
  })
}
