// The operator's commands against real servers: what they do to sessions that are open, and that they get through when
// nobody else does, while a server starts and ends, and from nobody but its own user.

import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Client, connectNode } from '../../src/client/node.ts'
import { parseInviteLink } from '../../src/pki/index.ts'
import { encodeFrame, FrameDecoder } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'

setDefaultTimeout(60_000)

/** A second, on a machine that does nothing else. */
const noticeMsMax = process.env['SEALWIRE_LONG'] === '1' ? 1000 : 5000

const password = 'correct-horse-battery'
const root = process.getuid?.() === 0

describe('invite', () => {
  test('makes links that join, each once, and the start’s own link ends with the next start', async () => {
    using folder = new StoreFolder()
    const links: string[] = []
    const options = { registration: 'invite', data: folder.path, port: await lastingPort() } as const
    {
      await using server = await start(options)
      links.push(server.invite, await printed(server, ['invite']))
      await (await joined(links[1] ?? '', 'alice')).drain()
      expect(await rejectionOf(joined(links[1] ?? '', 'bob'))).toBe('invitation_used')
      expect(readFileSync(join(server.data, 'logs', 'server.log'), 'utf8')).not.toContain('sealwire://')
      expect(server.stderr).not.toContain(links[0]?.slice(-22))
      await server.stop()
    }
    links.push((await runCli(['invite', '--data', folder.path])).stdout.trim())
    await using server = await start(options)
    expect(await rejectionOf(joined(links[0] ?? '', 'bob'))).toBe('invitation_invalid')
    await (await joined(links[2] ?? '', 'bob')).drain()
    await (await joined(server.invite, 'carol')).drain()
    expect(await printed(server, ['admin', 'list'])).toMatch(/^alice {2}.*\nbob {2}.*\ncarol {2}.*$/)
  })

  test('is refused where registration is closed, and such a server prints no link', async () => {
    await using server = await start({ registration: 'closed' })
    expect(server.stdout).not.toContain('invite')
    const { exitCode, stdout, stderr } = await runCli(['invite', '--data', server.data])
    expect([exitCode === 0, stdout]).toEqual([false, ''])
    expect(stderr).toBe(
      'sealwire: registration is closed on this server: nobody could use an invitation. start it with --registration invite.\n',
    )
  })
})

describe('ban', () => {
  test('ends what is open of an account within a second, in both dialects, and of no other', async () => {
    await using server = await start()
    const link = parseInviteLink(server.invite)
    await using contract = await connectNode({ ...link, pin: server.fingerprint })
    const { token } = await contract.request('account.register', { name: 'mallory', password })
    await using other = await connectNode({ ...link, pin: server.fingerprint })
    await other.request('account.register', { name: 'alice' })
    using classic = await ClassicPeer.connect(server)
    expect(await classic.ask(2, `mallory:${password}`)).toBe('04 OK')
    const told = Promise.all([contract.closed, classic.closed])
    expect(await printed(server, ['admin', 'ban', 'Mallory'])).toBe('banned mallory')
    const bannedAt = performance.now()
    expect((await told)[0]).toMatchObject({ code: 'session_ended' })
    expect(performance.now() - bannedAt).toBeLessThan(noticeMsMax)
    expect(classic.frames).toEqual(['05 FAIL'])
    await other.request('session.ping', {})
    await using again = await connectNode({ ...link, pin: server.fingerprint })
    expect(await rejectionOf(again.request('account.resume', { token }))).toBe('account_banned')
    expect(await rejectionOf(again.request('account.login', { name: 'mallory', password }))).toBe('account_banned')
    await printed(server, ['admin', 'unban', 'mallory'])
    expect((await again.request('account.resume', { token })).name).toBe('mallory')
  })
})

