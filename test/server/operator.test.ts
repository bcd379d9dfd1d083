import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { invitationHash, parseInviteLink } from '../../src/pki/index.ts'
import { type Limits, resolveLimits, type SealwireError } from '../../src/protocol/index.ts'
import type { RegistrationMode } from '../../src/server/accounts.ts'
import { type Log, type LogFields, silentLog } from '../../src/server/log.ts'
import { newPassword, Operator } from '../../src/server/operator.ts'
import { PasswordHasher } from '../../src/server/accounts/password-hasher.ts'
import { inMemory, openInProcessStore } from '../../src/store/index.ts'
import { rejectionOf } from '../support/refusal.ts'

setDefaultTimeout(60_000)

const fingerprint = `SHA256:${'a'.repeat(42)}A`
const dayMs = 24 * 60 * 60 * 1000

/** An operator of a server with a store in memory, and what it told the sessions and the log. */
class World implements Disposable {
  readonly limits: Limits
  readonly store
  readonly hasher: PasswordHasher
  readonly ended: { readonly key: string; readonly code: string; readonly durable: boolean }[] = []
  readonly lines: string[] = []
  readonly operator: Operator
  now = 1_800_000_000_000

  constructor(overrides: Partial<Limits> = {}, registration: RegistrationMode = 'invite') {
    this.limits = resolveLimits({ passwordHashMemoryKiB: 19_456, passwordHashPasses: 2, ...overrides })
    this.store = openInProcessStore(inMemory, this.limits)
    this.hasher = new PasswordHasher(this.limits)
    const note = (event: string, fields: LogFields = {}): void => void this.lines.push(`${event} ${JSON.stringify(fields)}`)
    const log: Log = { ...silentLog, info: note }
    this.operator = new Operator(
      { host: 'chat.example', port: 5555, fingerprint, registration, limits: this.limits },
      {
        store: { run: async (name, input) => this.store.run(name, input) },
        clock: { now: () => this.now },
        log,
        hasher: this.hasher,
        endSessions: (key, error) => this.#end(key, error),
        endBanned: (key, error) => this.#end(key, error),
      },
    )
  }

  register(name: string): bigint {
    const skeleton = `skeleton of ${name}`
    return this.store.run('account.create', { name, key: name.toLowerCase(), skeleton, passwordHash: 'none', createdAt: BigInt(this.now) })
      .id
  }

  stateOf(link: string): string {
    const hash = invitationHash(parseInviteLink(link).invitation)
    return this.store.run('invitation.check', { hash, at: BigInt(this.now) })
  }

  [Symbol.dispose](): void {
    this.store.close()
  }

  #end(key: string, { code }: SealwireError): void {
    const account = this.store.run('account.find', { key })
    this.ended.push({ key, code, durable: account?.bannedAt !== undefined || account?.passwordHash !== 'none' })
  }
}

describe('invite', () => {
  test('makes an invitation that is good as often and as long as it says', async () => {
    using world = new World()
    const { link, expiresAt } = await world.operator.invite({ uses: 2, expiresMs: dayMs })
    expect(parseInviteLink(link)).toMatchObject({ host: 'chat.example', port: 5555, pin: fingerprint })
    expect(expiresAt).toBe(world.now + dayMs)
    for (const name of ['alice', 'bob']) {
      expect(world.stateOf(link)).toBe('good')
      const invitation = { hash: invitationHash(parseInviteLink(link).invitation), at: BigInt(world.now) }
      world.store.run('account.create', { name, key: name, skeleton: name, passwordHash: undefined, createdAt: 1n, invitation })
    }
    expect(world.stateOf(link)).toBe('used')
    const other = await world.operator.invite({ uses: 1, expiresMs: dayMs })
    world.now += dayMs
    expect(world.stateOf(other.link)).toBe('expired')
  })

  test('writes the address that is asked for into the link', async () => {
    using world = new World()
    const { link } = await world.operator.invite({ uses: 1, expiresMs: dayMs, host: '::1', port: 443 })
    expect(link).toStartWith('sealwire://[::1]:443/#1.')
  })

  test('voids the printed one before, and no other', async () => {
    using world = new World()
    const asked = await world.operator.invite({ uses: 1, expiresMs: dayMs })
    const first = await world.operator.invite({ uses: 1, expiresMs: dayMs, printed: true })
    const second = await world.operator.invite({ uses: 1, expiresMs: dayMs, printed: true })
    expect([asked, first, second].map(({ link }) => world.stateOf(link))).toEqual(['good', 'unknown', 'good'])
  })

  test('makes none where nobody may register, and none with an impossible host', async () => {
    using closed = new World({}, 'closed')
    expect(await rejectionOf(closed.operator.invite({ uses: 1, expiresMs: dayMs }))).toBe('registration_closed')
    using world = new World({ invitationsMax: 1 })
    expect(await rejectionOf(world.operator.invite({ uses: 1, expiresMs: dayMs, host: 'a b' }))).toBe('link_invalid')
    expect(await rejectionOf(world.operator.invite({ uses: 1, expiresMs: dayMs }))).toBeUndefined()
    expect(await rejectionOf(world.operator.invite({ uses: 1, expiresMs: dayMs }))).toBe('busy')
  })

  test('tells the log nothing of the link', async () => {
    using world = new World()
    const { link } = await world.operator.invite({ uses: 1, expiresMs: dayMs })
    expect(world.lines).toEqual([`invitation made {"uses":1,"until":"${new Date(world.now + dayMs).toISOString()}","printed":false}`])
    expect(world.lines.join()).not.toContain(link.slice(-22))
  })
})

