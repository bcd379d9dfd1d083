import { describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificateRoutes, type Keepers } from '../../../src/cli/cert/routes.ts'
import { IdentityKeeper } from '../../../src/cli/serve/identity-keeper.ts'
import { SealedKeeper } from '../../../src/cli/serve/sealed-keeper.ts'
import { spkiPin } from '../../../src/pki/index.ts'
import { type Clock, systemClock, type Timer } from '../../../src/domain/index.ts'
import { type Limits, resolveLimits } from '../../../src/protocol/index.ts'
import { type Log, type LogFields, silentLog } from '../../../src/server/log.ts'
import { makeCertificate } from '../../support/certificates.ts'
import { settle } from '../../support/manual-clock.ts'
import { rejectionOf } from '../../support/refusal.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
const start = Date.UTC(2030, 0, 15, 12)

describe('the certificate of the own authority', () => {
  test('is renewed when two thirds of its life are over, and not before', async () => {
    await using world = await World.open()
    const { certificate, own } = world.keeper.current
    await world.lookAt(own.renewAt - 60_000)
    expect(world.keeper.current.certificate.fingerprint256).toBe(certificate.fingerprint256)
    await world.lookAt(own.renewAt + 1000)
    expect(world.keeper.current.certificate.validToDate.getTime()).toBeGreaterThan(certificate.validToDate.getTime())
    expect(world.keeper.current.fingerprint).toBe(own.fingerprint)
    expect(world.warnings).toEqual([])
  })

  test('stays when it cannot be renewed, which is tried again and told as the end comes near', async () => {
    await using world = await World.open()
    const { certificate, own } = world.keeper.current
    const key = readFileSync(world.path('ca.key'))
    writeFileSync(world.path('ca.key'), 'lost')
    for (const hours of [0, 0.9, 1, 1.9, 2]) await world.lookAt(own.renewAt + hours * hourMs)
    expect(world.count('certificate not reloaded')).toBe(3)
    expect(world.keeper.problem?.code).toBe('key_malformed')
    for (const days of [29, 7, 1]) {
      await world.lookAt(certificate.validToDate.getTime() - days * dayMs + 60_000)
      await world.looks(1)
      expect(world.warnings.at(-1) ?? '').toMatch(/^certificate /)
    }
    expect(world.count('certificate expires')).toBe(3)
    expect(world.keeper.current.certificate.fingerprint256).toBe(certificate.fingerprint256)
    writeFileSync(world.path('ca.key'), key)
    await world.lookAt(world.clock.now() + hourMs)
    expect(world.keeper.problem).toBeUndefined()
    expect(world.keeper.current.certificate.fingerprint256).not.toBe(certificate.fingerprint256)
  })

  test('keeps its object when it is read again and is the same', async () => {
    await using world = await World.open()
    const { tls } = world.keeper
    await world.keeper.reload('SIGHUP')
    expect(world.keeper.tls).toBe(tls)
    expect(world.count('certificate unchanged')).toBe(1)
    await world.keeper.renew()
    expect(world.keeper.tls).not.toBe(tls)
    expect(world.keeper.tls.key).toBe(tls.key)
  })

  test('follows a rotation, and the old key is forgotten at the end of the overlap without anybody asking', async () => {
    await using world = await World.open()
    const routes = certificateRoutes(world.keepers, world.clock)
    const from = world.keeper.current.fingerprint
    const first = await routes['certificate.rotate']({ from, overlapMs: dayMs })
    expect(first.overlap).toEqual({ fingerprint: from, until: start + dayMs })
    // The answer was lost: asking again is not to rotate again.
    expect(await routes['certificate.rotate']({ from, overlapMs: dayMs })).toEqual(first)
    expect(await rejectionOf(routes['certificate.rotate']({ from: first.fingerprint, overlapMs: dayMs }))).toBe('busy')
    expect(world.chain).toHaveLength(4)
    await world.lookAt(start + dayMs + 1000)
    expect(world.chain).toHaveLength(2)
    expect((await routes['certificate.show']({})).overlap).toBeUndefined()
    expect(world.keeper.tls.deviceAuthorities?.split('BEGIN CERTIFICATE')).toHaveLength(3)
    expect(await rejectionOf(routes['certificate.rotate']({ from: 'SHA256:another', overlapMs: dayMs }))).toBe('not_found')
  })

  test('is asked to look again in the middle of an overlap, and the end of it is on time', async () => {
    await using world = await World.open()
    const routes = certificateRoutes(world.keepers, world.clock)
    const { overlap } = await routes['certificate.rotate']({ from: world.keeper.current.fingerprint, overlapMs: 60_000 })
    expect(overlap?.until).toBe(start + 60_000)
    await world.keeper.reload('SIGHUP')
    await world.lookAt(start + 61_000)
    expect([world.keeper.current.own.overlap, world.chain.length]).toEqual([undefined, 2])
  })

  test('tells in time that the authority itself ends', async () => {
    await using world = await World.open()
    const { authorityNotAfter } = world.keeper.current.own
    await world.lookAt(authorityNotAfter - 89 * dayMs)
    await world.looks(2)
    expect(world.warnings).toEqual([expect.stringMatching(/^authority expires .*"daysLeft":8\d.*rotate-ca/)])
  })
})

