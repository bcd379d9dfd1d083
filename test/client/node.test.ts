import { afterAll, describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connectNode, type NodeClientOptions } from '../../src/client/node.ts'
import { rejectionOf } from '../support/refusal.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { echoScript, TlsServer } from './tls-server.ts'

const identity = await testIdentity()
const server = await TlsServer.start(identity, (connection) => echoScript(connection, 3))
const { port, pin } = server
afterAll(() => server[Symbol.dispose]())

describe('connectNode', () => {
  test('talks with the server that has the pin, and ends in order', async () => {
    const client = await connectNode({ host: '127.0.0.1', port, pin, name: 'test' })
    const data = crypto.getRandomValues(new Uint8Array(1_024))
    const echoes = await Promise.all(Array.from({ length: 1_000 }, () => client.request('session.echo', { data })))
    expect(echoes.every((echo) => Buffer.compare(echo.data, data) === 0)).toBe(true)
    const events = client.events()
    for (const name of ['guest 0', 'guest 1', 'guest 2']) expect((await events.next()).value).toMatchObject({ data: { name } })
    await client.drain()
    expect([await events.next(), await client.closed]).toEqual([{ done: true, value: undefined }, undefined])
  })

  test('says nothing to a server that has another pin', async () => {
    const stranger = await testIdentity()
    using other = await TlsServer.start(stranger, (connection) => echoScript(connection))
    expect(await rejectionOf(connectNode({ host: '127.0.0.1', port: other.port, pin }))).toBe('untrusted')
    for (const connection of other.connections) await connection.ended()
    expect(other.connections.flatMap(({ frames }) => frames)).toEqual([])
  })

  test('waits for a server that reads slowly, and loses nothing', async () => {
    const received: number[] = []
    using slow = await TlsServer.start(identity, async (connection) => {
      await connection.hello()
      connection.welcome()
      connection.link.pause()
      for (let each = 0; each < 200; each++) {
        if (connection.frames.length === 0) connection.link.resume()
        const { id } = await connection.request()
        connection.link.pause()
        received.push(id)
        connection.answer(id, 'message.edit', { seq: 2, at: 0 })
      }
      connection.link.resume()
      await connection.goodbye()
    })
    const client = await connectNode({ host: '127.0.0.1', port: slow.port, pin })
    const edit = { conversation: 1, target: 1, id: new Uint8Array(16), body: new Uint8Array(60_000) }
    await Promise.all(Array.from({ length: 200 }, () => client.request('message.edit', edit)))
    expect(received).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
    await client.drain()
  })

  test('says that nobody is there, and gives up when its signal says so', async () => {
    const gone = await TlsServer.start(identity, (connection) => echoScript(connection))
    gone[Symbol.dispose]()
    expect(await rejectionOf(connectNode({ host: '127.0.0.1', port: gone.port, pin }))).toBe('unreachable')
    const abort = new AbortController()
    const connecting = rejectionOf(connectNode({ host: '127.0.0.1', port, pin, signal: abort.signal }))
    abort.abort()
    expect(await connecting).toBe('unreachable')
  })

  test.each([{ host: '' }, { port: 0 }, { port: 65_536 }, { pin: 'SHA256:short' }, { timeoutMs: 0 }, { name: 'x'.repeat(65) }])(
    'takes %p for misuse',
    async (wrong: Partial<NodeClientOptions>) => {
      const options = { host: '127.0.0.1', port, pin, ...wrong }
      expect(await connectNode(options).catch((reason: unknown) => reason)).toBeInstanceOf(TypeError)
    },
  )

  test('runs on Node', async () => {
    const node = process.env['SEALWIRE_NODE']
    if (node === undefined) {
      if (process.env['CI'] === 'true') throw new Error('SEALWIRE_NODE must name a Node.js 24 or newer')
      return void console.warn('SKIPPED: SEALWIRE_NODE does not name a Node.js 24 or newer')
    }
    const events = 20_000
    using talkative = await TlsServer.start(identity, (connection) => echoScript(connection, events))
    const script = fileURLToPath(new URL('node-program.ts', import.meta.url))
    const program = spawn(node, [script, String(talkative.port), pin, String(events)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = new Promise((resolve) => program.once('close', resolve))
    let output = ''
    for await (const bytes of program.stdout) output += bytes
    expect(await exited).toBe(0)
    expect(JSON.parse(output)).toEqual({ told: events, right: 500, closed: 'by us' })
  })
})