describe('accounts', () => {
  test('come page by page, ordered by name, each once', async () => {
    using world = new World({ operatorPageMax: 2 })
    for (const name of ['Carol', 'alice', 'Bob', 'dave']) world.register(name)
    const pages: string[][] = []
    let after: string | undefined
    do {
      const { accounts, next } = await world.operator.accounts({ after })
      pages.push(accounts.map(({ name }) => name))
      after = next
    } while (after !== undefined)
    expect(pages).toEqual([['alice', 'Bob'], ['Carol', 'dave'], []])
  })

  test('are told without their secrets', async () => {
    using world = new World()
    world.register('alice')
    await world.operator.ban('alice')
    const { now: createdAt } = world
    expect((await world.operator.accounts({})).accounts).toEqual([
      { name: 'alice', createdAt, bannedAt: createdAt, visibility: 'contacts', hasPassword: true },
    ])
  })
})

describe('ban', () => {
  test('ends the sessions when it is durable', async () => {
    using world = new World()
    world.register('Alice')
    expect(await world.operator.ban('aLICE')).toEqual({ name: 'Alice' })
    expect(world.ended).toEqual([{ key: 'alice', code: 'session_ended', durable: true }])
  })

  test('lets the tokens open nothing while it lasts, and unban makes them good again', async () => {
    using world = new World()
    const accountId = world.register('alice')
    const hash = new Uint8Array(32).fill(1)
    world.store.run('token.create', { hash, accountId, at: 1n })
    await world.operator.ban('alice')
    expect(world.store.run('token.use', { hash, at: 2n, idleMsMax: 1000n })?.bannedAt).toBeDefined()
    expect(await world.operator.unban('alice')).toEqual({ name: 'alice' })
    expect(world.store.run('token.use', { hash, at: 2n, idleMsMax: 1000n })?.name).toBe('alice')
    expect(world.store.run('account.find', { key: 'alice' })?.bannedAt).toBeUndefined()
  })

  test.each(['nobody', '', 'a b', 'x'.repeat(300)])('knows no %p', async (name) => {
    using world = new World()
    for (const asked of [world.operator.ban(name), world.operator.unban(name), world.operator.resetPassword(name)]) {
      expect(await rejectionOf(asked)).toBe('not_found')
    }
    expect(world.ended).toEqual([])
  })
})

describe('resetPassword', () => {
  test('gives a password that fits, ends the sessions, and tells the log only whose it is', async () => {
    using world = new World()
    world.register('alice')
    const { name, password, devices } = await world.operator.resetPassword('alice')
    expect([name, devices]).toEqual(['alice', 0])
    expect(world.ended).toEqual([{ key: 'alice', code: 'session_ended', durable: true }])
    const stored = world.store.run('account.find', { key: 'alice' })?.passwordHash
    expect(await world.hasher.verify(password, stored)).toBe(true)
    expect(world.lines).toEqual(['password reset {"account":"alice"}'])
  })
})

describe('newPassword', () => {
  test('is another one each time, and has 100 bits', () => {
    expect(new Set(Array.from({ length: 1000 }, () => newPassword(8))).size).toBe(1000)
    expect(newPassword(8)).toMatch(/^([2-9a-km-z]{4}-){4}[2-9a-km-z]{4}$/)
  })

  test.each([8, 24, 25, 64])('is never shorter than the shortest password of %i characters, nor longer than the longest', (min) => {
    expect(newPassword(min).length).toBeGreaterThanOrEqual(min)
    expect(newPassword(min).length).toBeLessThanOrEqual(Math.max(64, 24))
  })
})
