import { describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '../../../src/domain/index.ts'
import { contractCommands, encodeCbor, encodeHello, parseFault, parseResult } from '../../../src/protocol/contract/index.ts'
import { type Code, encodeFrame, FrameDecoder, type Limits, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { encodeOperatorRequest, type OperatorRoutes } from '../../../src/protocol/operator.ts'
import { silentLog } from '../../../src/server/log.ts'
import { listenForOperator } from '../../../src/server/operator/socket.ts'
import { operatorSocketPath } from '../../../src/server/operator/socket-path.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const status = { host: 'chat.example', port: 5555, fingerprint: 'SHA256:x', registration: 'open' } as const

/** A socket in a folder of its own, with routes that the test decides. */
class World implements AsyncDisposable {
  readonly folder = new StoreFolder()
  readonly data: string
  readonly warnings: string[] = []
  readonly errors: unknown[] = []
  readonly #overrides: Partial<Limits>
  readonly #routes: Partial<OperatorRoutes>
  #listener: AsyncDisposable | undefined

  constructor(overrides: Partial<Limits> = {}, routes: Partial<OperatorRoutes> = {}, below = '') {
    this.data = join(this.folder.path, below)
    mkdirSync(this.data, { recursive: true })
    this.#overrides = overrides
    this.#routes = routes
  }

  static async started(...args: ConstructorParameters<typeof World>): Promise<World> {
    const world = new World(...args)
    await world.listen()
    return world
  }

  get socket(): string {
    return join(this.data, 'operator.sock')
  }

  async listen(): Promise<boolean> {
    const log = {
      ...silentLog,
      warning: (event: string, fields = {}) => void this.warnings.push(`${event} ${JSON.stringify(fields)}`),
      error: (_event: string, _fields: unknown, cause: unknown) => void this.errors.push(cause),
    }
    const routes = { 'server.status': async () => status, ...this.#routes } as OperatorRoutes
    this.#listener = await listenForOperator(this.data, { routes, limits: resolveLimits(this.#overrides), clock: systemClock, log })
    return this.#listener !== undefined
  }

  async close(): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]()
    this.#listener = undefined
  }

  async peer(): Promise<Peer> {
    using at = operatorSocketPath(this.data)
    const peer = new Peer(connect({ path: at.path, allowHalfOpen: true }))
    await peer.begun
    return peer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    this.folder[Symbol.dispose]()
  }
}

/** The other end: what arrives is `result 1`, `fault null busy` or `end`. */
class Peer {
  readonly socket: Socket
  /** It is connected, or already over: of too many at once the system may reset some before they know. */
  readonly begun: Promise<unknown>
  readonly #told: string[] = []
  readonly #decoder = new FrameDecoder()
  #wake = (): void => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.once('end', () => this.#tell('end'))
    socket.once('close', () => this.#tell('closed'))
    this.begun = Promise.race(['connect', 'close'].map((event) => new Promise<void>((resolve) => socket.once(event, () => resolve()))))
  }

  ask(id: number): void {
    this.raw(encodeFrame(contractCommands.request, encodeOperatorRequest(id, 'server.status', {})))
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next `count` things that arrive. */
  async told(count: number): Promise<readonly string[]> {
    while (this.#told.length < count) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#told.splice(0, count)
  }

  #take(bytes: Uint8Array): void {
    this.#decoder.push(bytes)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      if (packet.command === contractCommands.result) this.#tell(`result ${parseResult(packet.body).id}`)
      else this.#tell(`fault ${parseFault(packet.body).id} ${parseFault(packet.body).code}`)
    }
  }

  #tell(what: string): void {
    this.#told.push(what)
    this.#wake()
  }
}

