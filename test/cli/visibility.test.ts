import { afterAll, describe, expect, test } from 'bun:test'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()

describe('visibility', () => {
  test('tells and changes who sees an account, and the server keeps it', async () => {
    const home = await homes.join(server, 'alice')
    expect(await runCli(['visibility', '--home', home])).toEqual({ exitCode: 0, stdout: 'contacts\n', stderr: '' })
    for (const word of ['everyone', 'nobody', 'contacts']) {
      expect(await runCli(['visibility', word, '--home', home])).toEqual({ exitCode: 0, stdout: `${word}\n`, stderr: '' })
      expect(await runCli(['visibility', '--home', home, '--json'])).toEqual({
        exitCode: 0,
        stdout: `{"visibility":"${word}"}\n`,
        stderr: '',
      })
    }
  })

  test('refuses what is none before anybody is asked', async () => {
    expect(await runCli(['visibility', 'contact', '--home', homes.path('nobody')])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'sealwire: WHO "contact" is not one of everyone, contacts, nobody. did you mean contacts?\n',
    })
  })
})
