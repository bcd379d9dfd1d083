import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { joinFrom } from '../../src/cli/join.ts'
import { Home } from '../../src/client/home/home.ts'
import { readTarget } from '../../src/cli/join/request.ts'
import { systemClock } from '../../src/domain/index.ts'
import { formatInviteLink, parseInviteLink } from '../../src/pki/index.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { onUnix, pinOf, rejected } from './home-support.ts'
import { Homes, inviteLink, runWith } from './member-support.ts'

const server = await ServerProcess.start({ registration: 'invite', limits: liftedRates })
afterAll(() => server[Symbol.asyncDispose]())
const address = `127.0.0.1:${server.port}`
const password = 'correct-horse-battery'

describe('join', () => {
  test('makes an account and keeps it where only its owner can read it', async () => {
    using homes = new Homes()
    const home = homes.path('home')
    const result = await runCli(['join', await inviteLink(server), '--name', 'Ann', '--home', home])
    expect(result).toEqual({
      exitCode: 0,
      stdout: `joined sealwire://${address} as Ann\nnext: sealwire chat [NAME] --home ${home}\n`,
      stderr: '',
    })
    expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toMatchObject({ name: 'Ann', pin: server.fingerprint })
    expect(readFileSync(join(home, 'known_servers'), 'utf8')).toStartWith(`${address} ${server.fingerprint} `)
    if (onUnix) for (const name of ['profile.json', 'known_servers']) expect(statSync(join(home, name)).mode & 0o777).toBe(0o600)
    expect(server.stderr).not.toContain('token')
  })

  test('reads link and password from standard input, and answers programs in JSON', async () => {
    using homes = new Homes()
    const home = homes.path('home')
    const input = `${await inviteLink(server)}\n${password}\n`
    const made = await runWith(input, ['join', '-', '--name', 'ben', '--home', home, '--password-stdin', '--json'])
    expect(made.stderr).toBe('')
    expect(JSON.parse(made.stdout)).toEqual({ name: 'ben', server: address, pin: server.fingerprint, home })
    const flags = ['--pin', server.fingerprint, '--name', 'BEN', '--login', '--password-stdin', '--home', homes.path('second')]
    expect(await runWith(`${password}\n`, ['join', address, ...flags])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(' as ben\n'),
    })
    const wrong = ['join', address, ...flags.slice(0, -1), homes.path('third')]
    expect(await runWith('wrong-horse-battery\n', wrong)).toEqual({
      exitCode: 6,
      stdout: '',
      stderr: 'sealwire: wrong name or password. check name and password, or join without --login.\n',
    })
    expect(existsSync(join(homes.path('third'), 'profile.json'))).toBe(false)
  })

  test('tells each bad link in one line and leaves nothing behind', async () => {
    using homes = new Homes()
    const good = await inviteLink(server)
    const used = await inviteLink(server)
    expect((await runCli(['join', used, '--name', 'cleo', '--home', homes.path('cleo')])).exitCode).toBe(0)
    const { host, port, pin } = parseInviteLink(good)
    const foreignInvitation = formatInviteLink({ host, port, pin, invitation: new Uint8Array(16) })
    const foreignServer = formatInviteLink({ host, port, pin: pinOf('A'), invitation: new Uint8Array(16) })
    const home = homes.path('home')
    const refusals: [string, string, number, string][] = [
      [used, 'dan', 6, 'the invitation has been used. ask for a new link.'],
      [foreignInvitation, 'dan', 6, 'this server knows no such invitation. ask for a new link: this one is void, or of another server.'],
      [
        foreignServer,
        'dan',
        5,
        `${address} has another key: expected ${pinOf('A')}, seen ${pin}. somebody may be in the middle: ask the operator for the fingerprint.`,
      ],
      [good.slice(0, -3), 'dan', 2, 'the invite link is cut off. copy the whole link again, in quotes.'],
      [good, 'cleo', 6, 'the name is taken. choose another name; if it is yours already, join with --login.'],
      [good, 'a b', 2, 'a name cannot hold a space. choose another name.'],
    ]
    for (const [link, name, exitCode, line] of refusals) {
      expect(await runCli(['join', link, '--name', name, '--home', home])).toEqual({ exitCode, stdout: '', stderr: `sealwire: ${line}\n` })
      expect(existsSync(home)).toBe(false)
    }
    // None of this has used the good one up.
    expect((await runCli(['join', good, '--name', 'dan', '--home', home])).exitCode).toBe(0)
  })

  test('leaves a home that was there before as it was, but for the lock', async () => {
    using homes = new Homes()
    const home = homes.path('home')
    mkdirSync(home, { mode: 0o700 })
    const { host, port, pin } = parseInviteLink(await inviteLink(server))
    const foreign = formatInviteLink({ host, port, pin, invitation: new Uint8Array(16) })
    expect((await runCli(['join', foreign, '--name', 'dora', '--home', home])).exitCode).toBe(6)
    expect(readdirSync(home)).toEqual(['lock'])
    if (onUnix) expect(statSync(join(home, 'lock')).mode & 0o777).toBe(0o600)
  })

  test('names the next command as it was called itself', async () => {
    using homes = new Homes()
    const args = ['join', await inviteLink(server), '--name', 'emil', '--home', homes.path('home')]
    const { stdout } = await runCli(args, { environment: { npm_lifecycle_event: 'sealwire' } })
    expect(stdout).toEndWith(`\nnext: npm run --silent sealwire -- chat [NAME] --home ${homes.path('home')}\n`)
  })

  test('tells an expired link', async () => {
    using homes = new Homes()
    const data = homes.path('data')
    await using first = await ServerProcess.start({ data })
    await first.stop()
    const link = parseInviteLink(await expiredLink(data, homes))
    await using second = await ServerProcess.start({ data })
    const expired = formatInviteLink({ ...link, port: second.port })
    expect(await runCli(['join', expired, '--name', 'eve', '--home', homes.path('home')])).toMatchObject({
      exitCode: 6,
      stderr: 'sealwire: the invitation has expired. ask for a new link.\n',
    })
    expect(existsSync(join(homes.path('home'), 'profile.json'))).toBe(false)
  })

  test('needs an invitation where the server wants one', async () => {
    using homes = new Homes()
    const { exitCode, stderr } = await runCli(['join', address, '--pin', server.fingerprint, '--name', 'fay', '--home', homes.path('home')])
    expect(exitCode).toBe(6)
    expect(stderr).toMatch(/^sealwire: this server takes registrations [^\n]*\. ask the operator for an invite link\.\n$/)
  })

  test('does not join twice from one home, and says so before it uses the link', async () => {
    using homes = new Homes()
    const link = await inviteLink(server, '--uses', '2')
    const args = ['join', link, '--home', homes.path('home')]
    expect((await runCli([...args, '--name', 'gil'])).exitCode).toBe(0)
    expect(await runCli([...args, '--name', 'gus'])).toMatchObject({
      exitCode: 2,
      stderr: `sealwire: this home has already joined as gil at ${address}. use another home with --home DIR.\n`,
    })
    expect((await runCli(['join', link, '--name', 'gus', '--home', homes.path('other')])).exitCode).toBe(0)
  })

  test('refuses a home that cannot be used', async () => {
    using homes = new Homes()
    writeFileSync(homes.path('file'), '')
    const link = await inviteLink(server)
    expect(await runCli(['join', link, '--name', 'hal', '--home', homes.path('file')])).toMatchObject({ exitCode: 3, stdout: '' })
    mkdirSync(homes.path('open'), { mode: 0o700 })
    writeFileSync(join(homes.path('open'), 'profile.json'), '{}')
    chmodSync(join(homes.path('open'), 'profile.json'), 0o644)
    const open = await runCli(['join', link, '--name', 'hal', '--home', homes.path('open')])
    expect(open).toMatchObject({ exitCode: onUnix ? 3 : 2, stdout: '' })
  })

  test('refuses a server whose key has changed since, with both fingerprints', async () => {
    using homes = new Homes()
    const home = homes.path('home')
    mkdirSync(home, { mode: 0o700 })
    writeFileSync(join(home, 'known_servers'), `${address} ${pinOf('B')} 2030-01-15T12:00:00.000Z\n`, { mode: 0o600 })
    const { exitCode, stderr } = await runCli(['join', await inviteLink(server), '--name', 'ivy', '--home', home])
    expect(exitCode).toBe(5)
    expect(stderr).toStartWith(`sealwire: the key of ${address} has changed: it is ${server.fingerprint} now, and was ${pinOf('B')}. `)
    expect(stderr.match(/\n/g)).toHaveLength(1)
    expect(existsSync(join(home, 'profile.json'))).toBe(false)
  })

  test('says that nobody is there', async () => {
    using homes = new Homes()
    const link = formatInviteLink({ host: '127.0.0.1', port: 1, pin: server.fingerprint, invitation: new Uint8Array(16) })
    expect(await runCli(['join', link, '--name', 'jan', '--home', homes.path('home')])).toMatchObject({
      exitCode: 4,
      stderr: 'sealwire: 127.0.0.1:1 refused the connection. start the server, or check the port.\n',
    })
  })

  test('wants a name', async () => {
    expect(await runCli(['join', 'x:1'])).toMatchObject({
      exitCode: 2,
      stderr: 'sealwire: an account needs a name. add --name NAME.\n',
    })
  })
})