describe('reset-password', () => {
  test('ends what is open, and lets in who has the new password and nobody with the old one', async () => {
    await using server = await start()
    using open = await ClassicPeer.connect(server)
    expect(await open.ask(1, `alice:${password}`)).toBe('04 OK')
    const { name, password: next } = JSON.parse(await printed(server, ['admin', 'reset-password', 'alice', '--json'])) as {
      readonly name: string
      readonly password: string
    }
    await open.closed
    using old = await ClassicPeer.connect(server)
    expect([name, await old.ask(2, `alice:${password}`)]).toEqual(['alice', '05 AUTH!'])
    using fresh = await ClassicPeer.connect(server)
    expect(await fresh.ask(2, `alice:${next}`)).toBe('04 OK')
    expect(server.stderr).not.toContain(next)
  })
})

describe('commands get through', () => {
  test('to a server that refuses everybody else', async () => {
    await using server = await start({ limits: { ...liftedRates, connectionsMax: 1 } })
    await using _crowd = await Crowd.of(200, server.port)
    expect(await printed(server, ['admin', 'status'])).toStartWith('running ')
    expect(await printed(server, ['invite'])).toStartWith('sealwire://')
  })

  test.skipIf(process.platform !== 'linux')('to a server that has no descriptor left for a connection', async () => {
    using folder = new StoreFolder()
    const limits = Object.entries({ ...liftedRates, descriptorsReserved: 64, handshakeMsMax: 60_000 })
    const flags = limits.flatMap(([name, value]) => ['--limit', `${name}=${value}`])
    const serve = [process.execPath, program, 'serve', '--data', folder.path, '--listen', '127.0.0.1:0', ...flags]
    const child = spawn('sh', ['-c', 'ulimit -n 256; exec "$@"', 'sh', ...serve], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const port = await listeningPort(child.stdout)
      await using _crowd = await Crowd.of(400, port)
      const asked = await Promise.all(Array.from({ length: 8 }, () => runCli(['admin', 'status', '--data', folder.path])))
      expect(asked.map(({ exitCode, stdout }) => [exitCode, stdout.split('\n')[0]])).toEqual(
        asked.map(() => [0, `running      tls://127.0.0.1:${port}`]),
      )
    } finally {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  })

  test('a hundred at once, among garbage and silence', async () => {
    await using server = await start({ limits: { operatorRequestMsMax: 500 } })
    const path = join(server.data, 'operator.sock')
    const noise = await Promise.all(Array.from({ length: 100 }, () => dialled(path)))
    for (const [index, socket] of noise.entries()) if (index % 2 === 0) socket.write('GET / HTTP/1.1\r\n\r\n')
    const commands = Array.from({ length: 10 }, (_, index) => runCli(['invite', '--uses', `${index + 1}`, '--data', server.data]))
    const told = await Promise.all(commands)
    expect(told.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(told.map(() => [0, '']))
    expect(new Set(told.map(({ stdout }) => stdout)).size).toBe(10)
    for (const socket of noise) socket.destroy()
    expect(server.stderr.match(/"level":"error"/)).toBeNull()
  })

  test('while the server starts and ends again and again: each is carried out once there or here', async () => {
    using folder = new StoreFolder()
    await (await start({ data: folder.path })).stop()
    let made = 0
    for (let round = 0; round < 3; round++) {
      const server = ServerProcess.spawn({ data: folder.path })
      await until(() => server.stdout !== '' || !server.isRunning)
      server.signal('SIGTERM')
      const commands = Array.from({ length: 4 }, () => runCli(['invite', '--data', folder.path]))
      for (const { exitCode, stdout, stderr } of await Promise.all(commands)) {
        expect([exitCode, stderr]).toEqual([0, ''])
        made += stdout.startsWith('sealwire://') ? 1 : 0
      }
      expect(await server.exited).toEqual({ code: 0, signal: null })
    }
    expect(made).toBe(12)
  })

  test('to a server that drains, and to none after one that was killed', async () => {
    await using server = await start({ limits: { ...liftedRates, drainMsMax: 60_000 } })
    using lingering = await ClassicPeer.connect(server)
    lingering.pause()
    server.signal('SIGTERM')
    await until(() => server.stderr.includes('server stopping'))
    expect(await printed(server, ['admin', 'status'])).toStartWith('running ')
    await server.kill()
    expect(await printed(server, ['admin', 'status'])).toStartWith('stopped\n')
    await using next = await start({ data: server.data })
    expect(await printed(next, ['admin', 'status'])).toStartWith('running ')
  })
})

describe('another user', () => {
  test.skipIf(!root)('is told that the folder cannot be used, whether a server runs or not', async () => {
    await using server = await start()
    for (const state of ['running', 'stopped']) {
      for (const args of [['invite'], ['admin', 'list'], ['admin', 'ban', 'alice']]) {
        const options = { encoding: 'utf8', uid: 65_534, gid: 65_534, cwd: '/' } as const
        const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args, '--data', server.data], options)
        expect([state, status, stdout]).toEqual([state, 3, ''])
        expect(stderr).toMatch(/^sealwire: cannot read .* \(EACCES\)\. .*\n$/)
      }
      await server.stop()
    }
  })
})

