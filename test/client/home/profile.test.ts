import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Home } from '../../../src/client/home/home.ts'
import { findProfile, Profile, readProfile, reserveProfile } from '../../../src/client/home/profile.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { onUnix, pinOf, refused, temporaryHome } from '../../cli/home-support.ts'

const token = 'c2VjcmV0LXRva2VuLW9mLWFsaWNl'
const fields = { server: { host: '::1', port: 5555 }, pin: pinOf('k'), name: 'alice', token }

describe('reserveProfile', () => {
  test('keeps a profile that is read back, for its owner only', () => {
    using stage = temporaryHome()
    {
      using reservation = reserveProfile(stage.home)
      reservation.write(new Profile(fields))
    }
    const { server, pin, name, token: kept } = readProfile(stage.home)
    expect({ server, pin, name, token: kept }).toEqual(fields)
    if (onUnix) expect(statSync(stage.home.pathOf('profile.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(stage.home.path).sort()).toEqual(['lock', 'profile.json'])
  })

  test('leaves the home free when nothing came of it', () => {
    using stage = temporaryHome()
    reserveProfile(stage.home)[Symbol.dispose]()
    expect(findProfile(stage.home)).toBeUndefined()
    reserveProfile(stage.home)[Symbol.dispose]()
  })

  test('takes the home away again that it has made for nothing, with the folders around it', () => {
    using stage = temporaryHome()
    const home = new Home(join(stage.parent, 'a', 'b'))
    reserveProfile(home)[Symbol.dispose]()
    expect(readdirSync(stage.parent)).toEqual([])
    {
      using _reservation = reserveProfile(home)
      writeFileSync(home.pathOf('notes'), 'of somebody')
    }
    expect(readdirSync(home.path).sort()).toEqual(['lock', 'notes'])
  })

  test('refuses a second join from one home', () => {
    using stage = temporaryHome()
    joined(stage)
    for (let times = 0; times < 2; times++) {
      expect(refused(() => reserveProfile(stage.home))).toMatchObject({
        code: 'config_invalid',
        sentence: 'this home has already joined as alice at [::1]:5555',
        hint: 'use another home with --home DIR',
      })
    }
    expect(readProfile(stage.home).token).toBe(token)
  })

  test('refuses while another join is under way', () => {
    using stage = temporaryHome()
    using reservation = reserveProfile(stage.home)
    expect(refused(() => reserveProfile(stage.home))).toMatchObject({
      code: 'data_locked',
      sentence: `another command is joining a server from ${stage.home.path}`,
    })
    reservation.write(new Profile(fields))
  })

  test('refuses a home with a profile that is of no use, and does not touch it', () => {
    using stage = temporaryHome()
    stage.home.write('profile.json', '{')
    expect(refused(() => reserveProfile(stage.home)).code).toBe('config_invalid')
    expect(stage.home.read('profile.json', 10)).toBe('{')
  })

  test('finds out that nothing can be written before anything is', () => {
    using stage = temporaryHome()
    writeFileSync(stage.home.path, 'a file where the home should be')
    expect(refused(() => reserveProfile(stage.home)).code).toBe('data_unusable')
  })

  test('finds out that the home cannot be locked', () => {
    using stage = temporaryHome()
    mkdirSync(stage.home.pathOf('lock'), { recursive: true })
    expect(refused(() => reserveProfile(stage.home))).toMatchObject({
      code: 'data_unusable',
      sentence: `nothing can be written in ${stage.home.path}`,
    })
  })
})

describe('readProfile', () => {
  test('says how to join when nobody has', () => {
    using stage = temporaryHome()
    expect(refused(() => readProfile(stage.home))).toMatchObject({
      code: 'config_invalid',
      sentence: `nobody has joined a server from ${stage.home.path}`,
      hint: expect.stringContaining('sealwire join LINK --name NAME'),
    })
  })

  test.skipIf(!onUnix)('refuses a profile that others can read', () => {
    using stage = temporaryHome()
    joined(stage)
    chmodSync(stage.home.pathOf('profile.json'), 0o644)
    expect(refused(() => readProfile(stage.home)).code).toBe('key_unsafe')
  })

  test.each<[string, string, (kept: Record<string, unknown>) => unknown]>([
    ['an unknown version', 'is not a profile: version is missing or wrong', (kept) => ({ ...kept, version: 2 })],
    ['no server', 'is not a profile: server is missing or wrong', (kept) => ({ ...kept, server: undefined })],
    ['port 0', 'is not a profile: server.port is missing or wrong', (kept) => ({ ...kept, server: { host: 'a', port: 0 } })],
    ['an empty host', 'is not a profile: server.host is missing or wrong', (kept) => ({ ...kept, server: { host: '', port: 1 } })],
    ['half a pin', 'is not a profile: pin is missing or wrong', (kept) => ({ ...kept, pin: pinOf('k').slice(9) })],
    ['a name that is no text', 'is not a profile: name is missing or wrong', (kept) => ({ ...kept, name: 1 })],
    ['a token with a space', 'is not a profile: token is missing or wrong', (kept) => ({ ...kept, token: `${token} x` })],
    ['a key too many', 'is not a profile: more is missing or wrong', (kept) => ({ ...kept, more: token })],
    ['no more than a text', 'is not a profile', () => token],
  ])('refuses a profile with %s and shows nothing of its token', (_, what, change) => {
    using stage = temporaryHome()
    joined(stage)
    const kept = JSON.parse(readFileSync(stage.home.pathOf('profile.json'), 'utf8')) as Record<string, unknown>
    stage.home.write('profile.json', JSON.stringify(change(kept)))
    const error = refused(() => readProfile(stage.home))
    expect([error.code, error.sentence]).toEqual(['config_invalid', `${stage.home.pathOf('profile.json')} ${what}`])
    expect(inspect(error, { depth: 20, showHidden: true })).not.toInclude(token)
  })

  test('refuses what is not JSON and shows nothing of it', () => {
    using stage = temporaryHome()
    for (const text of ['', token, `{"token": ${token}`, `"${token}`]) {
      stage.home.write('profile.json', text)
      const error = refused(() => readProfile(stage.home))
      expect(error.sentence).toBe(`${stage.home.pathOf('profile.json')} is not JSON`)
      expect(inspect(error, { depth: 20, showHidden: true })).not.toInclude(token)
    }
  })

  test('refuses a file that is larger than any profile', () => {
    using stage = temporaryHome()
    stage.home.write('profile.json', ' '.repeat(limitTable.profileBytesMax.value + 1))
    expect(refused(() => readProfile(stage.home)).sentence).toEndWith('is larger than 65536 bytes')
  })
})

describe('Profile', () => {
  test('shows its token to nobody who does not ask for it', () => {
    const profile = new Profile(fields)
    const shown = [
      inspect(profile, { showHidden: true }),
      Bun.inspect(profile),
      JSON.stringify(profile),
      String(profile),
      inspect(Object.assign({}, profile)),
    ]
    expect(shown.filter((text) => text.includes(token))).toEqual([])
    expect(shown[2]).toContain('alice')
    expect(profile.token).toBe(token)
  })
})

function joined({ home }: ReturnType<typeof temporaryHome>): void {
  using reservation = reserveProfile(home)
  reservation.write(new Profile(fields))
}
