import { describe, expect, test } from 'bun:test'
import { makeCertificateRequest, makeEnrolment, newDeviceKeys } from '../../../src/pki/index.ts'
import { type Limits, resolveLimits, type SealwireError } from '../../../src/protocol/index.ts'
import { Devices } from '../../../src/server/devices.ts'
import { silentLog } from '../../../src/server/log.ts'
import { deviceRoutes } from '../../../src/server/operator/devices.ts'
import { inMemory, type Input, openInProcessStore, type OperationName, type Output, type RevokedDevice } from '../../../src/store/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { fakeIssue } from '../../support/server-stage.ts'

const serverId = new Uint8Array(16).fill(7)

function world(overrides: Partial<Limits> = {}) {
  const limits = resolveLimits(overrides)
  const opened = openInProcessStore(inMemory, limits)
  const store = { run: async <N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> => opened.run(name, input) }
  const clock = { now: () => 1_800_000_000_000 }
  const ended: { readonly code: string; readonly isDurable: boolean }[] = []
  const endDevice = ({ device: { spkiHash } }: RevokedDevice, { code }: SealwireError): void => {
    ended.push({ code, isDurable: opened.run('device.find', { spkiHash })?.device.revokedAt !== undefined })
  }
  const devices = new Devices({ store, clock, log: silentLog, limits, serverId, issue: fakeIssue })
  const routes = deviceRoutes({ devices, store, clock, log: silentLog, limits, endDevice, port: () => 5555 })
  return { routes, opened, ended, [Symbol.dispose]: () => opened.close() }
}

describe('device.issue', () => {
  test('makes a device of an account, and the account where there is none', async () => {
    using stage = world()
    const enrolment = makeEnrolment(newDeviceKeys(), serverId)
    const issued = await stage.routes['device.issue']({ name: 'Alice', ...enrolment, label: 'bot' })
    expect(issued).toMatchObject({ name: 'Alice', port: 5555 })
    const account = stage.opened.run('account.find', { key: 'alice' })
    expect(account?.passwordHash).toBeUndefined()
    expect(stage.opened.run('device.list', { accountId: account?.id ?? 0n })).toMatchObject([{ id: issued.device, label: 'bot' }])
    const second = await stage.routes['device.issue']({ name: 'ALICE', ...makeEnrolment(newDeviceKeys(), serverId) })
    expect(second.name).toBe('Alice')
  })

  test('takes a request alone: such a device can log in, and sign nothing', async () => {
    using stage = world()
    await stage.routes['device.issue']({ name: 'bot', csr: makeCertificateRequest(newDeviceKeys().p256) })
    const accountId = stage.opened.run('account.find', { key: 'bot' })?.id ?? 0n
    expect(stage.opened.run('device.list', { accountId })).toMatchObject([{ ed25519: undefined, x25519: undefined }])
  })

  test('makes no account for keys that belong to a device, also when that was revoked', async () => {
    using stage = world()
    const keys = newDeviceKeys()
    const bare = makeCertificateRequest(keys.p256)
    const { device } = await stage.routes['device.issue']({ name: 'alice', ...makeEnrolment(keys, serverId) })
    const mixed = (own: Partial<typeof keys>) => makeEnrolment({ ...newDeviceKeys(), ...own }, serverId)
    for (const isRevoked of [false, true]) {
      if (isRevoked) await stage.routes['device.revoke']({ device })
      for (const request of [{ csr: bare }, mixed({ ed25519: keys.ed25519 }), mixed({ x25519: keys.x25519 })]) {
        expect(await rejectionOf(stage.routes['device.issue']({ name: 'mallory', ...request }))).toBe('enrolment_invalid')
        expect(stage.opened.run('account.find', { key: 'mallory' })).toBeUndefined()
      }
    }
  })

  test('makes no account when the request is of no use', async () => {
    using stage = world()
    const wrong = stage.routes['device.issue']({ name: 'bot', csr: Uint8Array.of(1) })
    expect(await rejectionOf(wrong)).toBe('enrolment_invalid')
    expect(stage.opened.run('account.find', { key: 'bot' })).toBeUndefined()
    expect(await rejectionOf(stage.routes['device.issue']({ name: 'a b', csr: makeCertificateRequest(newDeviceKeys().p256) }))).toBe(
      'name_invalid',
    )
  })

  test('may be repeated without harm', async () => {
    using stage = world()
    const params = { name: 'alice', ...makeEnrolment(newDeviceKeys(), serverId) }
    const first = await stage.routes['device.issue'](params)
    expect((await stage.routes['device.issue'](params)).device).toBe(first.device)
  })
})

describe('device.list', () => {
  test('goes through all devices in pages', async () => {
    using stage = world({ operatorPageMax: 2 })
    for (const name of ['alice', 'bob', 'carol']) await stage.routes['device.issue']({ name, ...makeEnrolment(newDeviceKeys(), serverId) })
    const first = await stage.routes['device.list']({})
    const rest = await stage.routes['device.list']({ after: first.next })
    expect([first.devices.length, rest.devices.length, rest.next]).toEqual([2, 1, undefined])
    expect([...first.devices, ...rest.devices].map(({ name }) => name).sort()).toEqual(['alice', 'bob', 'carol'])
  })
})

describe('device.revoke', () => {
  test('is durable before the sessions end, and can be repeated', async () => {
    using stage = world()
    const { device } = await stage.routes['device.issue']({ name: 'alice', ...makeEnrolment(newDeviceKeys(), serverId) })
    for (let times = 0; times < 2; times++) expect(await stage.routes['device.revoke']({ device })).toEqual({ device, name: 'alice' })
    expect(stage.ended).toEqual([
      { code: 'session_ended', isDurable: true },
      { code: 'session_ended', isDurable: true },
    ])
    expect(await rejectionOf(stage.routes['device.revoke']({ device: 'none' }))).toBe('not_found')
  })
})
