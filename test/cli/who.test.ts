import { afterAll, describe, expect, test } from 'bun:test'
import { whoLines } from '../../src/cli/who.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
afterAll(() => server[Symbol.asyncDispose]())
using homes = new Homes()

describe('who', () => {
  test('lists who shows themselves', async () => {
    const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
    await using _bob = await homes.chat('bob')
    expect(await runCli(['who', '--home', alice])).toEqual({ exitCode: 0, stdout: 'nobody is here\n', stderr: '' })
    expect((await runCli(['visibility', 'everyone', '--home', bob])).exitCode).toBe(0)
    expect((await runCli(['who', '--home', alice])).stdout).toBe('bob\n')
    expect((await runCli(['who', '--home', alice, '--json'])).stdout).toBe('{"people":[{"name":"bob","contact":false}],"more":false}\n')
  })

  test('needs somebody who has joined', async () => {
    const { exitCode, stderr } = await runCli(['who', '--home', homes.path('nobody')])
    expect(exitCode).toBe(2)
    expect(stderr).toStartWith(`sealwire: nobody has joined a server from ${homes.path('nobody')}. `)
  })
})

describe('whoLines', () => {
  test('shows contacts, and that there are more', () => {
    const people = [
      { name: 'bob', contact: true },
      { name: 'ca\u001brol', contact: false },
    ]
    expect(whoLines({ people, more: true })).toEqual(['bob (contact)', 'ca\\u001brol', 'and more'])
  })
})
