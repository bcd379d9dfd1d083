// A server without room on its disk: what it has can be read.

import { expect, test } from 'bun:test'
import { lastingPort } from '../../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { CliProcess, runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'
import { StoreFolder } from '../../support/store-folder.ts'

test('inbox prints what waits on a server without room, which comes again as long as that cannot be noted', async () => {
  using folder = new StoreFolder()
  using homes = new Homes()
  const [data, port] = [folder.path, await lastingPort()]
  const [alice, bob, carol] = await (async () => {
    await using server = await ServerProcess.start({ data, port, limits: liftedRates })
    const members = [await homes.join(server, 'alice'), await homes.join(server, 'bob'), await homes.join(server, 'carol')] as const
    await ran('contacts', 'request', 'bob', '--home', members[0])
    await ran('contacts', 'accept', 'alice', '--home', members[1])
    await ran('inbox', '--home', members[1])
    await ran('send', 'bob', 'hello', '--home', members[0])
    return members
  })()
  const limits = { ...liftedRates, diskBytesFreeMin: 1_048_576 * 1_048_576 }
  await using full = await ServerProcess.start({ data, port, limits, flags: ['--metrics', '127.0.0.1:0'] })
  for (let again = 0; again < 2; again++) {
    const read = await runCli(['inbox', '--home', bob])
    expect([read.exitCode, read.stdout, read.stderr]).toEqual([6, expect.stringContaining('hello'), expect.stringContaining('no room')])
  }
  // An installation that was never read needs room for its place in the inbox; who talks there is told so, and does not wait for ever.
  const first = new CliProcess(['chat', '--home', carol])
  expect([await first.ended(), first.stderr]).toEqual([
    6,
    'sealwire: there is no room for the place of another device. try again later, or tell the operator.\n',
  ])
  expect((await runCli(['send', 'bob', 'more', '--home', alice, '--timeout', '2'])).stderr).toContain('there is no room')
  // What is said there waits in the home; who ends it is told what for.
  const chat = new CliProcess(['chat', 'bob', '--home', alice])
  chat.child.stdin.end('more\n')
  await chat.printed(/you are talking with bob/)
  const refused = await timesRefused(full)
  // Who tries a second time has heard the first answer.
  while ((await timesRefused(full)) < refused + 2) await Bun.sleep(50)
  chat.child.kill('SIGTERM')
  expect([await chat.ended(), chat.stderr]).toEqual([
    4,
    'sealwire: a line is not sent yet: there is no room to store it. the next sealwire chat of this home sends what is left.\n',
  ])
  expect((await runCli(['invite', '--data', data])).stderr).toBe(
    'sealwire: there is no room to store it. free some space on the disk of the data folder, or move the folder to a larger one.\n',
  )
}, 60_000)

async function timesRefused({ stdout }: ServerProcess): Promise<number> {
  const [, url = ''] = /^metrics +(http:\S+)$/m.exec(stdout) ?? []
  const page = await (await fetch(url)).text()
  return Number(/^sealwire_store_requests_total\{operation="entry.post",code="storage_full"\} (\d+)$/m.exec(page)?.[1] ?? 0)
}

/** Runs a command; resolves with what it has printed. */
async function ran(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout
}
