// Offers of direct links through real servers, over TLS: what each socket carried is looked at once it is decrypted.

import { describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, connect } from '../../src/client/client.ts'
import { systemClock } from '../../src/domain/index.ts'
import { applicationProtocol, type DialledLink, dialPinned, Flusher } from '../../src/link/index.ts'
import { deviceId, deviceKeysPem } from '../../src/pki/index.ts'
import { spkiPin } from '../../src/pki/pin.ts'
import type { EventData, EventName } from '../../src/protocol/contract/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { type EnrolledDevice, enrolDevice, messageId, password } from '../support/device-client.ts'
import { isMissing, nodeBinary } from '../support/python.ts'
import { recorded } from '../support/recorded-link.ts'
import { rejectionOf } from '../support/refusal.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

/** A second, on a machine that does nothing else. */
const noticeMsMax = process.env['SEALWIRE_LONG'] === '1' ? 1000 : 5000
const limits = { ...liftedRates, directOffersBurstMax: 1_000 }

/** A logged-in device, and all that the server has sent it. */
interface Peer {
  readonly name: string
  readonly client: Client
  readonly carried: Buffer[]
  /** Its own, in its offers alone. */
  readonly token: Uint8Array
  readonly host: string
}

async function enter(server: ServerProcess, name: string, device: EnrolledDevice): Promise<Peer> {
  const carried: Buffer[] = []
  const bounds = resolveLimits()
  const context = { limits: bounds, flusher: new Flusher(bounds, systemClock) }
  const clientCertificate = { chain: device.certificate, key: deviceKeysPem(device.keys).p256 }
  const place = { host: '127.0.0.1', port: server.port, pin: server.fingerprint, pinOf: spkiPin, timeoutMs: bounds.clientDialMsMax }
  const dial = async (options: { signal?: AbortSignal }): Promise<DialledLink> =>
    recorded(await dialPinned({ ...place, clientCertificate, applicationProtocol, ...options }, context), carried)
  const client = await connect({}, { dial, clock: systemClock })
  await client.request('device.login', {})
  const random = messageId()
  // Nobody else has this address.
  return {
    name,
    client,
    carried,
    token: random,
    host: `2001:db8::${Buffer.from(random.subarray(12))
      .toString('hex')
      .replace(/^(....)/, '$1:')}`,
  }
}

async function member(server: ServerProcess, name: string): Promise<Peer> {
  return enter(server, name, await enrolDevice(server, name))
}

async function introduce(one: Peer, other: Peer): Promise<void> {
  await one.client.request('contact.request', { name: other.name, id: messageId() })
  await other.client.request('contact.accept', { name: one.name })
}

async function offer({ client, token, host }: Peer, to: Peer): Promise<number> {
  return (await client.request('direct.offer', { to: to.name, token, candidates: [{ host, port: 4_711 }] })).told
}

/** The next event of this name. */
async function heard<E extends EventName>({ client }: Peer, name: E): Promise<EventData<E>> {
  for await (const { event, data } of client.events()) if (event === name) return data
  throw new Error('the connection has ended')
}

/** Whether anything of an offer by `other` was in what the server sent to `peer`, after the server has answered once more. */
async function hasLearnt(peer: Peer, other: Peer): Promise<boolean> {
  await peer.client.request('session.ping', {})
  const all = Buffer.concat(peer.carried)
  return all.includes(other.token) || all.includes(other.host)
}

function start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  return ServerProcess.start({ registration: 'open', limits, ...options })
}

const runtimes: readonly (readonly [name: string, runtime: ServerProcessOptions])[] = [
  ['Bun', {}],
  ['Node', { runtime: nodeBinary }],
]

describe.each(runtimes)('a server on %s', (name, runtime) => {
  test.skipIf(name === 'Node' && isMissing('SEALWIRE_NODE'))(
    'passes offers on between those who talk, and nobody else learns an address',
    async () => {
      await using server = await start(runtime)
      const [alice, bob, stranger, asking, blocked, blocker] = await Promise.all([
        member(server, 'alice'),
        member(server, 'bob'),
        member(server, 'stranger'),
        member(server, 'asking'),
        member(server, 'blocked'),
        member(server, 'blocker'),
      ])
      const others = [stranger, asking, blocked, blocker]
      for (const peer of [alice, blocked, blocker]) await introduce(peer, bob)
      await asking.client.request('contact.request', { name: 'bob', id: messageId() })
      await bob.client.request('directory.block', { name: 'blocked' })
      await blocker.client.request('directory.block', { name: 'bob' })
      expect(alice.client.welcome.features).toContain('direct')
      const authorities = [new Uint8Array(new X509Certificate(readFileSync(join(server.data, 'ca.crt'))).raw)]
      for (const { client } of [alice, bob, ...others]) {
        expect(await client.request('direct.listen', { on: true })).toEqual({ address: '127.0.0.1', authorities })
      }
      for (const other of others) {
        expect([await offer(other, bob), await offer(bob, other), await offer(other, alice)]).toEqual([0, 0, 0])
        for (const peer of [alice, bob]) expect([await hasLearnt(peer, other), await hasLearnt(other, peer)]).toEqual([false, false])
        expect(await rejectionOf(other.client.request('direct.devices', { name: 'bob' }))).toBe('not_found')
      }
      expect([await offer(alice, bob), await offer(bob, alice)]).toEqual([1, 1])
      const { device = '' } = (await alice.client.request('direct.devices', { name: 'alice' })).devices[0] ?? {}
      expect(await heard(bob, 'direct.offered')).toEqual({
        from: 'alice',
        device,
        token: alice.token,
        candidates: [{ host: alice.host, port: 4_711 }],
      })
      expect([await hasLearnt(bob, alice), await hasLearnt(alice, bob)]).toEqual([true, true])
      for (const other of others) for (const peer of [alice, bob]) expect(await hasLearnt(other, peer)).toBe(false)
      for (const { host } of [alice, bob, ...others]) expect(server.stderr).not.toContain(host)
      for (const { client } of [alice, bob, ...others]) client.close()
    },
    60_000,
  )
})

