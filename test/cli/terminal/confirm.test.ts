// What is asked before money moves: at a real terminal, and nowhere else.

import { afterAll, describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const alice = await homes.join(server, 'alice')
for (const name of ['bob', 'carol']) await homes.join(server, name)
await runCli(['admin', 'mint', 'alice', '100', '--data', server.data])

describe('at a terminal', () => {
  test.each([
    ['pay', ['pay', 'bob', '5', '--memo', 'for lunch'], 'Pay 5.00 credits to bob ("for lunch")? [y/N] ', 'nothing was paid'],
    ['hold', ['hold', 'bob', '20'], 'Put 20.00 credits aside for bob? [y/N] ', 'nothing was put aside'],
    ['split', ['split', 'bob=5', 'carol=7.50'], 'Pay 12.50 credits in all? [y/N] ', 'nothing was paid'],
  ])('%s asks, and does nothing unless the answer is yes', async (_, words, question, refused) => {
    for (const answer of ['', 'n', 'yesterday']) {
      const { exitCode, screen } = await atTerminal(words, question, answer)
      expect([exitCode, screen]).toEqual([2, expect.stringContaining(`sealwire: ${refused}. `)])
    }
    expect(await left()).toBe('100.00')
  })

  test('moves money after y, and without a question with --yes', async () => {
    expect(await atTerminal(['hold', 'bob', '20'], '[y/N] ', 'y')).toMatchObject({ exitCode: 0 })
    expect(await atTerminal(['pay', 'bob', '5'], '[y/N] ', 'YES')).toMatchObject({ exitCode: 0 })
    expect(await left()).toBe('75.00')
    const { exitCode, screen } = await atTerminal(['hold', 'bob', '1', '--yes'])
    expect([exitCode, screen.includes('[y/N]')]).toEqual([0, false])
  })

  test.each(['y\r', 'y', 'n\ry\ry\r'])('takes %j that was typed before the question for no answer', async (ahead) => {
    const before = await left()
    const { exitCode, screen } = await atTerminal(['pay', 'bob', '5'], '[y/N] ', '', ahead)
    expect([exitCode, screen, await left()]).toEqual([2, expect.stringContaining('sealwire: nothing was paid. '), before])
    expect(await atTerminal(['hold', 'bob', '1'], '[y/N] ', 'y', ahead)).toMatchObject({ exitCode: 0 })
  })

  test('says what is wrong before it asks', async () => {
    const { exitCode, screen } = await atTerminal(['hold', 'bob', '20', '--for', '2y'])
    expect([exitCode, screen.includes('[y/N]')]).toEqual([2, false])
  })
})

test('without a terminal pay asks nobody and pays, as its help says', async () => {
  const before = Number(await left())
  expect(await runCli(['pay', 'bob', '5', '--home', alice])).toMatchObject({ exitCode: 0, stderr: '' })
  expect(Number(await left())).toBe(before - 5)
  expect((await runCli(['pay', '--help'])).stdout).toContain('NOBODY IS ASKED')
})

async function left(): Promise<string> {
  const { stdout } = await runCli(['balance', '--json', '--home', alice])
  return (JSON.parse(stdout) as { balance: string }).balance
}

/** Runs a command of Alice at a terminal, types `ahead` at once, and the answer when it has asked. */
async function atTerminal(
  words: readonly string[],
  question?: string,
  answer = '',
  ahead = '',
): Promise<{ exitCode: number; screen: string }> {
  const gone = Promise.withResolvers<void>()
  const decoder = new TextDecoder()
  let screen = ''
  let isAnswered = question === undefined
  const data = (terminal: { write(text: string): unknown }, bytes: Uint8Array): void => {
    screen += decoder.decode(bytes, { stream: true })
    if (isAnswered || question === undefined || !screen.includes(question)) return
    isAnswered = true
    terminal.write(`${answer}\r`)
  }
  const child = Bun.spawn([process.execPath, main, ...words, '--home', alice], {
    env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' },
    terminal: { cols: 120, rows: 24, data, exit: () => gone.resolve() },
  })
  if (ahead !== '') child.terminal?.write(ahead)
  await gone.promise
  const exitCode = await child.exited
  child.terminal?.close()
  if (!isAnswered) throw new Error(`it never asked ${question}:\n${screen}`)
  return { exitCode, screen }
}

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
