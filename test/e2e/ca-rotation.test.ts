// An authority is replaced while people use the server: who knows the old key follows, who comes by a new link is in at once,
// and nobody else is let in between, before, while and after the old key leads to the new one. The clients and the commands
// are real processes; the people reach the server through a relay, behind which somebody else can stand.

import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { askServer } from '../../src/cli/operator/connection.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { Flusher, type Listener, listenTls, type TlsIdentity } from '../../src/link/index.ts'
import { parseInviteLink } from '../../src/pki/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { Homes } from '../cli/member-support.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { testIdentity } from '../support/tls-identity.ts'

setDefaultTimeout(240_000)

describe('cert rotate-ca', () => {
  test('takes everybody along who comes while the old key leads to the new one, and lets nobody in between', async () => {
    // What is done during the overlap may take longer than it should, where others use the processors: then once more, with more time.
    for (const times of [4, 8, 16]) if (await takesEverybody(times)) return
    throw new Error('the overlap was never long enough')
  })

  test('survives a restart of the server in the middle of the overlap', async () => {
    using homes = new Homes()
    const options = { limits: liftedRates, data: homes.path('data'), port: await lastingPort() }
    await using first = await ServerProcess.start(options)
    await homes.join(first, 'alice')
    const cli = await runCli(['cert', 'rotate-ca', '--overlap', '1h', '--data', first.data, '--json'])
    const { fingerprint } = JSON.parse(cli.stdout) as { fingerprint: string }
    await first.kill()
    await using second = await ServerProcess.start(options)
    expect(second.fingerprint).toBe(fingerprint)
    expect(await who(homes, 'alice')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(homes.pinsOf('alice').profile).toBe(fingerprint)
  })
})

/** False when the overlap, so many times as long as it took to join, was over before everything in it was done. */
async function takesEverybody(times: number): Promise<boolean> {
  await using server = await ServerProcess.start({ limits: liftedRates })
  await using stranger = await Stranger.listen()
  using door = await Door.to(server.port)
  using homes = new Homes()
  const old = server.fingerprint
  const at = { port: door.port, fingerprint: old }
  const began = performance.now()
  for (const name of ['alice', 'bob', 'carol']) await homes.join(at, name)
  const overlapMs = Math.max(5000, Math.ceil(times * (performance.now() - began)))
  const between = async (name: string, ...ports: readonly number[]): Promise<void> => {
    for (const port of ports) {
      door.target = port
      const refused = await who(homes, name)
      door.target = server.port
      expect([refused.exitCode, refused.stdout]).toEqual([5, ''])
      expect(refused.stderr).toMatch(/has another key|has not signed/)
    }
  }
  await between('alice', stranger.port)

  const rotatedAt = performance.now()
  await using stack = new AsyncDisposableStack()
  let [next, borrower]: [string, Stranger] = ['', stranger]
  try {
    const replaced = await rotate(server, old, overlapMs)
    expect(replaced).toMatchObject({ overlap: { fingerprint: old } })
    next = replaced.fingerprint
    expect(next).not.toBe(old)
    expect(await who(homes, 'alice')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(homes.pinsOf('alice')).toEqual({ profile: next, known: [next, old] })
    expect(await who(homes, 'bob')).toMatchObject({ exitCode: 0, stderr: '' })
    await homes.join(at, 'dave') // By what a link from before says.
    expect(homes.pinsOf('dave')).toEqual({ profile: next, known: [next, undefined] })
    // Carol knows the old key alone; he shows her everything that the server shows, but for a certificate of his own.
    borrower = stack.use(await Stranger.listen(server))
    await between('carol', borrower.port, stranger.port)
    const link = (await runCli(['invite', '--data', server.data])).stdout.trim()
    expect(parseInviteLink(link).pin).toBe(next)
    const erin = await runCli(['join', link, '--name', 'erin', '--home', homes.path('erin')])
    expect(erin).toMatchObject({ exitCode: 0 })
  } catch (reason) {
    if (performance.now() - rotatedAt > overlapMs) return false
    throw reason
  }

  await overlapEnds(server, overlapMs)
  for (const name of ['alice', 'bob', 'dave', 'erin']) expect(await who(homes, name)).toMatchObject({ exitCode: 0, stderr: '' })
  await between('alice', borrower.port, stranger.port)
  const late = await who(homes, 'carol')
  expect([late.exitCode, late.stdout]).toEqual([5, ''])
  expect(late.stderr).toContain(`has another key: expected ${old}, seen ${next}`)
  return true
}

function pems(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
}

function who(homes: Homes, name: string) {
  return runCli(['who', '--home', homes.path(name)])
}

/** As the command does it, with an overlap that is too short for people. */
async function rotate(server: ServerProcess, from: string, overlapMs: number) {
  const answer = await askServer(server.data, 'certificate.rotate', { from, overlapMs }, { clock: systemClock, limits: resolveLimits() })
  if (typeof answer !== 'object') throw new Error(answer)
  return answer
}

async function overlapEnds(server: ServerProcess, overlapMs: number): Promise<void> {
  const deadline = performance.now() + overlapMs + 30_000
  while (performance.now() < deadline) {
    const { stdout } = await runCli(['cert', 'show', '--json', '--data', server.data])
    if (!('overlap' in (JSON.parse(stdout) as object))) return
  }
  throw new Error('the overlap did not end')
}

/** Where the clients believe the server to be. */
class Door implements Disposable {
  target: number
  readonly #server: Server

  private constructor(target: number) {
    this.target = target
    this.#server = createServer((client) => {
      const server = connect(this.target, '127.0.0.1')
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on('error', () => to.destroy())
        from.pipe(to)
      }
    })
  }

  static async to(target: number): Promise<Door> {
    const door = new Door(target)
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve))
    return door
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  [Symbol.dispose](): void {
    this.#server.close()
  }
}

/** Somebody else, with an authority of his own, or with those of `server`. */
class Stranger implements AsyncDisposable {
  readonly #listener: Listener

  private constructor(listener: Listener) {
    this.#listener = listener
  }

  static async listen(server?: ServerProcess): Promise<Stranger> {
    const { identity } = await testIdentity()
    if (server === undefined) return new Stranger(await listenAs(identity))
    const [, ...authorities] = pems(readFileSync(join(server.data, 'server.crt'), 'utf8'))
    const [leaf] = pems(identity.certificateChain)
    expect(authorities).toHaveLength(3)
    return new Stranger(await listenAs({ ...identity, certificateChain: [leaf, ...authorities].join('\n') }))
  }

  get port(): number {
    return this.#listener.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]()
  }
}

async function listenAs(identity: TlsIdentity): Promise<Listener> {
  const limits = resolveLimits()
  const receiver = { received() {}, drained() {}, closed() {} }
  const handlers = { admit: () => ({ established() {}, release() {} }), opened: () => receiver, failed() {} }
  return listenTls({ host: '127.0.0.1', port: 0, identity: () => identity }, handlers, {
    limits,
    flusher: new Flusher(limits, systemClock),
  })
}
