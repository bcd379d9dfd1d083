import { describe, expect, test } from 'bun:test'
import { invitationHash } from '../../../src/pki/index.ts'
import type { RegistrationMode } from '../../../src/server/accounts.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { OperationName } from '../../../src/store/index.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { settle } from '../../support/manual-clock.ts'
import { password, ServerStage } from '../../support/server-stage.ts'

const another = 'another horse battery'
const day = 24 * 3_600_000

/** Makes an invitation as an operator does. */
function invite(stage: ServerStage, seed: number, { uses = 1n, expiresMs = 7 * day } = {}): Uint8Array {
  const invitation = new Uint8Array(16).fill(seed)
  const createdAt = BigInt(stage.clock.now())
  const expiresAt = createdAt + BigInt(expiresMs)
  stage.store('invitation.create', { hash: invitationHash(invitation), uses, expiresAt, createdAt, printed: false })
  return invitation
}

/** Bans as an operator does. */
function ban(stage: ServerStage, key: string): number {
  stage.store('account.ban', { key, at: BigInt(stage.clock.now()) })
  return stage.context.endSessions(key, new SealwireError('session_ended', 'the account was banned'))
}

/** Keeps an operation of the store from being carried out until the gate is opened. */
function hold(stage: ServerStage, operation: OperationName): { readonly reached: Promise<void>; readonly open: () => void } {
  const [arrival, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  stage.before.set(operation, () => {
    arrival.resolve()
    return gate.promise
  })
  return { reached: arrival.promise, open: gate.resolve }
}

/** Hangs up, and waits until the server knows. */
async function gone(stage: ServerStage, { link, name }: ContractPeer): Promise<void> {
  link.terminate()
  while (stage.context.presence.sessionsOf(name).length > 0) await settle()
}

describe('account.register', () => {
  test('makes an account, tells its name and a token, and logs in', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    const { name, token } = await peer.ask('account.register', { name: 'Zoe\u0308', password })
    expect([name, token.length]).toEqual(['Zoë', 32])
    expect(stage.store('account.find', { key: 'zoë' })?.name).toBe('Zoë')
    expect(stage.context.presence.sessionsOf('zoë')).toHaveLength(1)
    expect(await peer.refusal('directory.who', {})).toBeUndefined()
  })

  test('takes __proto__ for the ordinary name that it is', async () => {
    using stage = new ServerStage()
    const odd = await stage.member('__proto__')
    expect(await odd.ask('directory.who', {})).toEqual({ people: [], more: false })
    const alice = await stage.member('alice')
    await alice.ask('directory.block', { name: '__proto__' })
    expect(await alice.ask('directory.blocked', {})).toEqual({ names: ['__proto__'] })
  })

  test('without a password makes an account that only its token proves, to every dialect', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    const { token } = await peer.ask('account.register', { name: 'alice' })
    const [second, third] = [await stage.guest(), stage.connect()]
    expect(await second.refusal('account.login', { name: 'alice', password })).toBe('login_refused')
    third.send(0x02, `alice:${password}`)
    await third.expect('05 AUTH!')
    expect(await second.ask('account.resume', { token })).toEqual({ name: 'alice' })
  })

  for (const [mode, without, withGood] of [
    ['open', undefined, undefined],
    ['invite', 'registration_closed', undefined],
    ['closed', 'registration_closed', 'registration_closed'],
  ] as const satisfies readonly (readonly [RegistrationMode, ...unknown[]])[]) {
    test(`where registration is ${mode}: without an invitation ${without ?? 'yes'}, with one ${withGood ?? 'yes'}`, async () => {
      using stage = new ServerStage({}, { registration: mode })
      const invitation = invite(stage, 1)
      expect(await (await stage.guest()).refusal('account.register', { name: 'alice', password })).toBe(without)
      expect(await (await stage.guest()).refusal('account.register', { name: 'bob', password, invitation })).toBe(withGood)
    })
  }

  test('uses an invitation up, and says of each bad one what it is, before any hash is made', async () => {
    using stage = new ServerStage({ loginMsMax: 600_000, messagesPerSecondPerAccountMax: 1_000 }, { registration: 'invite' })
    const [twice, short] = [invite(stage, 1, { uses: 2n }), invite(stage, 2, { expiresMs: 1_000 })]
    const join = async (name: string, invitation: Uint8Array): Promise<string | undefined> =>
      (await stage.guest()).refusal('account.register', { name, password, invitation })
    expect([await join('alice', twice), await join('alice', twice)]).toEqual([undefined, 'name_taken'])
    expect([await join('bob', twice), await join('carol', twice)]).toEqual([undefined, 'invitation_used'])
    await stage.clock.move(1_000)
    expect(await join('carol', short)).toBe('invitation_expired')
    expect(await join('carol', new Uint8Array(16))).toBe('invitation_invalid')
    // Without a good invitation nobody learns who has an account.
    expect(await join('alice', new Uint8Array(16))).toBe('invitation_invalid')
    expect(stage.store('account.find', { key: 'carol' })).toBeUndefined()
  })

  test('gives one invitation to one of those who come at once', async () => {
    using stage = new ServerStage({}, { registration: 'invite' })
    const invitation = invite(stage, 1)
    const guests = [await stage.guest(), await stage.guest(), await stage.guest()]
    const codes = await Promise.all(
      guests.map((peer, at) => peer.refusal('account.register', { name: `guest${at}`, password, invitation })),
    )
    expect(codes.filter((code) => code === 'invitation_used')).toHaveLength(2)
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
  })

  test('lets no classic client in where an invitation is needed', async () => {
    using stage = new ServerStage({}, { registration: 'invite' })
    const peer = stage.connect()
    peer.send(0x01, `alice:${password}`)
    await peer.expect('05 DENY')
  })

  test('may be tried again on the same connection, with as much time as before', async () => {
    using stage = new ServerStage({ loginMsMax: 10_000 })
    await stage.member('alice')
    const peer = await stage.guest()
    await stage.clock.move(9_000)
    expect(await peer.refusal('account.register', { name: 'alice', password })).toBe('name_taken')
    expect(await peer.refusal('account.register', { name: 'a b', password })).toBe('name_invalid')
    expect(await peer.refusal('account.register', { name: 'bob', password: 'short' })).toBe('password_invalid')
    await stage.clock.move(9_000)
    expect(await peer.refusal('account.register', { name: 'bob', password })).toBeUndefined()
    const slow = await stage.guest()
    expect(await slow.refusal('account.register', { name: 'alice', password })).toBe('name_taken')
    await stage.clock.move(10_000)
    expect((await slow.arrived())[0]?.[2]).toBe('login_too_slow')
  })
})