describe('listenForOperator', () => {
  test('makes a socket that is its owner’s alone, and removes it at the end', async () => {
    await using world = await World.started()
    expect(lstatSync(world.socket).isSocket()).toBe(true)
    expect(lstatSync(world.socket).mode & 0o777).toBe(0o600)
    await world.close()
    expect(existsSync(world.socket)).toBe(false)
  })

  test('leaves the mask of new files as it was', async () => {
    const before = process.umask(0o027)
    await using _ = await World.started()
    expect(process.umask(before)).toBe(0o027)
  })

  test('takes the place of a socket that a dead server left', async () => {
    await using world = new World()
    const dead = `require('node:net').createServer().listen(${JSON.stringify(world.socket)}, () => process.kill(process.pid, 'SIGKILL'))`
    await Bun.spawn([process.execPath, '-e', dead]).exited
    expect(lstatSync(world.socket).isSocket()).toBe(true)
    expect(await world.listen()).toBe(true)
    const peer = await world.peer()
    peer.ask(1)
    expect(await peer.told(1)).toEqual(['result 1'])
  })

  test('removes nothing but a socket, and says why it cannot be reached', async () => {
    await using world = new World()
    writeFileSync(world.socket, 'precious')
    expect(await world.listen()).toBe(false)
    expect(readFileSync(world.socket, 'utf8')).toBe('precious')
    expect(world.warnings).toEqual([expect.stringMatching(/^operator commands cannot reach this server \{"why":".*EADDRINUSE.*"\}$/)])
  })

  test.skipIf(process.platform !== 'linux')('works in a folder whose path no socket can have, and closes what it opened', async () => {
    await using world = await World.started({}, {}, join('x'.repeat(100), 'y'.repeat(200)))
    expect(lstatSync(world.socket).isSocket()).toBe(true)
    const peer = await world.peer()
    peer.ask(1)
    expect(await peer.told(1)).toEqual(['result 1'])
    await world.close()
    expect(existsSync(world.socket)).toBe(false)
  })
})

