import { describe, expect, test } from 'bun:test'
import { chmodSync, readdirSync, statSync } from 'node:fs'
import type { Home } from '../../../src/client/home/home.ts'
import { KnownServers } from '../../../src/client/home/known-servers.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { onUnix, pinOf, refused, temporaryHome } from '../../cli/home-support.ts'

const now = Date.UTC(2030, 0, 15, 12)
const server = { host: 'chat.example', port: 5555 }
const [one, two, three] = [pinOf('k'), pinOf('u'), pinOf('z')]

describe('KnownServers', () => {
  test('knows no server before one is remembered, and then that one only', () => {
    using stage = temporaryHome()
    const servers = new KnownServers(stage.home)
    expect(servers.pinOf(server)).toBeUndefined()
    expect(readdirSync(stage.parent)).toEqual([])
    servers.remember(server, one, now)
    expect(new KnownServers(stage.home).pinOf(server)).toBe(one)
    expect(servers.pinOf({ ...server, port: 5556 })).toBeUndefined()
    expect(servers.pinOf({ ...server, host: 'example' })).toBeUndefined()
  })

  test('writes a line of address, pin and time, for its owner only', () => {
    using stage = temporaryHome()
    const servers = new KnownServers(stage.home)
    servers.remember(server, one, now)
    servers.remember({ host: '::1', port: 1 }, two, now + 1)
    expect(textOf(stage.home)).toBe(`chat.example:5555 ${one} 2030-01-15T12:00:00.000Z\n[::1]:1 ${two} 2030-01-15T12:00:00.001Z\n`)
    if (onUnix) expect(statSync(stage.home.pathOf('known_servers')).mode & 0o777).toBe(0o600)
  })

  test('takes a new key in the place of the one that has signed it, and finds it again by the old', () => {
    using stage = temporaryHome()
    const servers = new KnownServers(stage.home)
    stage.home.write('known_servers', `# mine\nchat.example:5555 ${one} 2030-01-15\nother.example:1 ${one} 2030-01-15\n`)
    expect(servers.successorOf(server, one)).toBe(one)
    servers.replace(server, { before: one, pin: two }, now)
    servers.replace(server, { before: one, pin: two }, now + 1)
    expect(textOf(stage.home)).toBe(`chat.example:5555 ${two} 2030-01-15T12:00:00.000Z ${one}\n# mine\nother.example:1 ${one} 2030-01-15\n`)
    expect([servers.pinOf(server), servers.successorOf(server, one), servers.successorOf(server, three)]).toEqual([two, two, three])
    // Once more, before the profile has heard of the second.
    servers.replace(server, { before: one, pin: three }, now)
    expect(servers.successorOf(server, one)).toBe(three)
    expect(refused(() => servers.replace(server, { before: two, pin: one }, now)).code).toBe('untrusted')
    expect(refused(() => servers.check(server, one)).code).toBe('untrusted')
  })

  test('finds a server however its host is written', () => {
    using stage = temporaryHome()
    stage.home.write(
      'known_servers',
      `Chat.EXAMPLE:5555 ${one} 2030-01-15\n[0:0::1]:1 ${two} 2030-01-15\n[fe80::1%eth0]:1 ${one} 2030-01-15\n`,
    )
    const servers = new KnownServers(stage.home)
    expect(servers.pinOf(server)).toBe(one)
    expect(servers.pinOf({ host: 'CHAT.example', port: 5555 })).toBe(one)
    expect(servers.pinOf({ host: '::1', port: 1 })).toBe(two)
    expect(servers.pinOf({ host: 'fe80:0::1%eth0', port: 1 })).toBe(one)
    expect(servers.pinOf({ host: 'fe80::1%eth1', port: 1 })).toBeUndefined()
  })

  test('leaves a server that it knows as it is', () => {
    using stage = temporaryHome()
    const servers = new KnownServers(stage.home)
    servers.remember(server, one, now)
    servers.remember(server, one, now + 1000)
    expect(textOf(stage.home)).toBe(`chat.example:5555 ${one} 2030-01-15T12:00:00.000Z\n`)
    expect(() => servers.check(server, one)).not.toThrow()
    expect(() => servers.check({ ...server, port: 1 }, two)).not.toThrow()
  })

  test('refuses a changed key with both fingerprints and says what to do', () => {
    using stage = temporaryHome()
    const servers = new KnownServers(stage.home)
    servers.remember(server, one, now)
    for (const action of [() => servers.check(server, two), () => servers.remember(server, two, now)]) {
      const error = refused(action)
      expect([error.code, error.sentence]).toEqual([
        'untrusted',
        `the key of chat.example:5555 has changed: it is ${two} now, and was ${one}`,
      ])
      expect(error.hint).toEndWith(`remove the line for chat.example:5555 from ${stage.home.pathOf('known_servers')}`)
    }
    expect(servers.pinOf(server)).toBe(one)
  })

  test('keeps what people have written between the lines, and a last line without its end', () => {
    using stage = temporaryHome()
    stage.home.write('known_servers', `# mine\n\n  chat.example:5555   ${one}\t2030-01-15 \r\n# end`)
    const servers = new KnownServers(stage.home)
    expect(servers.pinOf(server)).toBe(one)
    servers.remember({ ...server, port: 1 }, two, now)
    expect(textOf(stage.home)).toEndWith(`2030-01-15 \r\n# end\nchat.example:1 ${two} 2030-01-15T12:00:00.000Z\n`)
  })

  test.each([
    ['chat.example:5555', 'is not the line of a server'],
    [`chat.example:5555 ${one.slice(1)} 2030-01-15`, 'is not the line of a server'],
    [`chat.example:5555 ${one} then`, 'is not the line of a server'],
    [`chat.example:5555 ${one} 2030-01-15 more`, 'is not the line of a server'],
    [`chat.example ${one} 2030-01-15`, '"chat.example" has no port'],
    [`a:1 ${one} 2030-01-15`, 'names a:1 again, after line 1'],
    [`A:1 ${two} 2030-01-15`, 'names a:1 again, after line 1'],
  ])('refuses %p in the second line, and says where it is', (line, what) => {
    using stage = temporaryHome()
    stage.home.write('known_servers', `a:1 ${one} 2030-01-15\n${line}\n`)
    const error = refused(() => new KnownServers(stage.home).pinOf(server))
    expect([error.code, error.sentence]).toEqual(['config_invalid', `${stage.home.pathOf('known_servers')}:2 ${what}`])
    expect(error.hint?.length ?? 0).toBeGreaterThan(10)
  })

  test.skipIf(!onUnix)('refuses a file that others could have changed', () => {
    using stage = temporaryHome()
    new KnownServers(stage.home).remember(server, one, now)
    chmodSync(stage.home.pathOf('known_servers'), 0o622)
    expect(refused(() => new KnownServers(stage.home).pinOf(server)).code).toBe('key_unsafe')
  })

  test('never writes a file that would be too large to read', () => {
    using stage = temporaryHome()
    const bytesMax = limitTable.knownServersBytesMax.value
    stage.home.write('known_servers', `#${'x'.repeat(bytesMax - 50)}\n`)
    const servers = new KnownServers(stage.home)
    expect(refused(() => servers.remember(server, one, now)).sentence).toEndWith('has no room for another server')
    expect(servers.pinOf(server)).toBeUndefined()
  })
})

function textOf(home: Home): string | undefined {
  return home.read('known_servers', limitTable.knownServersBytesMax.value)
}
