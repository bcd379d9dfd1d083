// A server without room on its disk: what it has can be read.

import { expect, test } from 'bun:test'
import { lastingPort } from '../../support/lasting-port.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'
import { StoreFolder } from '../../support/store-folder.ts'

test('inbox prints what waits on a server without room, which comes again as long as that cannot be noted', async () => {
  using folder = new StoreFolder()
  using homes = new Homes()
  const [data, port] = [folder.path, await lastingPort()]
  const [alice, bob] = await (async () => {
    await using server = await ServerProcess.start({ data, port, limits: liftedRates })
    const members = [await homes.join(server, 'alice'), await homes.join(server, 'bob')] as const
    await ran('contacts', 'request', 'bob', '--home', members[0])
    await ran('contacts', 'accept', 'alice', '--home', members[1])
    await ran('inbox', '--home', members[1])
    await ran('send', 'bob', 'hello', '--home', members[0])
    return members
  })()
  await using _full = await ServerProcess.start({ data, port, limits: { ...liftedRates, diskBytesFreeMin: 1_048_576 * 1_048_576 } })
  for (let again = 0; again < 2; again++) {
    const read = await runCli(['inbox', '--home', bob])
    expect([read.exitCode, read.stdout, read.stderr]).toEqual([6, expect.stringContaining('hello'), expect.stringContaining('no room')])
  }
  expect((await runCli(['send', 'bob', 'more', '--home', alice, '--timeout', '2'])).stderr).toContain('there is no room')
}, 60_000)

/** Runs a command; resolves with what it has printed. */
async function ran(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout
}
