import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InviteFlags, readInviteFlags } from '../../src/cli/invite.ts'
import { invitationHash, parseInviteLink } from '../../src/pki/index.ts'
import { SealwireError } from '../../src/protocol/errors.ts'
import { LeftFolder } from './operator-support.ts'

const dayMs = 24 * 60 * 60 * 1000

describe('readInviteFlags', () => {
  test('makes one invitation for a week at the address of the server when nothing is said', () => {
    expect(readInviteFlags({})).toEqual({ uses: 1, expiresMs: 7 * dayMs })
  })

  test.each<[string, { host: string; port?: number }]>([
    ['chat.example', { host: 'chat.example' }],
    ['Chat.Example:443', { host: 'chat.example', port: 443 }],
    ['192.0.2.1', { host: '192.0.2.1' }],
    ['192.0.2.1:5555', { host: '192.0.2.1', port: 5555 }],
    ['::1', { host: '::1' }],
    ['[::1]', { host: '::1' }],
    ['[2001:db8:0::1]:5555', { host: '2001:db8::1', port: 5555 }],
  ])('reads --host %s', (host, expected) => {
    expect(readInviteFlags({ host })).toEqual({ uses: 1, expiresMs: 7 * dayMs, ...expected })
  })

  test.each<[InviteFlags, RegExp]>([
    [{ host: '' }, /^--host "" /],
    [{ host: 'chat.example:' }, /^--host "chat.example:" has no port/],
    [{ host: 'chat.example:0' }, /has no port that can be dialled$/],
    [{ host: 'chat.example:65536' }, /has no port from 0 to 65535$/],
    [{ host: '*.example' }, /is no name or address that a certificate can have$/],
    [{ host: 'fe80::1%eth0' }, /is no name or address that a certificate can have$/],
    [{ host: 'sealwire://chat.example' }, /^--host /],
    [{ uses: '0' }, /^--uses "0" is not a number from 1 to 10000$/],
    [{ uses: '10001' }, /is not a number from 1 to 10000$/],
    [{ uses: '1.5' }, /is not a number/],
    [{ uses: '' }, /is not a number/],
    [{ expires: '30s' }, /^--expires "30s" is not a duration$/],
    [{ expires: '366d' }, /is not from 1m to 365d$/],
  ])('refuses %p', (flags, sentence) => {
    expect(refusalOf(flags)).toMatchObject({ code: 'usage', sentence: expect.stringMatching(sentence) })
  })
})

describe('invite without a server', () => {
  test('prints a link that is good as often and as long as it was asked for', async () => {
    using folder = await LeftFolder.with()
    const asked = Date.now()
    const { exitCode, stdout, stderr } = await folder.run(['invite', '--uses', '3', '--expires', '12h', '--host', 'chat.example:443'])
    expect([exitCode, stderr]).toEqual([0, ''])
    const link = parseInviteLink(stdout)
    expect(link).toMatchObject({ host: 'chat.example', port: 443, pin: folder.fingerprint })
    const hash = invitationHash(link.invitation)
    const half = BigInt(asked + dayMs / 2)
    expect(folder.use((store) => store.run('invitation.check', { hash, at: half - 1000n }))).toBe('good')
    expect(folder.use((store) => store.run('invitation.check', { hash, at: half + 60_000n }))).toBe('expired')
  })

  test('prints JSON for a program', async () => {
    using folder = await LeftFolder.with()
    const { stdout } = await folder.run(['invite', '--json', '--uses', '2', '--host', 'chat.example:443'])
    const said = JSON.parse(stdout) as { link: string; expiresAt: string }
    expect(said).toEqual({ link: expect.any(String), uses: 2, expiresAt: expect.any(String) } as never)
    expect(parseInviteLink(said.link).port).toBe(443)
    expect(Math.abs(Date.parse(said.expiresAt) - Date.now() - 7 * dayMs)).toBeLessThan(60_000)
  })

  test('takes the address that the last server left, and says so when there is none', async () => {
    using folder = await LeftFolder.with()
    const guessed = await folder.run(['invite'])
    expect(parseInviteLink(guessed.stdout)).toMatchObject({ host: '127.0.0.1', port: 5555 })
    expect(guessed.stderr).toBe(
      'sealwire: where this server listens is not known, so the link has the address 127.0.0.1:5555. --host NAME:PORT names another.\n',
    )
    writeFileSync(join(folder.path, 'address'), '127.0.0.1:6000\n')
    const known = await folder.run(['invite'])
    expect([parseInviteLink(known.stdout).port, known.stderr]).toEqual([6000, ''])
    const renamed = await folder.run(['invite', '--host', 'chat.example'])
    expect([parseInviteLink(renamed.stdout), renamed.stderr]).toMatchObject([{ host: 'chat.example', port: 6000 }, ''])
  })

  test('warns of a host that the certificate does not have', async () => {
    using folder = await LeftFolder.with()
    const { exitCode, stdout, stderr } = await folder.run(['invite', '--host', 'other.example:443'])
    expect([exitCode, parseInviteLink(stdout).host]).toEqual([0, 'other.example'])
    expect(stderr).toBe(
      'sealwire: the certificate of this server is not for other.example. start the server with --host other.example before the link is used.\n',
    )
  })

  test.skipIf(process.platform === 'win32')('draws a QR code on a terminal that is wide enough, unless it is told not to', async () => {
    using folder = await LeftFolder.with()
    const args = ['invite', '--data', folder.path, '--host', 'chat.example:443']
    const link = /sealwire:\/\/chat\.example:443\/#\S+\r\n$/
    // The link comes last: on 24 lines it is what is left to be seen.
    expect(await onTerminal(120, args)).toMatch(new RegExp(`[█▀▄].*${link.source}`, 's'))
    expect(await onTerminal(40, args)).toMatch(new RegExp(`^${link.source}`))
    expect(await onTerminal(120, [...args, '--no-qr'])).toMatch(new RegExp(`^${link.source}`))
    expect(await onTerminal(120, [...args, '--json'])).not.toMatch(/[█▀▄]/)
  })
})

/** What a terminal of so many columns shows when a command has run in it. */
async function onTerminal(cols: number, args: readonly string[]): Promise<string> {
  const shown: Uint8Array[] = []
  const { promise: hungUp, resolve } = Promise.withResolvers<void>()
  const terminal = { cols, rows: 50, data: (_: unknown, bytes: Uint8Array) => void shown.push(bytes), exit: () => resolve() }
  const child = Bun.spawn([process.execPath, main, ...args], { terminal })
  await hungUp
  await child.exited
  child.terminal?.close()
  return Buffer.concat(shown).toString()
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

function refusalOf(flags: InviteFlags): SealwireError | undefined {
  try {
    readInviteFlags(flags)
  } catch (reason) {
    return SealwireError.from(reason)
  }
  return undefined
}
