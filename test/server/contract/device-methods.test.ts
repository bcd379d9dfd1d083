import { describe, expect, test } from 'bun:test'
import { deviceId, makeEnrolment, newDeviceKeys, openEnrolment } from '../../../src/pki/index.ts'
import { methods, type Method } from '../../../src/protocol/contract/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { ConnectedDevice } from '../../../src/server/devices.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { settle } from '../../support/manual-clock.ts'
import { fakeIssue, password, ServerStage, stageServerId } from '../../support/server-stage.ts'

/** A device that belongs to nobody yet. */
function blank() {
  const keys = newDeviceKeys()
  const enrolment = makeEnrolment(keys, stageServerId)
  const { spkiHash } = openEnrolment(enrolment, stageServerId)
  const connected: ConnectedDevice = { id: deviceId(spkiHash), spkiHash }
  return { enrolment, connected }
}

/** An account of this name with a device, and the session that has enrolled it. */
async function enrolled(stage: ServerStage, name: string) {
  const device = blank()
  const peer = await stage.member(name)
  const { device: id } = await peer.ask('device.enrol', { ...device.enrolment, label: `of ${name}` })
  return { ...device, id, peer }
}

/** Somebody who came with the certificate of a device, and has logged in with it. */
async function comeBack(stage: ServerStage, device: ConnectedDevice): Promise<ContractPeer> {
  const peer = await stage.guest({ device })
  const { name } = await peer.ask('device.login', {})
  return Object.assign(peer, { name })
}

describe('device.enrol', () => {
  test('gives a certificate for the key, with which the account logs in from then on', async () => {
    using stage = new ServerStage()
    const { enrolment, connected } = blank()
    const alice = await stage.member('alice')
    const result = await alice.ask('device.enrol', enrolment)
    expect(result).toEqual({ device: connected.id, certificate: expect.any(Uint8Array), authority: Uint8Array.of(1) })
    const back = await stage.guest({ device: connected })
    expect(await back.ask('device.login', {})).toEqual({ name: 'alice', device: connected.id })
    expect(await back.refusal('directory.block', { name: 'alice' })).toBe('is_self')
  })

  test('ends the token of its session with the first login of the device, not before', async () => {
    using stage = new ServerStage()
    const { connected, peer } = await enrolled(stage, 'alice')
    expect(await (await stage.guest()).refusal('account.resume', { token: peer.token })).toBeUndefined()
    await comeBack(stage, connected)
    expect(await (await stage.guest()).refusal('account.resume', { token: peer.token })).toBe('login_refused')
  })

  test('again with the same keys is a renewal, also by the device itself', async () => {
    using stage = new ServerStage()
    const { connected, enrolment, peer } = await enrolled(stage, 'alice')
    expect((await peer.ask('device.enrol', enrolment)).device).toBe(connected.id)
    const back = await comeBack(stage, connected)
    expect((await back.ask('device.enrol', { ...enrolment, label: 'renewed' })).device).toBe(connected.id)
    expect((await back.ask('device.list', {})).devices).toMatchObject([{ device: connected.id, label: 'renewed', here: true }])
  })

  test('does not let a device add another one: that takes the password', async () => {
    using stage = new ServerStage()
    const { connected, peer } = await enrolled(stage, 'alice')
    for (const session of [peer, await comeBack(stage, connected)]) {
      expect(await session.refusal('device.enrol', blank().enrolment)).toBe('enrolment_invalid')
    }
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password })
    expect(await other.refusal('device.enrol', blank().enrolment)).toBeUndefined()
  })

  test("refuses somebody else's keys, and what was made for another server", async () => {
    using stage = new ServerStage()
    const { enrolment } = await enrolled(stage, 'alice')
    const bob = await stage.member('bob')
    expect(await bob.refusal('device.enrol', enrolment)).toBe('enrolment_invalid')
    expect(await bob.refusal('device.enrol', makeEnrolment(newDeviceKeys(), new Uint8Array(16)))).toBe('enrolment_invalid')
    expect(await bob.refusal('device.enrol', { csr: new Uint8Array(2_048), statement: new Uint8Array(512) })).toBe('enrolment_invalid')
    expect(await bob.refusal('session.ping', {})).toBeUndefined()
  })

  test('says that there are no certificates when the authority cannot be used, and nothing is enrolled', async () => {
    const broken = async (): Promise<never> => {
      throw new SealwireError('key_missing', 'the key /secret/path is missing')
    }
    using stage = new ServerStage({}, { issue: broken })
    const alice = await stage.member('alice')
    const id = alice.send('device.enrol', blank().enrolment)
    expect(await alice.next()).toEqual(['fault', id, 'unavailable', 'this server makes no device certificates now'])
    expect((await alice.ask('device.list', {})).devices).toEqual([])
  })

  test('wants a login', async () => {
    using stage = new ServerStage()
    expect(await (await stage.guest()).refusal('device.enrol', blank().enrolment)).toBe('not_logged_in')
  })
})

