// What backup and restore say of files that are not there and of passphrases that are none, before they touch anything.

import { afterAll, expect, test } from 'bun:test'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerProcess } from '../../support/server-process.ts'
import { runCli } from '../cli-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-refusals-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const inFolder = (name: string): string => join(folder, name)
const [good, short, empty] = [inFolder('good'), inFolder('short'), inFolder('empty')]
writeFileSync(good, 'correct horse battery\n')
writeFileSync(short, 'ab\n')
writeFileSync(empty, '')
const none = inFolder('none.age')
const data = ['--data', inFolder('data')]

test.each([
  ['restore of no file', ['restore', none, '--passphrase-file', good, ...data], 3, `there is no file ${none}. `],
  ['verify of no file', ['backup', 'verify', none, '--passphrase-file', good], 3, `there is no file ${none}. `],
  ['no folder', ['backup', inFolder('no/x.age'), '--passphrase-file', good, ...data], 3, `there is no folder ${inFolder('no')} `],
  ['a short passphrase', ['backup', inFolder('x.age'), '--passphrase-file', short, ...data], 2, 'a passphrase has 12 to 128 characters. '],
  [
    'an empty file',
    ['backup', inFolder('x.age'), '--passphrase-file', empty, ...data],
    2,
    `--passphrase-file "${empty}" has no passphrase `,
  ],
])('%s', async (_what, args, code, words) => {
  const { exitCode, stdout, stderr } = await runCli(args)
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' })
  expect(stderr).toStartWith(`sealwire: ${words}`)
})

test('neither a backup nor a certificate takes the place of what is no file', async () => {
  const pipe = inFolder('pipe')
  spawnSync('mkfifo', [pipe])
  for (const args of [
    ['backup', pipe, '--force', '--passphrase-file', good, ...data],
    ['cert', 'issue', 'alice', '--csr', good, '--out', pipe, ...data],
  ]) {
    const { exitCode, stderr } = await runCli(args)
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`sealwire: ${pipe} is no file. `)])
  }
  expect(lstatSync(pipe).isFIFO()).toBe(true)
})

test('a backup is never written over its server, and nothing is that no server can be made of', async () => {
  await using server = await ServerProcess.start()
  const { data: own } = server
  const [elsewhere, link, whole, database] = ['elsewhere', 'link', 'whole', 'database'].map(inFolder) as [string, string, string, string]
  const backup = (file: string) => runCli(['backup', file, '--force', '--data', own, '--passphrase-file', good])
  symlinkSync(own, link)
  symlinkSync(join(own, 'ledger.key'), elsewhere)
  linkSync(join(own, 'sealwire.db'), database)
  const key = readFileSync(join(own, 'ledger.key'), 'utf8')
  const names = readdirSync(own)
  for (const file of [join(own, 'sealwire.db'), join(link, 'ledger.key'), join(own, 'files', '..', 'new.age'), elsewhere, database]) {
    const { exitCode, stderr } = await backup(file)
    expect([file, exitCode, stderr]).toEqual([file, 2, expect.stringContaining(' is in the data folder of the server')])
  }
  expect([readFileSync(join(own, 'ledger.key'), 'utf8'), readdirSync(own)]).toEqual([key, names])

  for (const name of ['ledger.key', 'server.key', 'ca.crt']) {
    renameSync(join(own, name), inFolder(name))
    const { exitCode, stderr } = await backup(whole)
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`${own}: ${name}. `)])
    renameSync(inFolder(name), join(own, name))
  }
  writeFileSync(join(own, 'ledger.key'), 'none', { mode: 0o600 })
  expect((await backup(whole)).stderr).toContain(`the key ${join(own, 'ledger.key')} cannot be read`)
  writeFileSync(join(own, 'ledger.key'), key)
  expect(readdirSync(folder).filter((name) => name.includes('whole'))).toEqual([])
  expect((await backup(whole)).exitCode).toBe(0)
}, 60_000)

test('two at once to one file: both end well', async () => {
  await using server = await ServerProcess.start()
  const at = inFolder('both')
  mkdirSync(at)
  const args = ['backup', join(at, 'x.age'), '--force', '--data', server.data, '--passphrase-file', good]
  writeFileSync(join(at, `.x.age.${'f'.repeat(16)}.tmp`), '')
  const ends = await Promise.all([runCli(args), runCli(args), runCli(args)])
  expect(ends.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ])
  expect(readdirSync(at)).toEqual(['x.age'])
}, 60_000)
