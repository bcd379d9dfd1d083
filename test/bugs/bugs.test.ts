// Every bug of the list is caught by the test that stands beside it, which passes without it. Both are run in a copy of the
// repository of their own: first as it is, then with the bug. With `-t` and the beginning of a name it is that bug alone.

import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Turns } from '../../src/server/turns.ts'
import { Mutant } from '../faults/mutant.ts'
import { type Bug, bugs } from './bugs.ts'
import { type NamedTest, type Ran, runTest } from './suite-run.ts'

/** What tests need beside the sources. */
const beside = ['test', 'tools', 'vectors', 'bin', 'bunfig.toml', 'tsconfig.json']
/** As many at once as CI has cores. */
const lanes = new Turns({ width: 2, waitingMax: bugs.length })
const sound = new Map<string, Promise<Ran>>()
const caught: string[] = []

describe('a test finds that', () => {
  for (const bug of bugs) test.concurrent(bug.name, () => lanes.run(() => mustBeCaught(bug)), 600_000)
})

test('docs/testing.md has a row for each, and no other', () => {
  const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('\n## Seeded bugs\n')
  const [, rows = ''] = (section.split('\n## ')[0] ?? '').split('\n| --- | --- |\n')
  expect(rows.split('\n\n')[0]?.trim().split('\n')).toEqual(bugs.map(({ name, caughtBy }) => `| ${name} | ${rowOf(caughtBy)} |`))
})

afterAll(() => console.log(`${caught.length} of ${bugs.length} bugs were caught\n${caught.join('\n')}`))

async function mustBeCaught({ name, changes, caughtBy }: Bug): Promise<void> {
  using copy = new Mutant([], beside)
  const before = await runSound(copy.path, caughtBy)
  // Something is missing on this machine; in CI such a test fails instead.
  if (before.ending === 'skipped') return console.warn(`SKIPPED: ${caughtBy.file} is skipped here`)
  mustEnd('passed', before)
  copy.change(changes)
  const ran = await runTest(copy.path, caughtBy)
  mustEnd('failed', ran)
  caught.push(`- ${name}\n    ${rowOf(caughtBy)}\n    ${ran.why}`)
}

/** Runs the test where nothing is wrong yet: once, however many bugs it catches. */
function runSound(path: string, named: NamedTest): Promise<Ran> {
  const key = rowOf(named)
  const ran = sound.get(key) ?? runTest(path, named)
  sound.set(key, ran)
  return ran
}

function mustEnd(expected: 'passed' | 'failed', { ending, output }: Ran): void {
  if (ending !== expected) console.log(output)
  expect(ending).toBe(expected)
}

/** As the page has it. */
function rowOf({ file, test: name }: NamedTest): string {
  return `\`${file}\`: ${name}`
}