describe('device.login', () => {
  test('is refused on a connection that was made without a certificate', async () => {
    using stage = new ServerStage()
    await enrolled(stage, 'alice')
    expect(await (await stage.guest()).refusal('device.login', {})).toBe('login_refused')
  })

  test('is refused to a device that was revoked after it had connected, and to a banned account', async () => {
    using stage = new ServerStage()
    const { connected } = await enrolled(stage, 'alice')
    const banned = await stage.guest({ device: connected })
    stage.store('account.ban', { key: 'alice', at: 1n })
    expect(await banned.refusal('device.login', {})).toBe('account_banned')
    stage.store('account.unban', { key: 'alice' })
    stage.store('device.revoke', { id: connected.id, at: 1n })
    expect(await banned.refusal('device.login', {})).toBe('login_refused')
  })

  test('comes to nothing when the account is banned while it is under way', async () => {
    using stage = new ServerStage()
    const { connected } = await enrolled(stage, 'alice')
    const back = await stage.guest({ device: connected })
    stage.before.set('people.relations', async () => {
      stage.context.endSessions('alice', new SealwireError('session_ended', 'banned'))
    })
    // Nobody else is here, so that who alice knows is read from the store again.
    for (const session of [...stage.sessions].slice(0, 1)) session.link.terminate()
    await settle()
    back.send('device.login', {})
    expect((await back.next(([kind]) => kind === 'fault'))[2]).toBe('session_ended')
  })

  test('counts as one of the sessions of the account', async () => {
    using stage = new ServerStage({ sessionsPerAccountMax: 1 })
    const { connected } = await enrolled(stage, 'alice')
    expect(await (await stage.guest({ device: connected })).refusal('device.login', {})).toBe('busy')
  })
})

describe('device.list', () => {
  test('shows the devices of the account alone, and which of them asks', async () => {
    using stage = new ServerStage()
    const laptop = await enrolled(stage, 'alice')
    await enrolled(stage, 'bob')
    expect(await laptop.peer.ask('device.list', {})).toEqual({
      devices: [{ device: laptop.id, label: 'of alice', here: true, enrolledAt: stage.clock.now(), expiresAt: 9_000_000_000 }],
    })
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password })
    await comeBack(stage, laptop.connected)
    const { devices } = await other.ask('device.list', {})
    expect(devices).toMatchObject([{ here: false, usedAt: stage.clock.now() }])
  })
})

describe('device.revoke', () => {
  test('ends every session of that device at once, whoever they are logged in as, and no other', async () => {
    using stage = new ServerStage()
    const { connected, id, peer } = await enrolled(stage, 'alice')
    const back = await comeBack(stage, connected)
    const waiting = await stage.guest({ device: connected })
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password })
    await other.ask('device.revoke', { device: id })
    for (const ended of [peer, back, waiting]) {
      expect((await ended.next(([kind]) => kind === 'fault')).slice(1)).toEqual([null, 'session_ended', 'this device was revoked'])
      expect(await ended.next()).toEqual(['end'])
    }
    expect(await other.refusal('session.ping', {})).toBeUndefined()
    expect((await other.ask('device.list', {})).devices).toEqual([])
  })

  test('ends the sessions that came with the token of its installation', async () => {
    using stage = new ServerStage()
    const { id, connected, peer } = await enrolled(stage, 'alice')
    const { token } = peer
    const resumed = await stage.guest()
    await resumed.ask('account.resume', { token })
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password })
    // The token is good no more, and who has come with it before is still here.
    await comeBack(stage, connected)
    expect(await resumed.refusal('session.ping', {})).toBeUndefined()
    await other.ask('device.revoke', { device: id })
    expect((await resumed.next(([kind]) => kind === 'fault')).slice(1)).toEqual([null, 'session_ended', 'this device was revoked'])
    expect(await other.refusal('session.ping', {})).toBeUndefined()
  })

  test('ends a session with its token that asks for it after the answer', async () => {
    using stage = new ServerStage()
    const { id, peer } = await enrolled(stage, 'alice')
    const resumed = await stage.guest()
    await resumed.ask('account.resume', { token: peer.token })
    expect(await resumed.ask('device.revoke', { device: id })).toEqual({})
    await stage.clock.move(1_000)
    expect((await resumed.next(([kind]) => kind === 'fault')).slice(1)).toEqual([null, 'session_ended', 'this device was revoked'])
  })

  test('ends a resumption whose token was good when it was looked up', async () => {
    using stage = new ServerStage()
    const { id, peer } = await enrolled(stage, 'alice')
    const late = await stage.guest()
    const { token } = peer
    // Nobody is here, so that whom alice knows is read from the store again: between the good answer and the first place.
    for (const session of [...stage.sessions].slice(0, -1)) session.link.terminate()
    await settle()
    stage.before.set('people.relations', async () => {
      stage.before.delete('people.relations')
      const revoked = stage.store('device.revoke', { id, at: 1n })
      if (revoked !== undefined) stage.context.endDevice(revoked, new SealwireError('session_ended', 'revoked'))
    })
    late.send('account.resume', { token })
    expect((await late.next(([kind]) => kind === 'fault'))[2]).toBe('session_ended')
  })

  test('is answered to the device that revokes itself before it is cut', async () => {
    using stage = new ServerStage()
    const { id, connected } = await enrolled(stage, 'alice')
    const back = await comeBack(stage, connected)
    expect(await back.ask('device.revoke', { device: id })).toEqual({})
    await stage.clock.move(1_000)
    expect((await back.next()).slice(1)).toEqual([null, 'session_ended', 'this device was revoked'])
  })

  test("does not know other people's devices", async () => {
    using stage = new ServerStage()
    const { id, peer } = await enrolled(stage, 'alice')
    const bob = await stage.member('bob')
    expect(await bob.refusal('device.revoke', { device: id })).toBe('not_found')
    expect(await peer.refusal('session.ping', {})).toBeUndefined()
  })

  test('is for good: the same keys are refused for ever', async () => {
    using stage = new ServerStage()
    const { id, enrolment } = await enrolled(stage, 'alice')
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password })
    await other.ask('device.revoke', { device: id })
    expect(await other.refusal('device.enrol', enrolment)).toBe('enrolment_invalid')
  })
})

