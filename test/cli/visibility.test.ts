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
        stdout: `{"visibility":"${word}","presence":true,"typing":true,"delivered":true,"read":true}\n`,
        stderr: '',
      })
    }
  })

  test('hides what others see of an account, sign by sign, and shows it again', async () => {
    const home = await homes.join(server, 'bob')
    const run = (...args: readonly string[]) => runCli(['visibility', ...args, '--home', home])
    expect(await run('--hide', 'typing', '--hide', 'read')).toEqual({ exitCode: 0, stdout: 'contacts\nhidden: typing, read\n', stderr: '' })
    expect((await run('everyone', '--show', 'typing', '--hide', 'presence')).stdout).toBe('everyone\nhidden: presence, read\n')
    expect(JSON.parse((await run('--json')).stdout)).toEqual({
      ...{ visibility: 'everyone', presence: false, typing: true, delivered: true, read: false },
    })
    expect((await run('contacts', '--show', 'presence', '--show', 'read')).stdout).toBe('contacts\n')
  })

  test('refuses what is none before anybody is asked', async () => {
    expect(await runCli(['visibility', 'contact', '--home', homes.path('nobody')])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'sealwire: WHO "contact" is not one of everyone, contacts, nobody. did you mean contacts?\n',
    })
    expect(await runCli(['visibility', '--hide', 'types', '--home', homes.path('nobody')])).toMatchObject({
      exitCode: 2,
      stderr: 'sealwire: --hide "types" is not one of presence, typing, delivered, read. write presence or typing or delivered or read.\n',
    })
    expect(await runCli(['visibility', '--hide', 'read', '--show', 'read', '--home', homes.path('nobody')])).toMatchObject({
      exitCode: 2,
      stderr: 'sealwire: read is both to be shown and hidden. leave one of them out.\n',
    })
  })
})