describe("the operator's files", () => {
  test('are shown from the moment on when both have changed and are at rest', async () => {
    await using world = await World.open({ files: true })
    const [first] = world.chain
    await world.put(2, 'certificate')
    await world.looks(3)
    // The certificate is there, its key is not yet.
    expect(world.chain[0]).toBe(first)
    expect(world.warnings.join()).toContain('does not belong to the key')
    expect(world.keeper.problem?.code).toBe('certificate_invalid')
    await world.put(2, 'key')
    await world.looks(3)
    expect(world.chain[0]).not.toBe(first)
    expect(world.keeper.problem).toBeUndefined()
  })

  test.each([
    ['a key that is cut off', 'key', 'key_malformed'],
    ['a chain that is cut off', 'chain', 'certificate_invalid'],
  ] as const)('keep the pair of before with %s, which is told once', async (_what, file, code) => {
    await using world = await World.open({ files: true })
    const { tls } = world.keeper
    const path = world.path(file === 'key' ? 'own.key' : 'own.crt')
    const whole = readFileSync(path, 'utf8')
    writeFileSync(path, whole.slice(0, 100))
    await world.looks(10)
    expect(world.keeper.tls).toBe(tls)
    expect(world.count('certificate not reloaded')).toBe(1)
    expect(world.keeper.problem?.code).toBe(code)
    writeFileSync(path, whole)
    await world.looks(10)
    expect(world.keeper.tls).toBe(tls)
    expect(world.keeper.problem).toBeUndefined()
  })

  test('have their root as the pin, and another root is told, for it locks out who knows the first', async () => {
    await using world = await World.open({ files: true })
    const root = world.keeper.current.fingerprint
    expect(root).toBe(spkiPin(new X509Certificate(world.chain.at(-1) ?? '')))
    expect(root).not.toBe(world.keeper.current.own.fingerprint)
    await world.put(2)
    await world.keeper.reload('SIGHUP')
    expect([world.keeper.current.fingerprint, world.warnings]).toEqual([root, []])
    await world.put(3, 'both', 'Another root')
    await world.keeper.reload('SIGHUP')
    expect(world.warnings).toEqual([expect.stringContaining('clients that know the fingerprint of before refuse this server')])
  })

  test('are not there: a server does not start', async () => {
    expect(await rejectionOf(World.open({ files: true, missing: true }))).toBe('certificate_invalid')
  })

  test('stand above an import', async () => {
    await using world = await World.open({ files: true })
    const routes = certificateRoutes(world.keepers, world.clock)
    const pair = { certificate: readFileSync(world.path('own.crt'), 'utf8'), key: readFileSync(world.path('own.key'), 'utf8') }
    expect(await rejectionOf(routes['certificate.import'](pair))).toBe('unavailable')
  })
})

describe('an imported certificate', () => {
  test('is shown at once and by later starts, until it is removed', async () => {
    await using world = await World.open()
    const own = world.keeper.current.fingerprint
    await world.put(1)
    const pair = { certificate: readFileSync(world.path('own.crt'), 'utf8'), key: readFileSync(world.path('own.key'), 'utf8') }
    const routes = certificateRoutes(world.keepers, world.clock)
    const shown = await routes['certificate.import'](pair)
    expect(shown).toMatchObject({ source: 'imported', names: ['localhost'], key: 'P-256', authority: { fingerprint: own } })
    expect(shown.renewsAt).toBeUndefined()
    const [leaf] = world.chain
    await world.restart()
    expect(world.chain[0]).toBe(leaf)
    expect(await certificateRoutes(world.keepers, world.clock)['certificate.remove']({})).toMatchObject({
      source: 'authority',
      fingerprint: own,
    })
  })

  test('is watched: another one in its place is shown, and half of one is not', async () => {
    await using world = await World.open()
    await world.put(1)
    const pair = { certificate: readFileSync(world.path('own.crt'), 'utf8'), key: readFileSync(world.path('own.key'), 'utf8') }
    await certificateRoutes(world.keepers, world.clock)['certificate.import'](pair)
    const [first] = world.chain
    await world.looks(3)
    // What was imported through the server is no news.
    expect([world.count('certificate reloaded'), world.count('certificate unchanged')]).toEqual([1, 0])
    await world.put(2)
    const other = readFileSync(world.path('own.key'), 'utf8') + readFileSync(world.path('own.crt'), 'utf8')
    writeFileSync(world.path('imported.pem'), other.slice(0, 100))
    await world.looks(3)
    expect([world.chain[0], world.keeper.problem?.code]).toEqual([first, 'key_malformed'])
    writeFileSync(world.path('imported.pem'), other)
    await world.looks(3)
    expect(world.keeper.problem).toBeUndefined()
    expect(world.chain[0]).not.toBe(first)
  })

  test('is refused when it is of no use, and what was shown stays', async () => {
    await using world = await World.open()
    await world.put(1)
    await world.put(2, 'certificate')
    const pair = { certificate: readFileSync(world.path('own.crt'), 'utf8'), key: readFileSync(world.path('own.key'), 'utf8') }
    expect(await rejectionOf(certificateRoutes(world.keepers, world.clock)['certificate.import'](pair))).toBe('unavailable')
    await world.restart()
    expect(world.keeper.current.source).toBe('authority')
  })
})