describe('setting a password', () => {
  test('ends the sessions of the other devices, which may come back', async () => {
    using stage = new ServerStage()
    const { connected, peer } = await enrolled(stage, 'alice')
    const back = await comeBack(stage, connected)
    await back.ask('account.password', { current: password, next: 'another horse battery' })
    expect((await peer.next(([kind]) => kind === 'fault'))[2]).toBe('session_ended')
    expect(await back.refusal('session.ping', {})).toBeUndefined()
    expect((await comeBack(stage, connected)).name).toBe('alice')
  })
})

describe('an address for joining', () => {
  const joining = { joinOnly: true } as const
  const allowed: readonly Method[] = ['session.echo', 'session.ping', 'account.register', 'account.login', 'account.link', 'device.enrol']

  test('answers what joining needs, and says where to go on', async () => {
    using stage = new ServerStage()
    const peer = stage.dial(joining)
    expect((await peer.hello())[1]).toMatchObject({ features: ['registration-open', 'device-login', 'join-only'] })
    await peer.ask('account.register', { name: 'alice', password })
    expect(await peer.ask('device.enrol', blank().enrolment)).toMatchObject({ port: 5555 })
    const again = await stage.guest(joining)
    expect(await again.refusal('account.login', { name: 'alice', password })).toBeUndefined()
  })

  test('answers nothing else, before login and after it', async () => {
    using stage = new ServerStage({ messagesBurstPerAccountMax: 1_000, requestsBurstUnauthenticatedMax: 1_000 })
    const guest = await stage.guest(joining)
    const alice = await stage.member('alice', joining)
    const others = (Object.keys(methods) as Method[]).filter((method) => !allowed.includes(method))
    expect(others.length).toBeGreaterThan(10)
    for (const method of others) {
      for (const peer of [guest, alice]) expect([method, await peer.refusal(method, {} as never)]).toEqual([method, 'joining_only'])
    }
  })

  test('does not speak the classic dialect', async () => {
    using stage = new ServerStage({}, { classic: true })
    const peer = stage.dial(joining)
    peer.frame(0x01, Buffer.from(`alice:${password}`))
    await peer.next(([kind]) => kind === 'end')
    expect(stage.store('account.find', { key: 'alice' })).toBeUndefined()
  })

  test('lets nobody stay', async () => {
    using stage = new ServerStage({ joinMsMax: 5_000 })
    const alice = await stage.member('alice', joining)
    await stage.clock.move(4_000)
    for (const session of stage.sessions) session.sweep(stage.clock.monotonic())
    expect(await alice.refusal('session.ping', {})).toBeUndefined()
    await stage.clock.move(1_001)
    for (const session of stage.sessions) session.sweep(stage.clock.monotonic())
    expect((await alice.next())[2]).toBe('login_too_slow')
  })
})

describe('Welcome', () => {
  test('offers devices only where certificates are asked for and made', async () => {
    using off = new ServerStage({}, { mutualTls: 'off' })
    using required = new ServerStage({}, { mutualTls: 'required', issue: fakeIssue })
    expect((await off.dial().hello())[1]).toMatchObject({ features: ['registration-open'] })
    expect((await required.dial().hello())[1]).toMatchObject({
      features: ['registration-open', 'device-login', 'direct'],
      server: stageServerId,
    })
  })
})
