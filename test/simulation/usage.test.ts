// What the programs that people start with npm run say of flags they do not know.

import { expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'

const simulate = fileURLToPath(new URL('main.ts', import.meta.url))
const fuzz = fileURLToPath(new URL('../fuzz/program.ts', import.meta.url))

test.each([
  ['simulate', simulate],
  ['fuzz', fuzz],
])('%s tells its usage in one line', (name, program) => {
  const usage = new RegExp(`^usage: npm run ${name} -- .*\\n$`)
  const asked = run(program, '--help')
  expect([asked.exitCode, asked.stdout.toString(), asked.stderr.toString()]).toEqual([0, expect.stringMatching(usage), ''])
  const wrong = run(program, '--nope')
  expect([wrong.exitCode, wrong.stdout.toString(), wrong.stderr.toString()]).toEqual([2, '', expect.stringMatching(usage)])
})

function run(program: string, flag: string) {
  return Bun.spawnSync([process.execPath, program, flag])
}
