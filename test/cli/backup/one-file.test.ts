// What backup and restore say of a server with one file: a count is for people.

import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'
import { Homes } from '../member-support.ts'

test('one file is not several', async () => {
  await using server = await ServerProcess.start()
  using homes = new Homes()
  const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
  await runCli(['contacts', 'request', 'bob', '--home', alice])
  await runCli(['contacts', 'accept', 'alice', '--home', bob])
  const [small, word, archive] = [homes.path('small.txt'), homes.path('word'), homes.path('server.age')]
  writeFileSync(small, 'small')
  writeFileSync(word, 'correct horse battery\n')
  const passphrase = ['--passphrase-file', word]
  expect((await runCli(['file', 'send', 'bob', small, '--home', alice])).exitCode).toBe(0)
  const made = await runCli(['backup', archive, '--data', server.data, ...passphrase])
  expect(made.stdout).toMatch(/ (1 entry|[2-9] entries), 1 file, /)
  const again = homes.path('once again')
  const restored = await runCli(['restore', archive, '--data', again, ...passphrase])
  expect(restored.stdout).toMatch(/ (1 entry|[2-9] entries) and 1 file$/m)
  expect(restored.stderr).toContain('keys that were replaced since (cert rotate-ca, rotate-sealed, import):\n')
  const words = restored.stderr.split('\n').filter((line) => !line.includes(again))
  expect(words.filter((line) => line.length > 79)).toEqual([])
  // Commands to copy: the folder is one word in them.
  expect(restored.stderr).toContain(`\n    sealwire cert list --data '${again}'\n`)
  expect(restored.stderr).toEndWith(`\nThen start this one: sealwire serve --data '${again}'\n`)
}, 60_000)
