import { describe, expect, spyOn, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import type { OperationName } from '../../../src/store/index.ts'
import { deviceRevoked } from '../../../src/server/devices.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { settle } from '../../support/manual-clock.ts'
import { password, ServerStage } from '../../support/server-stage.ts'
import { eventsOf, here, introduce, messageId, nextEvent, type StageDevice, type Talker, talker } from '../../support/talkers.ts'

const token = new Uint8Array(Buffer.from('the token of all'))
const candidates = [
  { host: '2001:db8::77', port: 4_711 },
  { host: '192.0.2.77', port: 4_712 },
]
const offered = { token, candidates }

/** Alice and bob, who talk; bob has two devices, and all of them take offers. */
async function pair(stage: ServerStage) {
  const [alices, bobs] = [talker(stage, 'alice'), talker(stage, 'bob', 2)]
  const [alice, bob, tablet] = [await here(stage, alices), await here(stage, bobs), await here(stage, bobs, 1)]
  await introduce(alice, bob)
  for (const peer of [alice, bob, tablet]) {
    await peer.ask('direct.listen', { on: true })
    await peer.arrived()
  }
  return { alices, bobs, alice, bob, tablet }
}

function deviceOf({ devices }: Talker, index = 0): StageDevice {
  return devices[index] as StageDevice
}

/** What the server knows of somebody's devices. */
function shown(owner: Talker, ...indices: readonly number[]) {
  return indices.map((index) => ({ device: deviceOf(owner, index).id, spki: deviceOf(owner, index).spkiHash }))
}

/** As the owner or the operator revokes it. */
function revoke(stage: ServerStage, { id }: StageDevice): void {
  const revoked = stage.store('device.revoke', { id, at: 1n })
  if (revoked !== undefined) stage.context.endDevice(revoked, deviceRevoked())
}

/** Not a byte of an offer has reached any of them, in whatever frame. */
async function heardNothing(...peers: readonly ContractPeer[]): Promise<void> {
  for (const peer of peers) {
    expect(await eventsOf(peer, 'direct.offered')).toEqual([])
    const all = Buffer.concat(peer.bodies)
    for (const secret of [token, ...candidates.map(({ host }) => Buffer.from(host))]) expect(all.includes(secret)).toBe(false)
  }
}

describe('direct.listen', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['fe80::1', undefined],
    ['fe80::1%eth0', undefined],
    ['memory', undefined],
    ['', undefined],
  ])('tells somebody at "%s" the address %p', async (address, told) => {
    using stage = new ServerStage()
    const alice = await here(stage, talker(stage, 'alice'))
    for (const { link } of stage.sessions) Object.assign(link.remote, { address })
    expect(await alice.ask('direct.listen', { on: true })).toEqual(told === undefined ? {} : { address: told })
  })

  test('and an offer are for sessions of devices, which is no one who came with a password or a token', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const bobs = talker(stage, 'bob')
    await introduce(alice, await here(stage, bobs))
    const resumed = await stage.guest()
    await resumed.ask('account.resume', { token: alice.token })
    // The certificate of the connection is somebody else's.
    const beside = await stage.guest({ device: deviceOf(bobs) })
    await beside.ask('account.login', { name: 'alice', password })
    for (const session of [alice, resumed, beside]) {
      expect(await session.refusal('direct.listen', { on: true })).toBe('device_required')
      expect(await session.refusal('direct.offer', { to: 'bob', ...offered })).toBe('device_required')
      expect(await session.ask('direct.devices', { name: 'bob' })).toEqual({ devices: shown(bobs, 0) })
    }
  })

  test('wants a login', async () => {
    using stage = new ServerStage()
    expect(await (await stage.guest()).refusal('direct.listen', { on: true })).toBe('not_logged_in')
  })
})

