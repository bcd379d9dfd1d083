import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Home } from '../../../src/client/home/home.ts'
import { readDevice } from '../../../src/client/home/device-files.ts'
import { openMember, withMember } from '../../../src/cli/member/member.ts'
import { lockHome, profileWith, readProfile, writeProfile } from '../../../src/client/home/profile.ts'
import { connectTrusted } from '../../../src/client/home/trust.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { deviceKeysPem } from '../../../src/pki/index.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { TcpRelay } from '../../support/tcp-relay.ts'
import { pinOf, rejected } from '../home-support.ts'
import { Homes } from '../member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()
const parts = { clock: systemClock }
const address = `127.0.0.1:${server.port}`

describe('openMember', () => {
  test('logs in as who has joined', async () => {
    const home = new Home(await homes.join(server, 'alice'))
    await using member = await openMember(home, parts)
    expect(member.profile.name).toBe('alice')
    expect(await member.client.request('directory.who', {})).toEqual({ people: [], more: false })
  })

  test('notes the key of the server again when the note is lost', async () => {
    const home = new Home(await homes.join(server, 'ben'))
    rmSync(home.pathOf('known_servers'))
    await withMember(home, parts, () => Promise.resolve())
    expect(readFileSync(home.pathOf('known_servers'), 'utf8')).toStartWith(`${address} ${server.fingerprint} `)
  })

  test('refuses a server that is known by another key, before it dials', async () => {
    const home = new Home(await homes.join(server, 'cleo'))
    home.write('known_servers', `${address} ${pinOf('A')} 2030-01-15T12:00:00.000Z\n`)
    const error = await rejected(openMember(home, parts))
    expect(error).toMatchObject({
      code: 'untrusted',
      sentence: `the key of ${address} has changed: it is ${server.fingerprint} now, and was ${pinOf('A')}`,
    })
    expect(error.hint).toContain(`remove the line for ${address} from ${home.pathOf('known_servers')}`)
  })

  test('refuses a server in the middle, which has another key, with both fingerprints', async () => {
    const home = new Home(await homes.join(server, 'dan'))
    await using other = await ServerProcess.start({ limits: liftedRates })
    const profile: unknown = JSON.parse(home.read('profile.json', 65_536) ?? '')
    // Whoever is in the middle answers where the real one was.
    using relay = await TcpRelay.to(other.port)
    home.write('profile.json', JSON.stringify({ ...Object(profile), server: { host: '127.0.0.1', port: relay.port } }))
    const error = await rejected(openMember(home, parts))
    expect(error).toMatchObject({
      code: 'untrusted',
      sentence: `127.0.0.1:${relay.port} has another key: expected ${server.fingerprint}, seen ${other.fingerprint}`,
    })
  })

  test('says how to come back when the session token is not good any more', async () => {
    const home = new Home(await homes.join(server, 'eve'))
    rmSync(home.pathOf('device.json'))
    writeProfile(home, profileWith(readProfile(home), { token: 'A'.repeat(43) }))
    expect(await rejected(openMember(home, parts))).toMatchObject({
      code: 'login_refused',
      hint: `the password was changed, or it was too long ago: move ${home.pathOf('profile.json')} away and join again with --login`,
    })
  })

  test('enrols a home that has a token alone, and forgets the token', async () => {
    const home = new Home(await homes.join(server, 'mia'))
    await using client = await connectTrusted({ server: readProfile(home).server, pin: server.fingerprint })
    const { token } = await client.request('account.register', { name: 'hal' })
    rmSync(home.pathOf('device.json'))
    writeProfile(home, profileWith(readProfile(home), { name: 'hal', token: Buffer.from(token).toString('base64url') }))
    await withMember(home, parts, () => Promise.resolve())
    expect(readProfile(home).token).toBeUndefined()
    const seen = await withMember(home, parts, async (member) => (await member.client.request('device.list', {})).devices)
    expect(seen).toMatchObject([{ here: true, usedAt: expect.any(Number) }])
    expect(await rejected(client.request('account.resume', { token }))).toMatchObject({ code: 'already_logged_in' })
  })

  test('renews a certificate that has lived two thirds of its life, with the same keys', async () => {
    const home = new Home(await homes.join(server, 'ida'))
    const before = readDevice(home)
    const later = { ...systemClock, now: () => Date.now() + 250 * 24 * 60 * 60 * 1000 }
    await withMember(home, { clock: later }, () => Promise.resolve())
    const after = readDevice(home)
    expect(after?.issued?.certificate).not.toBe(before?.issued?.certificate)
    expect(after && deviceKeysPem(after.keys)).toEqual(before && deviceKeysPem(before.keys))
    const again = { ...systemClock, now: () => Date.now() + 240 * 24 * 60 * 60 * 1000 }
    await withMember(home, { clock: again }, () => Promise.resolve())
    expect(readDevice(home)?.issued).toEqual(after?.issued)
  })

  test('leaves the enrolment to another command that is at it', async () => {
    const home = new Home(await homes.join(server, 'jan'))
    rmSync(home.pathOf('device.json'))
    await using client = await connectTrusted({ server: readProfile(home).server, pin: server.fingerprint })
    const { token } = await client.request('account.register', { name: 'kim' })
    writeProfile(home, profileWith(readProfile(home), { token: Buffer.from(token).toString('base64url') }))
    using _lock = lockHome(home)
    await withMember(home, parts, () => Promise.resolve())
    expect(readDevice(home)).toBeUndefined()
    expect(readProfile(home).token).toBeDefined()
  })

  test('says what may be the matter when the server does not greet this device', async () => {
    const home = new Home(await homes.join(server, 'leo'))
    await withMember(home, parts, async ({ client }) => {
      const [own] = (await client.request('device.list', {})).devices
      await client.request('device.revoke', { device: own?.device ?? '' })
    })
    const error = await rejected(openMember(home, parts))
    expect([error.code, error.hint]).toEqual([
      'connection_lost',
      expect.stringMatching(/ask the operator whether the account is banned; .* this device was revoked or its certificate has expired/),
    ])
  })

  test('says that nobody has joined, and what is wrong with a profile', async () => {
    const nobody = new Home(homes.path('nobody'))
    expect(await rejected(openMember(nobody, parts))).toMatchObject({ code: 'config_invalid' })
    nobody.make()
    writeFileSync(join(nobody.path, 'profile.json'), '{', { mode: 0o600 })
    expect((await rejected(openMember(nobody, parts))).sentence).toBe(`${nobody.pathOf('profile.json')} is not JSON`)
  })

  test('is given up with its signal', async () => {
    const home = new Home(await homes.join(server, 'fay'))
    expect((await rejected(openMember(home, { ...parts, signal: AbortSignal.abort() }))).code).toBe('unreachable')
  })
})

describe('withMember', () => {
  test('ends the connection in order and says what to do about a refusal', async () => {
    const home = new Home(await homes.join(server, 'gil'))
    const error = await rejected(withMember(home, parts, ({ client }) => client.request('contact.decline', { name: 'nobody' })))
    expect(error).toMatchObject({ code: 'not_found', hint: 'check the name, or wait until they are here' })
    const advice = { not_found: 'ask somebody else' }
    const other = await rejected(withMember(home, parts, ({ client }) => client.request('contact.decline', { name: 'nobody' }), advice))
    expect(other.hint).toBe('ask somebody else')
    const { closed } = await withMember(home, parts, ({ client }) => Promise.resolve(client))
    expect(await closed).toBeUndefined()
  })
})
