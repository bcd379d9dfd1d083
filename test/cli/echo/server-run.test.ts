import { afterAll, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '../../../src/domain/index.ts'
import { type DialledLink, dialTls, Flusher } from '../../../src/link/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { TcpRelay } from '../../support/tcp-relay.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { RunningEcho } from './support.ts'

const { identity, roots } = await testIdentity()
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-echo-'))
const files = { kind: 'files', certificate: join(scratch, 'c.crt'), key: join(scratch, 'c.key'), named: true } as const
writeFileSync(files.certificate, identity.certificateChain)
writeFileSync(files.key, identity.key, { mode: 0o600 })
const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }
const closing: (() => void)[] = []
afterAll(() => {
  for (const close of closing) close()
  rmSync(scratch, { recursive: true })
})

describe('runEchoServer', () => {
  test('prints what the first seed printed', async () => {
    await using server = await RunningEcho.start(files)
    const { link, recorder } = await dial(server.port)
    link.send(Buffer.from('Hello from SSL client!\n'))
    await recorder.until(() => recorder.text === 'Hello from SSL client!\n')
    link.close()
    await server.output.printed(/Client disconnected\.\n/)
    server.stop()
    await server.ended
    expect(server.output.text.replace(/(?<=connection from 127\.0\.0\.1:)\d+/, '54321')).toBe(
      [
        `SSL Server is running on 127.0.0.1:${server.port}`,
        'Accepted SSL connection from 127.0.0.1:54321',
        'Received: Hello from SSL client!',
        'Client disconnected.',
        '',
        'Signal received, shutting down server...',
        '',
      ].join('\n'),
    )
    expect(server.errors.text).toBe('')
  })

  test('sends back any bytes, as many as come, unchanged', async () => {
    await using server = await RunningEcho.start(files)
    const { link, recorder } = await dial(server.port)
    const sent = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
    for (let round = 1; round <= 8; round++) {
      link.send(sent)
      await recorder.until(() => recorder.bytesTotal === round * sent.length)
    }
    expect(Buffer.concat(recorder.chunks).equals(Buffer.concat(Array.from({ length: 8 }, () => sent)))).toBe(true)
  })

  test('says "Client disconnected." after a clean end, a truncated one and a reset', async () => {
    await using server = await RunningEcho.start(files)
    using relay = await TcpRelay.to(server.port)
    const leave: readonly ((link: DialledLink) => void)[] = [(link) => link.close(), (link) => link.terminate(), () => relay.reset()]
    for (const [index, end] of leave.entries()) {
      const { link } = await dial(relay.port)
      await server.output.printed(new RegExp(`(Accepted[^]*){${index + 1}}`))
      end(link)
      await server.output.printed(new RegExp(`(Client disconnected\\.\\n[^]*){${index + 1}}`))
    }
    expect(server.output.lines.filter((line) => line.startsWith('Client'))).toHaveLength(3)
    expect(server.errors.text).toBe('')
  })

  test('shows controls as escapes, so that a peer draws nothing on the terminal', async () => {
    await using server = await RunningEcho.start(files)
    const { link } = await dial(server.port)
    link.send(Buffer.from('\u001b]0;title\u0007one\ntwo\n'))
    await server.output.printed(/Received: \\u001b\]0;title\\u0007one\\ntwo\n/)
  })

  test('prints 20 lines of a flood and counts the rest', async () => {
    await using server = await RunningEcho.start(files)
    const { link, recorder } = await dial(server.port)
    for (let echoes = 1; echoes <= 200; echoes++) {
      link.send(Buffer.from('x'))
      await recorder.until(() => recorder.bytesTotal === echoes)
    }
    link.close()
    // Should this machine be so slow that the 200 take seconds, there are 20 lines in each of them.
    await server.output.printed(/left out\)\n/)
    server.stop()
    await server.ended
    const { lines } = server.output
    const first = lines.findIndex((line) => line.endsWith('left out)'))
    expect(lines.slice(1, first)).toEqual([expect.stringMatching(/^Accepted/), ...Array.from({ length: 19 }, () => 'Received: x')])
    const leftOut = lines
      .flatMap((line) => /^\((\d+) lines? left out\)$/.exec(line)?.[1] ?? [])
      .reduce((sum, text) => sum + Number(text), 0)
    const printed = lines.filter((line) => /^(Accepted|Received|Client)/.test(line)).length
    expect(printed + leftOut).toBe(202)
  })

  test('serves no more than echoConnectionsMax at once, and says so', async () => {
    await using server = await RunningEcho.start(files, { echoConnectionsMax: 2 })
    const [first] = [await dial(server.port), await dial(server.port)]
    const { socket, gone } = await dialTcp(server.port)
    socket.resume()
    await gone
    expect(server.errors.text).toBe('Connection refused: 127.0.0.1, because of echoConnectionsMax\n')
    first.link.close()
    await server.output.printed(/Client disconnected/)
    await dial(server.port)
  })

  test('drops who does not finish the handshake in time, and who speaks no TLS', async () => {
    await using server = await RunningEcho.start(files, { handshakeMsMax: 1500 })
    const silent = await dialTcp(server.port)
    const { localPort: silentPort } = silent.socket
    silent.socket.resume()
    await silent.gone
    const stranger = await dialTcp(server.port)
    const { localPort: strangerPort } = stranger.socket
    stranger.socket.resume()
    stranger.socket.write('GET / HTTP/1.1\r\n\r\n')
    await stranger.gone
    await server.errors.printed(/gave up/)
    expect(server.errors.lines).toEqual([
      `Handshake error: 127.0.0.1:${silentPort} took too long`,
      `Handshake error: 127.0.0.1:${strangerPort} gave up: it does not trust the certificate, or does not speak TLS`,
    ])
    expect(server.output.lines).toHaveLength(1)
  })

  test('listens on IPv6 too', async () => {
    await using server = await RunningEcho.start(files, {}, '::1')
    expect(server.output.text).toBe(`SSL Server is running on [::1]:${server.port}\n`)
    await dial(server.port, '::1')
    await server.output.printed(/Accepted SSL connection from \[::1\]:\d+\n/)
  })

  test('tells an operator who has not chosen the certificate which file its clients need', async () => {
    for (const [host, name] of [
      ['127.0.0.1', '127.0.0.1'],
      ['0.0.0.0', 'localhost'],
    ] as const) {
      await using server = await RunningEcho.start({ ...files, named: false }, {}, host)
      expect(server.errors.lines).toEqual([
        `clients trust this server with ${files.certificate}:`,
        `  sealwire echo ${name} ${server.port} ${files.certificate}`,
      ])
    }
  })

  test('warns about a key that others can read', async () => {
    const key = join(scratch, 'open.key')
    cpSync(files.key, key)
    chmodSync(key, 0o644)
    await using server = await RunningEcho.start({ ...files, key })
    expect(server.errors.text).toBe(`sealwire: warning: the key "${key}" is open to other users (mode 0644). run: chmod 600 ${key}.\n`)
  })

  test('refuses to start on an address that is in use', async () => {
    await using server = await RunningEcho.start(files)
    expect(await rejectionOf(RunningEcho.start(files, {}, '127.0.0.1', server.port))).toBe('address_unavailable')
  })
})