describe('devices that were told', () => {
  test('are told again within a second when they are revoked, by their owner and by the operator, and when their account is banned', async () => {
    await using server = await start()
    const [alice, carol] = await Promise.all([member(server, 'alice'), member(server, 'carol')])
    const devices = [await enrolDevice(server, 'bob'), await enrolDevice(server, 'bob', false), await enrolDevice(server, 'bob', false)]
    const bob = await enter(server, 'bob', devices[0] as EnrolledDevice)
    await introduce(alice, bob)
    const { devices: told } = await alice.client.request('direct.devices', { name: 'bob' })
    expect(told.map(({ spki, ed25519 }) => [deviceId(spki), ed25519?.length])).toEqual(told.map(({ device }) => [device, 32]))
    expect(told).toHaveLength(3)
    const { devices: own } = await bob.client.request('device.list', {})
    const [second = '', third = ''] = own.filter(({ here }) => !here).map(({ device }) => device)
    const here = own.find((each) => each.here)?.device ?? ''

    let before = performance.now()
    await bob.client.request('device.revoke', { device: second })
    expect(await heard(alice, 'direct.revoked')).toEqual({ device: second })
    expect(performance.now() - before).toBeLessThan(noticeMsMax)

    const revoked = await runCli(['cert', 'revoke', third, '--data', server.data])
    before = performance.now()
    expect([revoked.exitCode, await heard(alice, 'direct.revoked')]).toEqual([0, { device: third }])
    expect(performance.now() - before).toBeLessThan(noticeMsMax)
    expect((await alice.client.request('direct.devices', { name: 'bob' })).devices.map(({ device }) => device)).toEqual([here])

    const banned = await runCli(['admin', 'ban', 'bob', '--data', server.data])
    before = performance.now()
    expect([banned.exitCode, await heard(alice, 'direct.revoked')]).toEqual([0, { device: here }])
    expect(performance.now() - before).toBeLessThan(noticeMsMax)
    expect(await rejectionOf(alice.client.request('direct.devices', { name: 'bob' }))).toBe('not_found')
    expect((await bob.client.closed)?.code).toBe('session_ended')

    // Who has nothing to do with him has heard nothing of it.
    await carol.client.request('session.ping', {})
    for (const device of [second, third, here]) expect(Buffer.concat(carol.carried).includes(device)).toBe(false)
    for (const { client } of [alice, carol]) client.close()
  }, 60_000)
})

describe('an offer', () => {
  test('finds nobody where the session has ended, however it did', async () => {
    await using server = await start()
    const [alice, bobs] = await Promise.all([member(server, 'alice'), enrolDevice(server, 'bob')])
    const bob = await enter(server, 'bob', bobs)
    await introduce(alice, bob)
    const { device } = (await bob.client.request('direct.devices', { name: 'bob' })).devices[0] ?? { device: '' }
    for (const end of ['Goodbye', 'hanging up', 'a password set elsewhere'] as const) {
      const session = await enter(server, 'bob', bobs)
      await session.client.request('direct.listen', { on: true })
      expect([end, await offer(alice, bob)]).toEqual([end, 1])
      if (end === 'Goodbye') await session.client.drain()
      else if (end === 'hanging up') session.client.close()
      else await bob.client.request('account.password', { current: password, next: 'another horse battery' })
      await session.client.closed
      // The server may hear of it a moment later.
      while ((await offer(alice, bob)) > 0) await alice.client.request('session.ping', {})
    }
    expect((await alice.client.request('direct.devices', { name: 'bob' })).devices.map((each) => each.device)).toEqual([device])
    for (const { client } of [alice, bob]) client.close()
  }, 60_000)

  test('is refused over the rate', async () => {
    await using server = await start({ limits: liftedRates })
    const [alice, bob] = await Promise.all([member(server, 'alice'), member(server, 'bob')])
    await introduce(alice, bob)
    await bob.client.request('direct.listen', { on: true })
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => offer(alice, bob)))
    expect(answers.map(({ status }) => status).slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'fulfilled'))
    expect(answers.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
    for (const { client } of [alice, bob]) client.close()
  }, 60_000)
})
