import { describe, expect, test } from 'bun:test'
import { PasswordHasher } from '../../src/server/accounts/password-hasher.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { runCli } from './cli-process.ts'
import { LeftFolder } from './operator-support.ts'

describe('admin list without a server', () => {
  test('lists every account, also more than one answer of a server holds', async () => {
    const names = Array.from({ length: 250 }, (_, index) => `user${String(index).padStart(3, '0')}`)
    using folder = await LeftFolder.with(...names)
    const { exitCode, stdout } = await folder.run(['admin', 'list', '--json'])
    const listed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(exitCode).toBe(0)
    expect(listed.map((account) => 'name' in account && account.name)).toEqual(names)
    expect(listed[0]).toEqual({ name: 'user000', createdAt: '2027-01-15T08:00:00.000Z', visibility: 'contacts', hasPassword: false })
  })

  test('says who is banned, and lets no name disturb the terminal', async () => {
    using folder = await LeftFolder.with('alice', 'bob\u001b[2J\nbob')
    folder.use((store) => store.run('account.ban', { key: 'alice', at: 1_900_000_000_000n }))
    const { stdout } = await folder.run(['admin', 'list'])
    expect(stdout).toBe('alice  since 2027-01-15  banned 2030-03-17  no password\nbob\\u001b[2J\\nbob  since 2027-01-15  no password\n')
  })

  test('of nobody is nothing', async () => {
    using folder = await LeftFolder.with()
    expect(await folder.run(['admin', 'list'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  })
})

describe('admin ban and unban without a server', () => {
  test('are kept', async () => {
    using folder = await LeftFolder.with('Alice')
    expect(await folder.run(['admin', 'ban', 'alice'])).toEqual({ exitCode: 0, stdout: 'banned Alice\n', stderr: '' })
    expect(folder.use((store) => store.run('account.find', { key: 'alice' })?.bannedAt)).toBeDefined()
    expect((await folder.run(['admin', 'unban', 'alice', '--json'])).stdout).toBe('{"name":"Alice","banned":false}\n')
    expect(folder.use((store) => store.run('account.find', { key: 'alice' })?.bannedAt)).toBeUndefined()
  })

  test('know no stranger', async () => {
    using folder = await LeftFolder.with()
    for (const action of ['ban', 'unban', 'reset-password']) {
      const { exitCode, stdout, stderr } = await folder.run(['admin', action, 'mallory'])
      expect([exitCode === 0, stdout]).toEqual([false, ''])
      expect(stderr).toMatch(/^sealwire: there is no account with this name\. .*\n$/)
    }
  })
})

describe('admin reset-password without a server', () => {
  test('prints a password that is the account’s from now on', async () => {
    using folder = await LeftFolder.with('alice')
    const { exitCode, stdout } = await folder.run(['admin', 'reset-password', 'alice', '--json'])
    expect(exitCode).toBe(0)
    const { name, password } = JSON.parse(stdout) as { name: string; password: string }
    const stored = folder.use((store) => store.run('account.find', { key: 'alice' })?.passwordHash)
    expect([name, await new PasswordHasher(resolveLimits()).verify(password, stored)]).toEqual(['alice', true])
    expect((await folder.run(['admin', 'reset-password', 'alice'])).stdout).toMatch(
      /^new password of alice: ([2-9a-z]{4}-){4}[2-9a-z]{4}\n$/,
    )
  })
})

describe('admin status without a server', () => {
  test('says that none runs, and by what it would be known', async () => {
    using folder = await LeftFolder.with()
    expect((await folder.run(['admin', 'status'])).stdout).toBe(`stopped\nfingerprint  ${folder.fingerprint}\n`)
    expect(JSON.parse((await folder.run(['admin', 'status', '--json'])).stdout)).toEqual({
      running: false,
      fingerprint: folder.fingerprint,
    })
  })
})

describe('admin', () => {
  test.each<[string, readonly string[], string]>([
    ['nothing', [], 'sealwire: admin needs a command. sealwire admin --help shows what it takes.\n'],
    ['a misspelt command', ['lst'], "sealwire: unknown command 'admin lst'. did you mean list?\n"],
    ['one with flags', ['lst', '--data', 'x', 'y'], "sealwire: unknown command 'admin lst'. did you mean list?\n"],
    ['one of money', ['unit', 'lst', '--json'], "sealwire: unknown command 'admin unit lst'. did you mean list?\n"],
    ['a flag', ['--frob'], "sealwire: unknown option '--frob'. sealwire admin --help shows what it takes.\n"],
    ['no name', ['ban'], "sealwire: missing required argument 'NAME'. sealwire admin ban --help shows what it takes.\n"],
    ['a misspelt flag', ['list', '--jsn'], "sealwire: unknown option '--jsn'. did you mean --json?\n"],
  ])('refuses %s in one line', async (_, args, line) => {
    const { exitCode, stdout, stderr } = await runCli(['admin', ...args])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toBe(line)
  })
})