describe('direct.offer', () => {
  test('tells every session of a contact that takes offers, and no other', async () => {
    using stage = new ServerStage()
    const { alices, bobs, alice, bob, tablet } = await pair(stage)
    const deaf = await here(stage, bobs)
    expect(await alice.ask('direct.offer', { to: 'BOB', ...offered })).toEqual({ told: 2 })
    const told = { from: 'alice', device: deviceOf(alices).id, ...offered }
    for (const peer of [bob, tablet]) expect(await nextEvent(peer, 'direct.offered')).toEqual(told)
    await heardNothing(deaf)
    expect(await eventsOf(alice, 'direct.offered')).toEqual([])
  })

  test('of a device that is named tells the sessions of that device, and nobody when there is none', async () => {
    using stage = new ServerStage()
    const { bobs, alice, bob, tablet } = await pair(stage)
    expect(await alice.ask('direct.offer', { to: 'bob', device: deviceOf(bobs, 1).id, ...offered })).toEqual({ told: 1 })
    expect(await nextEvent(tablet, 'direct.offered')).toMatchObject({ from: 'alice' })
    expect(await alice.ask('direct.offer', { to: 'bob', device: 'none', ...offered })).toEqual({ told: 0 })
    await heardNothing(bob)
  })

  test('reaches nobody who takes none any more, and no session that has ended', async () => {
    using stage = new ServerStage()
    const { alice, bob, tablet } = await pair(stage)
    await bob.ask('direct.listen', { on: false })
    tablet.link.terminate()
    await tablet.next(([what]) => what === 'end')
    expect(await alice.ask('direct.offer', { to: 'bob', ...offered })).toEqual({ told: 0 })
    await heardNothing(bob, tablet)
    await bob.ask('direct.listen', { on: true })
    expect(await alice.ask('direct.offer', { to: 'bob', ...offered })).toEqual({ told: 1 })
  })

  test('finds no session that has ended before it could say that it takes offers', async () => {
    using stage = new ServerStage()
    const { bobs, alice, bob, tablet } = await pair(stage)
    for (const peer of [bob, tablet]) await peer.ask('direct.listen', { on: false })
    const late = await here(stage, bobs)
    // What follows one that is known by name does not wait for it, but behind it.
    await late.ask('message.send', { to: 'alice', id: messageId(), body: token })
    const { direct } = stage.context
    const [listen, devicesOf] = [spyOn(direct, 'listen'), spyOn(direct, 'devicesOf')]
    const stored = Promise.withResolvers<void>()
    stage.before.set('entry.post', () => stored.promise)
    late.send('message.send', { to: 'alice', id: messageId(), body: token })
    late.send('direct.listen', { on: true })
    late.send('direct.devices', { name: 'alice' })
    await settle()
    late.link.terminate()
    await late.next(([what]) => what === 'end')
    stored.resolve()
    await settle()
    // Nothing is kept of it, either.
    for (const kept of [listen, devicesOf]) expect(kept).not.toHaveBeenCalled()
    expect(await alice.ask('direct.offer', { to: 'bob', ...offered })).toEqual({ told: 0 })
  })

  const others: readonly (readonly [who: string, to: string, before: (alice: ContractPeer, bob: ContractPeer) => Promise<unknown>])[] = [
    ['a stranger', 'bob', async () => {}],
    ['one who was asked and has not answered', 'bob', (alice) => alice.ask('contact.request', { name: 'bob', id: messageId() })],
    ['one who has asked and was not answered', 'bob', (alice, bob) => bob.ask('contact.request', { name: alice.name, id: messageId() })],
    [
      'one who has declined',
      'bob',
      async (alice, bob) => {
        await alice.ask('contact.request', { name: 'bob', id: messageId() })
        await bob.ask('contact.decline', { name: 'alice' })
      },
    ],
    [
      'one who blocks',
      'bob',
      async (alice, bob) => {
        await introduce(alice, bob)
        await bob.ask('directory.block', { name: 'alice' })
      },
    ],
    [
      'one who is blocked',
      'bob',
      async (alice, bob) => {
        await introduce(alice, bob)
        await alice.ask('directory.block', { name: 'bob' })
      },
    ],
    [
      'a member of the same room',
      'bob',
      async (alice, bob) => {
        const { conversation } = await alice.ask('room.create', { id: messageId(), title: 'team' })
        const { secret } = await alice.ask('room.link', { conversation })
        await bob.ask('room.join', { secret })
      },
    ],
    ['a name that nobody has', 'nobody', introduce],
    ['the own name', 'alice', introduce],
  ]
  test.each(others)('to %s is answered as where nobody takes offers, without a look into the store', async (_, to, before) => {
    using stage = new ServerStage()
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    await before(alice, bob)
    for (const peer of [alice, bob]) await peer.ask('direct.listen', { on: true })
    const looked: OperationName[] = []
    stage.before.get = (name) => void looked.push(name)
    expect(await alice.ask('direct.offer', { to, ...offered })).toEqual({ told: 0 })
    expect(looked).toEqual([])
    await heardNothing(alice, bob)
  })

  test('reaches a contact again who was blocked and is not any more', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await pair(stage)
    await bob.ask('directory.block', { name: 'alice' })
    expect(await alice.ask('direct.offer', { to: 'bob', ...offered })).toEqual({ told: 0 })
    await bob.ask('directory.unblock', { name: 'alice' })
    expect(await alice.ask('direct.offer', { to: 'bob', ...offered })).toEqual({ told: 2 })
  })

  test('is refused over the rate of its account, whatever the sessions and whoever is meant', async () => {
    using stage = new ServerStage()
    const { alices, alice } = await pair(stage)
    const other = await here(stage, alices)
    const names = ['bob', 'nobody', 'alice']
    for (let turn = 0; turn < 10; turn++)
      await (turn % 2 === 0 ? alice : other).ask('direct.offer', { to: names[turn % 3] ?? '', ...offered })
    for (const session of [alice, other]) expect(await session.refusal('direct.offer', { to: 'bob', ...offered })).toBe('rate_limited')
    // Coming back does not renew it.
    for (const session of [alice, other]) session.link.terminate()
    const back = await here(stage, alices)
    expect(await back.refusal('direct.offer', { to: 'bob', ...offered })).toBe('rate_limited')
    stage.clock.jump(6_000)
    expect(await back.refusal('direct.offer', { to: 'bob', ...offered })).toBeUndefined()
    expect(await back.refusal('direct.offer', { to: 'bob', ...offered })).toBe('rate_limited')
    stage.clock.jump(60_000)
    for (let turn = 0; turn < 10; turn++) await back.ask('direct.offer', { to: 'bob', ...offered })
    expect(await back.refusal('direct.offer', { to: 'bob', ...offered })).toBe('rate_limited')
  })

  test('that is not what it should be is refused, tells nobody and takes nothing of the rate', async () => {
    using stage = new ServerStage({ directOffersBurstMax: 1 })
    const { alice, bob, tablet } = await pair(stage)
    const wrong = [
      { ...offered, later: true },
      { ...offered, candidates: [{ ...candidates[0], later: true }] },
      { ...offered, candidates: Array.from({ length: 9 }, () => candidates[0]) },
      { ...offered, candidates: [...candidates, { host: 'bob.example', port: 1 }] },
      { ...offered, candidates: [...candidates, { host: '224.0.0.1', port: 1 }] },
      { ...offered, candidates: [...candidates, { host: '::', port: 1 }] },
      { ...offered, candidates: [...candidates, { host: '127.0.0.1', port: 0 }] },
      { ...offered, token: token.subarray(1) },
    ]
    for (const params of wrong) expect(await alice.refusal('direct.offer', { to: 'bob', ...params } as never)).toBe('malformed')
    expect(await alice.refusal('direct.offer', { to: 'no name', ...offered })).toBe('name_invalid')
    await heardNothing(bob, tablet)
    expect(await alice.ask('direct.offer', { to: 'bob', ...offered })).toEqual({ told: 2 })
  })
})

