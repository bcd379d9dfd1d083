// `sealwire split`, and how conversations print money: real processes, a real server.

import { afterAll, describe, expect, test } from 'bun:test'
import { newMessageId } from '../../src/client/index.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const [alice, bob, carol] = [await homes.join(server, 'alice'), await homes.join(server, 'bob'), await homes.join(server, 'carol')]
await runCli(['admin', 'mint', 'alice', '100', '--data', server.data])
await runCli(['contacts', 'request', 'bob', '--home', alice])
await runCli(['contacts', 'accept', 'alice', '--home', bob])

describe('split', () => {
  test('pays all of them in one transfer, once', async () => {
    const id = newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
    for (const _ of [1, 2]) {
      expect(await run('split', 'bob=5', 'CAROL=7.50', '--memo', 'pizza', '--json', '--id', id, '--home', alice)).toEqual([
        {
          ...{ id, status: 'posted', amount: '12.50', unit: 'credits', balance: '87.50' },
          parts: [
            { to: 'bob', amount: '5.00' },
            { to: 'carol', amount: '7.50' },
          ],
        },
      ])
    }
    expect(await run('balance', '--json', '--home', bob)).toEqual([{ unit: 'credits', balance: '5.00' }])
    expect(await run('balance', '--json', '--home', carol)).toEqual([{ unit: 'credits', balance: '7.50' }])
    const parts = [
      { to: 'bob', amount: '5.00', memo: 'pizza' },
      { to: 'carol', amount: '7.50', memo: 'pizza' },
    ]
    expect(await run('statement', '--json', '--home', alice)).toMatchObject([{ kind: 'split', delta: '-12.50', parts }, { kind: 'mint' }])
    expect((await runCli(['statement', '--csv', '--home', alice])).stdout.split('\r\n')[1]).toEndWith(`,alice,"bob; carol",pizza,${id}`)
    expect((await runCli(['statement', '--home', alice])).stdout).toContain(` split to several (87.50 left) ${id}: pizza\n`)
    expect((await runCli(['statement', '--csv', '--home', bob])).stdout.split('\r\n')[1]).toEndWith(`,alice,bob,pizza,${id}`)
    const { stdout } = await runCli(['split', 'bob=1', 'carol=1', '--yes', '--home', alice])
    expect(stdout).toMatch(/^paid 1\.00 credits to bob\npaid 1\.00 credits to carol\n2\.00 credits in all, 85\.50 credits left\nid \S+\n$/)
  })

  test('pays nobody when one of them cannot be paid', async () => {
    const before = await run('balance', '--json', '--home', alice)
    for (const [words, exit] of [
      [['bob=50', 'carol=50'], 6],
      [['bob=1', 'nobody-of-that-name=1'], 6],
      [['bob=1', 'alice=1'], 6],
      [['bob=1', 'carol=0'], undefined],
      [['bob=1'], 2],
      [['bob=1', 'Bob=1'], 2],
      [['bob=1', 'carol'], 2],
      [['bob=1', '=1'], 2],
      [Array.from({ length: 51 }, (_, at) => `n${at}=1`), 2],
    ] as const) {
      const { exitCode, stdout, stderr } = await runCli(['split', ...words, '--yes', '--home', alice])
      expect([stdout, stderr === '']).toEqual(['', false])
      if (exit === undefined) expect(exitCode).not.toBe(0)
      else expect([words, exitCode]).toEqual([words, exit])
    }
    expect(await run('balance', '--json', '--home', alice)).toEqual(before)
  })
})

describe('inbox and history', () => {
  test('print money as a line, and typed for programs', async () => {
    const [{ id }] = (await run('pay', 'bob', '3', '--memo', 'tea\u001b[2J\nlate', '--json', '--home', alice)) as [{ id: string }]
    const { stdout } = await runCli(['history', 'alice', '--home', bob])
    const lines = stdout.split('\n').map((line) => line.slice('2030-01-02 03:04 '.length))
    expect(lines).toContain('alice paid bob 5.00 credits: pizza')
    expect(lines).toContain('alice paid bob 3.00 credits: tea\\u001b[2J\\nlate')
    const [asked] = (await run('request', 'alice', '2', '--memo', 'taxi', '--json', '--home', bob)) as [{ id: string }]
    const printed = (await run('inbox', '--json', '--home', bob)) as readonly object[]
    const common = { from: 'alice', to: 'bob', unit: 'credits' }
    expect(printed).toContainEqual(
      expect.objectContaining({
        id,
        from: 'alice',
        type: 'application/vnd.sealwire.payment+cbor',
        body: expect.any(String),
        payment: { kind: 'pay', ...common, amount: '3.00', memo: 'tea\u001b[2J\nlate', id, status: 'posted' },
      }),
    )
    expect(printed).toContainEqual(
      expect.objectContaining({ payment: expect.objectContaining({ kind: 'split', ...common, amount: '5.00', memo: 'pizza' }) }),
    )
    expect(await run('inbox', '--json', '--home', alice)).toContainEqual(
      expect.objectContaining({ payment: { kind: 'request', ...common, amount: '2.00', memo: 'taxi', id: asked?.id, status: 'open' } }),
    )
  })
})

/** The objects that a command prints that succeeds. */
async function run(...args: readonly string[]): Promise<readonly unknown[]> {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}
