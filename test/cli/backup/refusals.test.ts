// What backup and restore say of files that are not there and of passphrases that are none, before they touch anything.

import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../cli-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-refusals-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const inFolder = (name: string): string => join(folder, name)
const [good, short, empty] = [inFolder('good'), inFolder('short'), inFolder('empty')]
writeFileSync(good, 'correct horse battery\n')
writeFileSync(short, 'ab\n')
writeFileSync(empty, '')
const none = inFolder('none.age')
const data = ['--data', folder]

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
