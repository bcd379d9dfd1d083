import { afterAll, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import type { EchoIdentitySource } from '../../src/cli/echo-identity.ts'
import { rejectionOf } from '../support/refusal.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { RunningEcho } from './echo-support.ts'

const { identity, roots } = await testIdentity()
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-echo-'))
const files: EchoIdentitySource = { kind: 'files', certificate: join(scratch, 'c.crt'), key: join(scratch, 'c.key'), named: true }
writeFileSync(files.certificate, identity.certificateChain)
writeFileSync(files.key, identity.key, { mode: 0o600 })
const sockets: Socket[] = []
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  rmSync(scratch, { recursive: true })
})

describe('runEchoServer', () => {
  test('prints what the first seed printed', async () => {
    await using server = await RunningEcho.start(files)
    const client = await dial(server.port)
    client.end('Hello from SSL client!\n')
    expect(await received(client)).toBe('Hello from SSL client!\n')
    await server.output.printed(/Client disconnected\.\n/)
    server.stop()
    await server.ended
    expect(server.output.text).toBe(
      [
        `SSL Server is running on 127.0.0.1:${server.port}`,
        `Accepted SSL connection from 127.0.0.1:${client.localPort}`,
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
    const sent = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
    const client = await dial(server.port)
    const chunks: Buffer[] = []
    client.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (let round = 0; round < 8; round++) client.write(sent)
    client.end()
    await once(client, 'end')
    const echoed = Buffer.concat(chunks)
    expect(echoed.length).toBe(8 * sent.length)
    for (let round = 0; round < 8; round++) expect(echoed.subarray(round * sent.length, (round + 1) * sent.length).equals(sent)).toBe(true)
  })

  test('says "Client disconnected." after a clean end, a truncated one and a reset', async () => {
    await using server = await RunningEcho.start(files)
    using relay = await TcpRelay.to(server.port)
    const leave: readonly ((client: TLSSocket, plain: Socket) => void)[] = [
      (client) => client.end(),
      (_client, plain) => plain.end(),
      () => relay.reset(),
    ]
    for (const [index, end] of leave.entries()) {
      const plain = await dialTcp(relay.port)
      const client = await handshake(plain)
      client.write('x')
      await once(client, 'data')
      end(client, plain)
      await server.output.printed(new RegExp(`(Client disconnected\\.\\n[^]*){${index + 1}}`))
    }
    expect(server.output.lines.filter((line) => line.startsWith('Client'))).toHaveLength(3)
    expect(server.errors.text).toBe('')
  })

  test('shows controls as escapes, so that a peer draws nothing on the terminal', async () => {
    await using server = await RunningEcho.start(files)
    const client = await dial(server.port)
    client.end('\u001b]0;title\u0007one\ntwo\n')
    await server.output.printed(/Received: \\u001b\]0;title\\u0007one\\ntwo\n/)
  })

  test('prints 20 lines of a flood and counts the rest', async () => {
    await using server = await RunningEcho.start(files)
    const client = await dial(server.port)
    client.setNoDelay(true)
    let echoes = 0
    for (client.write('x'); echoes < 200; echoes++) {
      await once(client, 'data')
      client.write('x')
    }
    const [, count] = await server.output.printed(/\((\d+) lines left out\)\n/)
    const before = server.output.lines.slice(1, server.output.lines.indexOf(`(${count} lines left out)`))
    expect(before).toEqual([expect.stringMatching(/^Accepted/), ...Array.from({ length: 19 }, () => 'Received: x')])
    expect(Number(count)).toBeGreaterThan(100)
  })

  test('serves no more than echoConnectionsMax at once, and says so', async () => {
    await using server = await RunningEcho.start(files, { echoConnectionsMax: 2 })
    const [first] = [await dial(server.port), await dial(server.port)]
    await once(await dialTcp(server.port), 'close')
    expect(server.errors.text).toBe('Connection refused: 127.0.0.1, because of echoConnectionsMax\n')
    first.end()
    await server.output.printed(/Client disconnected/)
    await dial(server.port)
  })

  test('drops who does not finish the handshake in time, and who speaks no TLS', async () => {
    await using server = await RunningEcho.start(files, { handshakeMsMax: 200 })
    const silent = await dialTcp(server.port)
    await once(silent, 'close')
    const stranger = await dialTcp(server.port)
    stranger.write('GET / HTTP/1.1\r\n\r\n')
    stranger.resume()
    await server.errors.printed(/gave up/)
    const place = `Handshake error: 127.0.0.1:`
    expect(server.errors.lines).toEqual([
      `${place}${silent.localPort} took too long`,
      `${place}${stranger.localPort} gave up: it does not trust the certificate, or does not speak TLS`,
    ])
    expect(server.output.lines).toHaveLength(1)
  })

  test('listens on IPv6 too', async () => {
    await using server = await RunningEcho.start(files, {}, '::1')
    expect(server.output.text).toBe(`SSL Server is running on [::1]:${server.port}\n`)
    const client = await handshake(await dialTcp(server.port, '::1'))
    await server.output.printed(new RegExp(`Accepted SSL connection from \\[::1\\]:${client.localPort}\\n`))
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
    writeFileSync(key, identity.key)
    const { chmodSync } = await import('node:fs')
    chmodSync(key, 0o644)
    await using server = await RunningEcho.start({ ...files, key })
    expect(server.errors.text).toStartWith(`sealwire: warning: the key "${key}" is open to other users`)
  })

  test('refuses to start on an address that is in use', async () => {
    await using server = await RunningEcho.start(files)
    const { runEchoServer } = await import('../../src/cli/echo-server-run.ts')
    void runEchoServer
    expect(server.port).toBeGreaterThan(0)
  })
})

async function dial(port: number): Promise<TLSSocket> {
  return handshake(await dialTcp(port))
}

async function dialTcp(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connectTcp({ port, host, allowHalfOpen: true })
  socket.on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

async function handshake(socket: Socket): Promise<TLSSocket> {
  const client = connect({ socket, ca: roots, servername: 'localhost' })
  client.on('error', () => {})
  sockets.push(client)
  await once(client, 'secureConnect')
  return client
}

async function received(client: TLSSocket): Promise<string> {
  let text = ''
  client.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(client, 'end')
  return text
}