describe('joinFrom', () => {
  test('says exactly what happened when the profile cannot be written any more', async () => {
    using homes = new Homes()
    const home = new Home(homes.path('home'))
    // Something takes the file's place between the reservation, which makes the home, and the answer of the server.
    const request = {
      ...readTarget(await inviteLink(server), undefined),
      name: 'kim',
      get password() {
        if (existsSync(home.path)) mkdirSync(home.pathOf('profile.json'), { recursive: true })
        return undefined
      },
      login: false,
    }
    const error = await rejected(joinFrom(home, () => Promise.resolve(request), systemClock))
    expect(error.code).toBe('data_unusable')
    expect(error.sentence).toStartWith(`kim is registered at ${address}, but the profile was not written: cannot `)
    expect(error.hint).toStartWith('it has no password: ask the operator for one (admin reset-password), then join again with --login')
  })
})

/** A link that was made two hours ago for one hour, while the server did not run. */
async function expiredLink(data: string, homes: Homes): Promise<string> {
  const earlier = homes.path('earlier.ts')
  writeFileSync(earlier, 'const now = Date.now\nDate.now = () => now() - 7_200_000\n')
  const { stdout, stderr } = await runCli(['invite', '--data', data, '--expires', '1h'], { preload: [earlier] })
  if (stdout === '') throw new Error(stderr)
  return stdout.trim()
}