describe('account.login', () => {
  test('tells the name as it is kept and a token of its own', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('Alice')
    const peer = await stage.guest()
    const { name, token } = await peer.ask('account.login', { name: 'ALICE', password })
    expect([name, token.length, Buffer.from(token).equals(alice.token)]).toEqual(['Alice', 32, false])
    for (const each of [token, alice.token]) expect(await (await stage.guest()).ask('account.resume', { token: each })).toEqual({ name })
  })

  test('is refused alike for a wrong password and for a name that nobody has, to the byte', async () => {
    using stage = new ServerStage()
    await stage.member('alice')
    const peer = await stage.guest()
    for (const name of ['alice', 'nobody']) {
      peer.odd(1, 'account.login', { name, password: another })
      await peer.next()
    }
    const [wrong, unknown] = peer.bodies.slice(-2)
    expect(wrong).toEqual(unknown as Uint8Array)
  })

  test('is refused when the account has as many sessions as it may, and costs no token then', async () => {
    using stage = new ServerStage({ sessionsPerAccountMax: 1, tokensPerAccountMax: 1 })
    const alice = await stage.member('alice')
    expect(await (await stage.guest()).refusal('account.login', { name: 'alice', password })).toBe('busy')
    alice.link.terminate()
    await settle()
    expect(await (await stage.guest()).refusal('account.resume', { token: alice.token })).toBeUndefined()
  })

  test('of a banned account is told so to who knows the password, in both dialects', async () => {
    using stage = new ServerStage()
    await stage.member('alice')
    ban(stage, 'alice')
    const peer = await stage.guest()
    expect(await peer.refusal('account.login', { name: 'alice', password })).toBe('account_banned')
    expect(await peer.refusal('account.login', { name: 'alice', password: another })).toBe('login_refused')
    const classic = stage.connect()
    classic.send(0x02, `alice:${password}`)
    await classic.expect('05 AUTH!')
    stage.store('account.unban', { key: 'alice' })
    expect(await peer.refusal('account.login', { name: 'alice', password })).toBeUndefined()
  })
})

