import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes, runWith } from './member-support.ts'

setDefaultTimeout(60_000)
const server = await ServerProcess.start({ limits: liftedRates })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()
const [first, second] = ['correct-horse-battery', 'staple-horse-battery']

describe('passwd', () => {
  test('sets a first password with one line and changes it with two', async () => {
    const home = await homes.join(server, 'alice')
    const args = ['passwd', '--password-stdin', '--home', home]
    const done = { exitCode: 0, stdout: 'the password is set; other sessions have ended\n', stderr: '' }
    expect(await runWith(`${first}\n`, args)).toEqual(done)
    expect(await runWith(`${second}\n`, args)).toEqual({
      exitCode: 6,
      stdout: '',
      stderr: 'sealwire: wrong name or password. the account has a password: give it first, then the new one.\n',
    })
    expect(await runWith(`${second}\n${first}\n`, args)).toMatchObject({
      exitCode: 6,
      stderr: 'sealwire: wrong name or password. the current password is another one.\n',
    })
    expect(await runWith(`${first}\n${second}\n`, args)).toEqual(done)
    expect((await runWith(`${second}\n`, login('alice', 'other'))).exitCode).toBe(0)
    expect((await runWith(`${second}\n${first}\n`, args)).stdout).toBe(
      `${done.stdout}1 other device can still log in without it; see which: sealwire devices, and shut one out: sealwire devices revoke ID\n`,
    )
    const reset = await runCli(['admin', 'reset-password', 'alice', '--data', server.data])
    expect(reset.stderr).toBe(
      '2 devices can still log in without it; see which: sealwire cert list, and shut one out: sealwire cert revoke ID\n',
    )
  })

  test('refuses a password that is none, and says the rule', async () => {
    const home = await homes.join(server, 'ben')
    const { exitCode, stderr } = await runWith('short\n', ['passwd', '--password-stdin', '--home', home])
    expect(exitCode).toBe(6)
    expect(stderr).toMatch(/^sealwire: .* 12 .*characters\. choose another password\.\n$/)
    expect((await runWith('', ['passwd', '--password-stdin', '--home', home])).stderr).toStartWith('sealwire: no password was given. ')
  })

  test('asks at a terminal only', async () => {
    const home = await homes.join(server, 'cleo')
    expect(await runWith('', ['passwd', '--home', home])).toMatchObject({ exitCode: 2, stdout: '' })
  })

  test('ends the other sessions', async () => {
    const home = await homes.join(server, 'dan')
    await using chat = await homes.chat('dan')
    expect((await runWith(`${first}\n`, ['passwd', '--password-stdin', '--home', home])).exitCode).toBe(0)
    // This home is still in: it logs in again with its certificate.
    await chat.printed(/^connection lost, trying again\nconnected again$/m)
    expect(chat.stderr).toBe('')
  })
})

function login(name: string, home: string): readonly string[] {
  const address = `127.0.0.1:${server.port}`
  return ['join', address, '--pin', server.fingerprint, '--name', name, '--login', '--password-stdin', '--home', homes.path(home)]
}