describe('a connection', () => {
  test('answers in order, also what was asked all at once, and after its peer has said everything', async () => {
    await using world = await World.started()
    const peer = await world.peer()
    for (let id = 1; id <= 100; id++) peer.ask(id)
    peer.socket.end()
    const ids = Array.from({ length: 100 }, (_, index) => `result ${index + 1}`)
    expect(await peer.told(102)).toEqual([...ids, 'end', 'closed'])
  })

  test('takes a request byte by byte', async () => {
    await using world = await World.started()
    const peer = await world.peer()
    for (const byte of encodeFrame(contractCommands.request, encodeOperatorRequest(7, 'server.status', {}))) {
      peer.raw(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await peer.told(1)).toEqual(['result 7'])
  })

  const request = (body: Uint8Array): Uint8Array => encodeFrame(contractCommands.request, body)
  test.each<[string, string, Uint8Array]>([
    ['no frames', 'fault null bad_magic', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a wrong checksum', 'fault null bad_checksum', request(new Uint8Array(1)).fill(0, -4)],
    ['a greeting', 'fault null unexpected', encodeFrame(contractCommands.hello, encodeHello({ versions: [1] }))],
    ['a classic command', 'fault null unexpected', encodeFrame(1, Buffer.from('a:b'))],
    ['no request', 'fault null malformed', request(encodeCbor(['x']))],
  ])('is closed when it sends %s', async (_, answer, bytes) => {
    await using world = await World.started()
    const peer = await world.peer()
    peer.raw(bytes)
    expect(await peer.told(2)).toEqual([answer, 'end'])
  })

  test.each<[string, Code, readonly [string, Readonly<Record<string, string | number | boolean>>]]>([
    ['an unknown method', 'unknown_method', ['__proto__', {}]],
    ['an unknown parameter', 'malformed', ['server.status', { verbose: true }]],
    ['a wrong type', 'malformed', ['account.ban', { name: 7 }]],
    ['a number that is too large', 'malformed', ['invitation.create', { uses: 10_001, expiresMs: 86_400_000 }]],
    ['no lifetime at all', 'malformed', ['invitation.create', { uses: 1, expiresMs: 0 }]],
  ])('lives on when it asks with %s', async (_, code, [method, params]) => {
    await using world = await World.started()
    const peer = await world.peer()
    peer.raw(request(encodeCbor([1, method, params])))
    peer.ask(2)
    expect(await peer.told(2)).toEqual([`fault 1 ${code}`, 'result 2'])
  })

  test('is told a refusal, and of a bug nothing but that there is one', async () => {
    const refused = async (): Promise<never> => Promise.reject(new SealwireError('not_found', 'nobody'))
    const bug = new TypeError('secret')
    const broken = async (): Promise<never> => Promise.reject(bug)
    await using world = await World.started({}, { 'account.ban': refused, 'account.unban': broken })
    const peer = await world.peer()
    peer.raw(request(encodeOperatorRequest(1, 'account.ban', { name: 'x' })))
    peer.raw(request(encodeOperatorRequest(2, 'account.unban', { name: 'x' })))
    expect(await peer.told(2)).toEqual(['fault 1 not_found', 'fault 2 internal'])
    expect(world.errors).toEqual([bug])
  })

  test('is cut when it says nothing, or only half of something', async () => {
    await using world = await World.started({ operatorRequestMsMax: 1000 })
    const [silent, half, again] = await Promise.all([world.peer(), world.peer(), world.peer()])
    half.raw(Buffer.from('MAGC'))
    again.ask(1)
    expect(await again.told(2)).toEqual(['result 1', 'end'])
    expect([await silent.told(1), await half.told(1)]).toEqual([['end'], ['end']])
  })

  test('is not cut while its answer is worked on', async () => {
    const slow = async () => {
      await Bun.sleep(1500)
      return status
    }
    await using world = await World.started({ operatorRequestMsMax: 500 }, { 'server.status': slow })
    const peer = await world.peer()
    peer.ask(1)
    expect(await peer.told(1)).toEqual(['result 1'])
  })

  test('that does not take its answers is not read any more, and then cut', async () => {
    let asked = 0
    const long = async () => {
      asked++
      return { link: 'x'.repeat(512), expiresAt: 1 }
    }
    // Made before there is a connection, which waits for them no longer than for any other request.
    const params = { uses: 1, expiresMs: 86_400_000 }
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => request(encodeOperatorRequest(1, 'invitation.create', params))))
    await using world = await World.started({ operatorRequestMsMax: 2000 }, { 'invitation.create': long })
    const peer = await world.peer()
    peer.socket.pause()
    peer.raw(many)
    await once(peer.socket, 'error')
    expect(asked).toBeGreaterThan(100)
    expect(asked).toBeLessThan(5_000)
  })

  test('too many at once are told that the server is busy, and later ones are served', async () => {
    await using world = await World.started({ operatorConnectionsMax: 4, operatorRequestMsMax: 2000 })
    const peers = await Promise.all(Array.from({ length: 100 }, () => world.peer()))
    for (const peer of peers) peer.ask(1)
    const answers = await Promise.all(peers.map(async (peer) => (await peer.told(1))[0]))
    expect(answers.filter((answer) => answer === 'result 1')).toHaveLength(4)
    expect(answers.filter((answer) => answer === 'fault null busy')).toHaveLength(4)
    expect(answers.filter((answer) => answer === 'end' || answer === 'closed')).toHaveLength(92)
    await Promise.all(peers.slice(0, 8).map((peer) => peer.told(1)))
    const late = await world.peer()
    late.ask(1)
    expect(await late.told(1)).toEqual(['result 1'])
  })

  test('of random bytes ends, whatever they are', async () => {
    await using world = await World.started({ operatorRequestMsMax: 100, operatorConnectionsMax: 100 })
    const says = async (noise: Uint8Array): Promise<void> => {
      const peer = await world.peer()
      peer.raw(noise)
      const [first] = await peer.told(1)
      expect(first).toMatch(/^(fault null (bad_magic|bad_checksum|frame_too_large)|end|closed)$/)
      peer.socket.destroy()
    }
    const every = Array.from({ length: 100 }, (_, i) =>
      Buffer.concat([i % 2 === 0 ? Buffer.from('MAGC\u0012') : Buffer.alloc(0), randomBytes(1 + i * 10)]),
    )
    // Some end only when their time is over, so that ten wait at once; no more, for whom the system has a queue.
    for (let at = 0; at < every.length; at += 10) await Promise.all(every.slice(at, at + 10).map(says))
  })
})

describe('the end', () => {
  test('waits for an answer that is under way, and cuts who waits for nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<typeof status>()
    const { promise: asked, resolve: nowAsked } = Promise.withResolvers<void>()
    const slow = (): Promise<typeof status> => {
      nowAsked()
      return promise
    }
    await using world = await World.started({}, { 'server.status': slow })
    const [busy, idle] = await Promise.all([world.peer(), world.peer()])
    busy.ask(1)
    busy.ask(2)
    await asked
    const closed = world.close()
    expect(await idle.told(1)).toEqual(['end'])
    resolve(status)
    expect(await busy.told(2)).toEqual(['result 1', 'end'])
    await closed
    expect(existsSync(world.socket)).toBe(false)
  })

  test('leaves room for the next server at once', async () => {
    await using world = await World.started()
    await world.close()
    expect(await world.listen()).toBe(true)
    const other = createServer()
    other.listen(world.socket)
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('EADDRINUSE')
  })
})