/** A clock that stands still; the one thing that happens again and again happens when it is moved. */
class LookClock implements Clock {
  readonly monotonic = systemClock.monotonic
  readonly after = systemClock.after
  #now: number
  #action = (): void => {}

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  every(_ms: number, action: () => void): Timer {
    this.#action = action
    return { cancel: () => void (this.#action = () => {}) }
  }

  look(at: number): void {
    this.#now = at
    this.#action()
  }
}

interface WorldOptions {
  /** With own.crt and own.key as the operator's files. */
  readonly files?: boolean
  readonly missing?: boolean
}

/** A keeper on a folder, a clock whose master is the test, and what the log says. */
class World implements AsyncDisposable {
  readonly clock = new LookClock(start)
  readonly lines: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-keeper-'))
  readonly #limits: Limits = resolveLimits()
  readonly #roots = new Map<string, Awaited<ReturnType<typeof makeCertificate>>>()
  readonly #pairs = new Map<string, Awaited<ReturnType<typeof makeCertificate>>>()
  #files: { certificate: string; key: string } | undefined
  #keeper: IdentityKeeper | undefined

  static async open({ files = false, missing = false }: WorldOptions = {}): Promise<World> {
    const world = new World()
    if (files) world.#files = { certificate: world.path('own.crt'), key: world.path('own.key') }
    if (files && !missing) await world.put(1)
    await world.restart()
    return world
  }

  get keeper(): IdentityKeeper {
    if (this.#keeper === undefined) throw new TypeError('not open')
    return this.#keeper
  }

  /** With the key of the sealed channel, which this server does not speak. */
  get keepers(): Keepers {
    const parts = { clock: this.clock, log: silentLog, limits: this.#limits }
    return { keeper: this.keeper, sealed: SealedKeeper.open(this.#folder, false, parts) }
  }

  /** The certificates shown, in PEM. */
  get chain(): readonly string[] {
    return this.keeper.tls.certificateChain.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  }

  get warnings(): readonly string[] {
    return this.lines.filter((line) => line.startsWith('warning ')).map((line) => line.slice('warning '.length))
  }

  path(name: string): string {
    return join(this.#folder, name)
  }

  count(event: string): number {
    return this.lines.filter((line) => line.includes(` ${event}`)).length
  }

  async restart(): Promise<void> {
    await this.#keeper?.[Symbol.asyncDispose]()
    const source = { folder: this.#folder, hosts: [], files: this.#files }
    const note =
      (level: string) =>
      (event: string, fields: LogFields = {}) =>
        void this.lines.push(`${level} ${event} ${JSON.stringify(fields)}`)
    const log: Log = { ...silentLog, info: note('info'), warning: note('warning'), error: note('error') }
    this.#keeper = await IdentityKeeper.open(source, { clock: this.clock, log, limits: this.#limits })
    this.#keeper.start()
  }

  /** Puts the pair of a number in the place of the operator's files, or one half of it. */
  async put(number: number, which: 'both' | 'certificate' | 'key' = 'both', rootName = 'Root'): Promise<void> {
    const times = { until: (start - Date.now()) / dayMs + 100 }
    const root = this.#roots.get(rootName) ?? (await makeCertificate({ commonName: rootName, isAuthority: true, ...times }))
    this.#roots.set(rootName, root)
    const signedBy = { name: rootName, key: root.key }
    const pair = this.#pairs.get(`${number}`) ?? (await makeCertificate({ commonName: 'server', names: ['localhost'], signedBy, ...times }))
    this.#pairs.set(`${number}`, pair)
    if (which !== 'key') writeFileSync(this.path('own.crt'), pair.certificate.toString() + root.certificate.toString())
    if (which !== 'certificate') writeFileSync(this.path('own.key'), pair.key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  }

  /** So many looks of the keeper, one after the other. */
  async looks(count: number): Promise<void> {
    for (let look = 0; look < count; look++) await this.lookAt(this.clock.now() + this.#limits.certificateWatchMs)
  }

  /** A look at that moment, as after a night in which the machine slept; and what it has begun is done. */
  async lookAt(at: number): Promise<void> {
    this.clock.look(at)
    await this.keeper.idle
    await settle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keeper?.[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true })
  }
}