describe('the end of an echo server', () => {
  test('hands over what is under way, and closes', async () => {
    await using server = await RunningEcho.start(files)
    const { link, recorder } = await dial(server.port)
    link.pause()
    link.send(Buffer.alloc(1000, 'x'))
    await server.output.printed(/Received: x/)
    server.stop()
    link.resume()
    await recorder.until(() => recorder.ends.length > 0)
    await server.ended
    expect(recorder.ends).toEqual(['ended'])
    expect(recorder.bytesTotal).toBe(1000)
    expect(server.output.lines.slice(-2)).toEqual(['Signal received, shutting down server...', 'Client disconnected.'])
  })

  test('waits for a client that does not leave no longer than drainMsMax', async () => {
    await using server = await RunningEcho.start(files, { drainMsMax: 300 })
    const { port } = server
    const client = connectTls({ host: '127.0.0.1', port, ca: roots, allowHalfOpen: true } as Parameters<typeof connectTls>[0])
    closing.push(() => client.destroy())
    client.on('error', () => {})
    await server.output.printed(/Accepted/)
    const stoppedAt = performance.now()
    server.stop()
    await server.ended
    expect(performance.now() - stoppedAt).toBeGreaterThan(250)
    expect(server.output.lines.at(-1)).toBe('Client disconnected.')
  })

  test('accepts nobody any more, nor those whose handshake was under way', async () => {
    await using server = await RunningEcho.start(files, { drainMsMax: 2000 })
    const { port } = server
    const keeper = connectTls({ host: '127.0.0.1', port, ca: roots, allowHalfOpen: true } as Parameters<typeof connectTls>[0])
    closing.push(() => keeper.destroy())
    keeper.on('error', () => {})
    await server.output.printed(/Accepted/)
    const { socket: late } = await dialTcp(port)
    // The server has accepted it once it has answered somebody who came later.
    ;(await dial(port)).link.close()
    server.stop()
    const client = connectTls({ socket: late, ca: roots, servername: 'localhost' })
    client.on('error', () => {})
    await once(client, 'end')
    expect(await rejectionOf(dial(port))).toBe('unreachable')
    keeper.destroy()
    await server.ended
  })
})

async function dial(port: number, host = '127.0.0.1') {
  const link = await dialTls({ host, port, roots, timeoutMs: 5000 }, context)
  const recorder = new Recorder()
  link.attach(recorder)
  closing.push(() => link.terminate())
  return { link, recorder }
}

/** A TCP connection, and when it is gone again: that may be at once. */
async function dialTcp(port: number) {
  const socket = connectTcp({ port, host: '127.0.0.1' })
  closing.push(() => socket.destroy())
  const gone = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), gone])
  return { socket, gone }
}