describe('account.resume', () => {
  test('is refused for a token that nobody was given, and for one that nobody has used for 30 days', async () => {
    using stage = new ServerStage()
    const { token } = await stage.member('alice')
    const [peer, later] = [await stage.guest(), stage.dial()]
    expect(await peer.refusal('account.resume', { token: new Uint8Array(32) })).toBe('login_refused')
    later.link.terminate()
    stage.clock.jump(30 * day)
    expect(await (await stage.guest()).refusal('account.resume', { token })).toBeUndefined()
    stage.clock.jump(30 * day + 1)
    expect(await (await stage.guest()).refusal('account.resume', { token })).toBe('login_refused')
  })

  test('counts a wrong token against the address, for passwords too', async () => {
    using stage = new ServerStage({ loginFailuresPerAddressMax: 3 })
    const { token } = await stage.member('alice')
    const peer = await stage.guest()
    for (let guess = 0; guess < 3; guess++) {
      expect(await peer.refusal('account.resume', { token: new Uint8Array(32).fill(guess) })).toBe('login_refused')
    }
    expect(await peer.refusal('account.resume', { token })).toBe('rate_limited')
    expect(await peer.refusal('account.login', { name: 'alice', password })).toBe('rate_limited')
    await stage.clock.move(600_000 - 1)
    const again = await stage.guest()
    expect(await again.refusal('account.resume', { token })).toBe('rate_limited')
    await stage.clock.move(1)
    expect(await again.refusal('account.resume', { token })).toBeUndefined()
  })
})

describe('a ban', () => {
  test('ends the live sessions in both dialects, with their chats, and tells who comes with a token', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await stage.member('alice'), await stage.person('bob')]
    const classic = stage.connect()
    classic.send(0x02, `alice:${password}`)
    await classic.expect('04 OK')
    bob.send(0x06, 'alice')
    await classic.expect('06 bob')
    expect(ban(stage, 'alice')).toBe(2)
    expect(await alice.arrived()).toEqual([['fault', null, 'session_ended', 'the account was banned'], ['end']])
    await classic.expect('05 FAIL', 'end')
    await bob.expect('05 EXIT')
    expect(await (await stage.guest()).refusal('account.resume', { token: alice.token })).toBe('account_banned')
    expect(stage.sessions.size).toBe(2)
  })

  for (const [operation, code] of [
    ['account.find', 'account_banned'],
    ['token.create', 'login_refused'],
    ['people.relations', 'session_ended'],
  ] as const) {
    test(`ends a login that is at ${operation}`, async () => {
      using stage = new ServerStage()
      await gone(stage, await stage.member('alice'))
      const [peer, gate] = [await stage.guest(), hold(stage, operation)]
      const id = peer.send('account.login', { name: 'alice', password })
      await gate.reached
      expect(ban(stage, 'alice')).toBe(0)
      gate.open()
      expect((await peer.next()).slice(0, 3)).toEqual(['fault', id, code])
      expect(stage.context.presence.sessionsOf('alice')).toEqual([])
    })
  }

  test('ends a login of the classic dialect that is under way', async () => {
    using stage = new ServerStage()
    await gone(stage, await stage.member('alice'))
    const [peer, gate] = [stage.connect(), hold(stage, 'people.relations')]
    peer.send(0x02, `alice:${password}`)
    await gate.reached
    ban(stage, 'alice')
    gate.open()
    await peer.expect('05 FAIL', 'end')
    expect(stage.context.presence.sessionsOf('alice')).toEqual([])
  })

  test('ends a session that is about to come back with its token', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    await gone(stage, alice)
    const [peer, gate] = [await stage.guest(), hold(stage, 'people.relations')]
    const id = peer.send('account.resume', { token: alice.token })
    await gate.reached
    expect(ban(stage, 'alice')).toBe(0)
    gate.open()
    expect(await peer.arrived()).toEqual([['fault', id, 'session_ended', 'the account was banned'], ['end']])
    expect(stage.context.presence.sessionsOf('alice')).toEqual([])
  })
})

