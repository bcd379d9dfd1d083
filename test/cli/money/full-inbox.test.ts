// Somebody for whom so much waits that nothing more is taken: whoever pays them or sends them something is told what helps.

import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'

test('a full inbox of the other one is told with what helps', async () => {
  await using server = await ServerProcess.start({ limits: { ...liftedRates, inboxEntriesPerSenderMax: 1 } })
  using homes = new Homes()
  const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
  await runCli(['contacts', 'request', 'bob', '--home', alice])
  await runCli(['contacts', 'accept', 'alice', '--home', bob])
  await runCli(['send', 'bob', 'hello', '--home', alice])
  await runCli(['admin', 'mint', 'alice', '10', '--data', server.data])
  const small = homes.path('small.txt')
  writeFileSync(small, 'small')
  for (const [args, hint] of [
    [['pay', 'bob', '1'], 'order it when they have read what waits for them'],
    [['hold', 'bob', '1'], 'order it when they have read what waits for them'],
    [['request', 'bob', '1'], 'ask when they have read what waits for them'],
    [['send', 'bob', 'more'], 'they have to read what waits for them first; where too much is kept of yours, delete some of it'],
    [
      ['file', 'send', 'bob', small],
      'they have to read what waits for them first; where too much is kept of yours, delete files that are not needed any more; sealwire file forget ID gives up one that was begun',
    ],
  ] as const) {
    const { exitCode, stderr } = await runCli([...args, '--home', alice])
    expect([exitCode, stderr]).toEqual([6, expect.stringContaining(`too much waits for the other one. ${hint}.\n`)])
  }
}, 60_000)