describe('direct.devices', () => {
  test('lists those of a contact and the own ones that are good', async () => {
    using stage = new ServerStage()
    const { alices, bobs, alice } = await pair(stage)
    const { devices } = await alice.ask('direct.devices', { name: 'Bob' })
    expect(devices.toSorted(byId)).toEqual(shown(bobs, 0, 1).toSorted(byId))
    expect(await alice.ask('direct.devices', { name: 'alice' })).toEqual({ devices: shown(alices, 0) })
    revoke(stage, deviceOf(bobs, 1))
    expect(await alice.ask('direct.devices', { name: 'bob' })).toEqual({ devices: shown(bobs, 0) })
    stage.clock.jump(9_000_000_000_000)
    expect(await alice.ask('direct.devices', { name: 'bob' })).toEqual({ devices: [] })
  })

  test('knows nobody who does not talk with who asks, whatever the reason', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await pair(stage)
    const carol = await here(stage, talker(stage, 'carol'))
    const faults: (readonly unknown[])[] = []
    const ask = async (peer: ContractPeer, name: string): Promise<void> => {
      peer.send('direct.devices', { name })
      faults.push((await peer.next(([kind]) => kind === 'fault')).slice(2))
    }
    await ask(carol, 'bob')
    await ask(carol, 'nobody')
    await carol.ask('contact.request', { name: 'bob', id: messageId() })
    await ask(carol, 'bob')
    await ask(bob, 'carol')
    await bob.ask('directory.block', { name: 'alice' })
    await ask(alice, 'bob')
    await ask(bob, 'alice')
    await bob.ask('directory.unblock', { name: 'alice' })
    stage.store('account.ban', { key: 'bob', at: 1n })
    await ask(alice, 'bob')
    expect(faults).toHaveLength(7)
    expect(new Set(faults.map((fault) => fault.join()))).toEqual(new Set(['not_found,there is no such account, or you do not talk']))
  })

  test('of so many accounts it is told; the one that was asked for longest ago is forgotten first', async () => {
    using stage = new ServerStage()
    const alices = talker(stage, 'alice')
    const others = Array.from({ length: stage.limits.directWatchedMax + 1 }, (_, index) => talker(stage, `other${index}`))
    for (const { id } of others) stage.store('contact.add', { a: alices.id, b: id, at: 1n })
    const alice = await here(stage, alices)
    for (const { name } of others) await alice.ask('direct.devices', { name })
    for (const other of others) revoke(stage, deviceOf(other, 0))
    const told = (await eventsOf(alice, 'direct.revoked')).map((data) => (data as { device: string }).device)
    expect(told).toEqual(others.slice(1).map((other) => deviceOf(other, 0).id))
  })

  test('is told when one of them is revoked, and hears nothing of others or of what it was told already', async () => {
    using stage = new ServerStage()
    const { alices, bobs, alice } = await pair(stage)
    const silent = await here(stage, alices)
    await alice.ask('direct.devices', { name: 'bob' })
    for (const _ of ['once', 'and again']) revoke(stage, deviceOf(bobs, 1))
    expect(await eventsOf(alice, 'direct.revoked')).toEqual([{ device: deviceOf(bobs, 1).id }])
    expect(await eventsOf(silent, 'direct.revoked')).toEqual([])
  })

  test('is told by the revocation of the owner, too, and so are the owner’s other sessions that have asked', async () => {
    using stage = new ServerStage()
    const { bobs, alice, bob, tablet } = await pair(stage)
    for (const peer of [alice, bob]) await peer.ask('direct.devices', { name: 'bob' })
    await bob.ask('device.revoke', { device: deviceOf(bobs, 1).id })
    for (const peer of [alice, bob]) expect(await eventsOf(peer, 'direct.revoked')).toEqual([{ device: deviceOf(bobs, 1).id }])
    expect(await tablet.next(([what]) => what === 'end')).toEqual(['end'])
  })

  test('is told of all of them when the account is banned, or one of the two blocks the other', async () => {
    for (const end of ['ban', 'they block', 'I block'] as const) {
      using stage = new ServerStage()
      const { alices, bobs, alice, bob } = await pair(stage)
      const mine = await here(stage, alices)
      const carol = await here(stage, talker(stage, 'carol'))
      await introduce(carol, bob)
      for (const peer of [alice, mine, carol]) await peer.ask('direct.devices', { name: 'bob' })
      await bob.ask('direct.devices', { name: 'alice' })
      if (end === 'ban') stage.context.direct.banned('bob')
      if (end === 'they block') await bob.ask('directory.block', { name: 'alice' })
      if (end === 'I block') await mine.ask('directory.block', { name: 'bob' })
      const told = async (peer: ContractPeer) =>
        (await eventsOf(peer, 'direct.revoked')).map((data) => (data as StageDevice & { device: string }).device)
      const both = shown(bobs, 0, 1).map(({ device }) => device)
      for (const peer of [alice, mine]) expect((await told(peer)).toSorted()).toEqual(both.toSorted())
      expect((await told(carol)).toSorted()).toEqual(end === 'ban' ? both.toSorted() : [])
      expect(await told(bob)).toEqual(end === 'ban' ? [] : shown(alices, 0).map(({ device }) => device))
    }
  })

  test('does not list what is revoked while it is looked up', async () => {
    using stage = new ServerStage()
    const { bobs, alice } = await pair(stage)
    stage.after.set('device.listFor', () => revoke(stage, deviceOf(bobs, 0)))
    expect(await alice.ask('direct.devices', { name: 'bob' })).toEqual({ devices: shown(bobs, 1) })
    stage.after.set('device.listFor', () => revoke(stage, deviceOf(bobs, 1)))
    expect(await alice.ask('direct.devices', { name: 'bob' })).toEqual({ devices: [] })
    expect(await eventsOf(alice, 'direct.revoked')).toEqual([{ device: deviceOf(bobs, 1).id }])
  })

  test('finds nobody who blocks while it is looked up', async () => {
    using stage = new ServerStage()
    const { alice } = await pair(stage)
    stage.after.set('device.listFor', () => stage.context.direct.part('bob', 'alice'))
    expect(await alice.refusal('direct.devices', { name: 'bob' })).toBe('not_found')
  })

  test('that could not be answered leaves what was known as it was', async () => {
    using stage = new ServerStage()
    const { bobs, alice } = await pair(stage)
    await alice.ask('direct.devices', { name: 'bob' })
    stage.after.set('device.listFor', () => {
      throw new SealwireError('unavailable', 'the disk has failed')
    })
    for (const name of ['bob', 'nobody']) expect(await alice.refusal('direct.devices', { name })).toBe('unavailable')
    revoke(stage, deviceOf(bobs, 1))
    expect(await eventsOf(alice, 'direct.revoked')).toEqual([{ device: deviceOf(bobs, 1).id }])
  })

  test('tells nobody who has gone, and of no more accounts than 100', async () => {
    using stage = new ServerStage()
    const { bobs, alice, bob } = await pair(stage)
    const carols = talker(stage, 'carol', 2)
    await introduce(alice, await here(stage, carols))
    const gone = await here(stage, bobs)
    for (const peer of [alice, gone]) await peer.ask('direct.devices', { name: 'bob' })
    gone.link.terminate()
    await gone.next(([what]) => what === 'end')
    await alice.ask('direct.devices', { name: 'carol' })
    for (let at = 0; at < 99; at++) {
      const other = talker(stage, `other${at}`, 1)
      await introduce(alice, await here(stage, other))
      await alice.ask('direct.devices', { name: `other${at}` })
    }
    revoke(stage, deviceOf(bobs, 1))
    revoke(stage, deviceOf(carols, 1))
    expect(await eventsOf(alice, 'direct.revoked')).toEqual([{ device: deviceOf(carols, 1).id }])
    expect(await eventsOf(bob, 'direct.revoked')).toEqual([])
  })
})

function byId(one: { readonly device: string }, other: { readonly device: string }): number {
  return one.device < other.device ? -1 : 1
}