describe('account.password', () => {
  test('ends every other session and token, and keeps its own', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const [second, classic] = [await stage.guest(), stage.connect()]
    const { token } = await second.ask('account.login', { name: 'alice', password })
    classic.send(0x02, `alice:${password}`)
    await classic.expect('04 OK')
    expect(await second.ask('account.password', { current: password, next: another })).toEqual({})
    expect(await alice.arrived()).toEqual([['fault', null, 'session_ended', 'the password of the account was changed'], ['end']])
    await classic.expect('05 FAIL', 'end')
    expect(await second.refusal('session.ping', {})).toBeUndefined()
    const peer = await stage.guest()
    expect(await peer.refusal('account.resume', { token: alice.token })).toBe('login_refused')
    expect(await peer.refusal('account.login', { name: 'alice', password })).toBe('login_refused')
    expect(await peer.refusal('account.resume', { token })).toBeUndefined()
    expect(await (await stage.guest()).refusal('account.login', { name: 'alice', password: another })).toBeUndefined()
  })

  test('keeps the token of a session that came back with it', async () => {
    using stage = new ServerStage()
    const { token } = await stage.member('alice')
    const peer = await stage.guest()
    await peer.ask('account.resume', { token })
    await peer.ask('account.password', { current: password, next: another })
    expect(await (await stage.guest()).refusal('account.resume', { token })).toBeUndefined()
  })

  test('sets a first password without one of today, and from then on wants it', async () => {
    using stage = new ServerStage()
    const peer = await stage.guest()
    await peer.ask('account.register', { name: 'alice' })
    expect(await peer.refusal('account.password', { next: password })).toBeUndefined()
    expect(await peer.refusal('account.password', { next: another })).toBe('login_refused')
    expect(await peer.refusal('account.password', { current: another, next: another })).toBe('login_refused')
    expect(await peer.refusal('account.password', { current: password, next: 'short' })).toBe('password_invalid')
    const classic = stage.connect()
    classic.send(0x02, `alice:${password}`)
    await classic.expect('04 OK')
  })

  test('slows down who guesses at the password of today', async () => {
    using stage = new ServerStage({ loginFailuresFree: 2 })
    const alice = await stage.member('alice')
    const guess = (current: string): Promise<string | undefined> => alice.refusal('account.password', { current, next: another })
    const wrong = 'a wrong horse battery'
    expect([await guess(wrong), await guess(wrong), await guess(wrong)]).toEqual(Array(3).fill('login_refused'))
    expect(await guess(password)).toBe('rate_limited')
    await stage.clock.move(1_000)
    expect(await guess(password)).toBeUndefined()
  })

  test('is not changed by a session that ended while it asked, nor while it was hashed', async () => {
    using stage = new ServerStage()
    for (const [name, endsFirst] of [
      ['alice', true],
      ['bob', false],
    ] as const) {
      const peer = await stage.guest()
      await peer.ask('account.register', { name })
      const [session] = [...stage.sessions].slice(-1)
      const gate = hold(stage, 'account.findById')
      peer.send('account.password', { next: another })
      await gate.reached
      if (endsFirst) session?.finish()
      gate.open()
      // A hash takes many turns of the event loop.
      await new Promise((resolve) => setImmediate(resolve))
      session?.finish()
      // Whatever became of it is done when the account has its turn again.
      expect(await (await stage.guest()).refusal('account.login', { name, password })).toBe('login_refused')
      expect(stage.store('account.find', { key: name })?.passwordHash).toBeUndefined()
    }
  })

  test('lets no login in that proved the password of before', async () => {
    using stage = new ServerStage()
    await stage.member('alice')
    const [peer, gate] = [await stage.guest(), hold(stage, 'token.create')]
    const id = peer.send('account.login', { name: 'alice', password })
    await gate.reached
    stage.store('account.setPassword', { id: 1n, passwordHash: '$argon2id$another' })
    gate.open()
    expect((await peer.next()).slice(0, 3)).toEqual(['fault', id, 'login_refused'])
  })
})

describe('account.visibility', () => {
  test('is contacts at first, and what was set afterwards, after another login too', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    expect(await alice.ask('account.visibility', {})).toEqual({ visibility: 'contacts' })
    expect(await alice.ask('account.visibility', { visibility: 'everyone' })).toEqual({ visibility: 'everyone' })
    const second = await stage.guest()
    await second.ask('account.resume', { token: alice.token })
    expect(await second.ask('account.visibility', { visibility: 'nobody' })).toEqual({ visibility: 'nobody' })
    expect(await alice.ask('account.visibility', {})).toEqual({ visibility: 'nobody' })
    for (const { link } of stage.sessions) link.terminate()
    await settle()
    const third = await stage.guest()
    await third.ask('account.resume', { token: alice.token })
    expect(await third.ask('account.visibility', {})).toEqual({ visibility: 'nobody' })
  })
})