/** A server with the flags of the tests. */
function start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  return ServerProcess.start({ limits: liftedRates, ...options })
}

/** What a command prints that succeeds. */
async function printed(server: Pick<ServerProcess, 'data'>, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli([...args, '--data', server.data])
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout.trimEnd()
}

/** A client that has joined with a link. */
async function joined(text: string, name: string): Promise<Client> {
  const { invitation, ...server } = parseInviteLink(text)
  const client = await connectNode(server)
  try {
    await client.request('account.register', { name, invitation })
    return client
  } catch (reason) {
    client.close()
    throw reason
  }
}

/** A connection to the operator's socket, open or already reset: of too many at once a busy server refuses some. */
async function dialled(path: string): Promise<Socket> {
  const socket = connect(path)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return socket
}

/** The port in the first line that a server prints. */
async function listeningPort(stdout: Readable): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let said = ''
  stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    const port = /:(\d+)\n/.exec(said)?.[1]
    if (port !== undefined) resolve(Number(port))
  })
  stdout.once('end', () => reject(new Error('the server did not start')))
  return promise
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5)
}

/** Connections that say nothing; those that are refused come again. */
class Crowd implements AsyncDisposable {
  readonly #sockets = new Set<Socket>()
  #isOver = false

  static async of(count: number, port: number): Promise<Crowd> {
    const crowd = new Crowd()
    const dials = Array.from({ length: count }, () => crowd.#dial(port))
    await Promise.all(dials)
    return crowd
  }

  async #dial(port: number): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    this.#sockets.add(socket)
    socket.on('error', () => {})
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('connect', resolve)
    socket.once('close', () => {
      resolve()
      this.#sockets.delete(socket)
      if (!this.#isOver) setTimeout(() => void this.#dial(port), 50)
    })
    await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** A classic client: what arrives is `04 OK`. */
class ClassicPeer implements Disposable {
  readonly closed: Promise<void>
  readonly frames: string[] = []
  readonly #socket: TLSSocket
  readonly #decoder = new FrameDecoder()
  #wake = (): void => {}

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  static async connect({ port, authority }: ServerProcess): Promise<ClassicPeer> {
    const socket = connectTls({ host: '127.0.0.1', port, ca: readFileSync(authority) })
    await once(socket, 'secureConnect')
    return new ClassicPeer(socket)
  }

  /** Sends a command and takes the answer. */
  async ask(command: number, body: string): Promise<string | undefined> {
    this.#socket.write(encodeFrame(command, Buffer.from(body)))
    while (this.frames.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.frames.shift()
  }

  /** Takes nothing more, also not the end. */
  pause(): void {
    this.#socket.pause()
  }

  #take(bytes: Uint8Array): void {
    this.#decoder.push(bytes)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      this.frames.push(`${packet.command.toString(16).padStart(2, '0')} ${Buffer.from(packet.body).toString()}`)
    }
    this.#wake()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
