import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commands } from '../../src/cli/program.ts'
import { resolveLimits } from '../../src/protocol/limits.ts'
import { metricTable } from '../../src/server/metrics/metric-table.ts'
import { metricsPage } from '../../tools/metrics-page.ts'
import { skipWithout } from '../support/store-contents.ts'

const folder = new URL('../../docs/', import.meta.url)
const page = readFileSync(new URL('operations.md', folder), 'utf8')

test('the table of metrics in docs/operations.md is what npm run pages writes', () => {
  expect(page).toBe(metricsPage(page))
})

test('the page names metrics that there are', () => {
  const names = Array.from(page.matchAll(/sealwire_[a-z_]+/g), ([name]) => name.replace(/_(bucket|sum|count)$/, ''))
  expect(names.length).toBeGreaterThan(60)
  for (const name of names.filter((each) => each !== 'sealwire_')) expect(Object.keys(metricTable)).toContain(name)
})

test('a metric says what it is: counters end with _total, names have their unit', () => {
  for (const [name, { type, help }] of Object.entries(metricTable)) {
    expect(name).toMatch(/^sealwire_[a-z_]+$/)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(help).toMatch(/^[A-Z0-9][^\n]*[^.]$/)
    if (/in seconds/.test(help)) expect(name).toMatch(/_seconds(_[a-z]+)*$/)
    if (/in bytes/.test(help)) expect(name).toMatch(/_bytes(_[a-z]+)*$/)
  }
})

test('what the page links to is there', () => {
  for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)(?:#[a-z-]+)?\)/g))
    expect([target, existsSync(new URL(target, folder))]).toEqual([target, true])
})

const units = Array.from(page.matchAll(/```ini\n# \/etc\/systemd\/system\/(\S+)\n(.*?)```/gs), ([, name = '', text = '']) => ({
  name,
  text,
}))

test('the units start what there is, with flags that it has, and leave a server the time that it needs', async () => {
  expect(units.map(({ name }) => name)).toEqual(['sealwire.service', 'sealwire-backup.service', 'sealwire-backup.timer'])
  const starts = units.flatMap(({ text }) => text.match(/(?<=^ExecStart=)\/usr\/bin\/node .*/m) ?? [])
  expect(starts).toHaveLength(2)
  for (const start of starts) {
    const [, program = '', name = '', ...words] = start.split(' ')
    expect(existsSync(new URL(`../${program.slice('/opt/sealwire/'.length)}`, folder))).toBe(true)
    const known = (await commands[name]?.load())?.command().options.map(({ long }) => long)
    for (const flag of words.filter((word) => word.startsWith('--'))) expect(known).toContain(flag)
  }
  const [, stopSeconds] = /^TimeoutStopSec=(\d+)s$/m.exec(page) ?? []
  expect(Number(stopSeconds) * 1000).toBeGreaterThan(resolveLimits().drainMsMax)
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
test.skipIf(skipWithout('systemd-analyze', hasSystemd, { skippable: true }))('systemd has nothing to say against the units', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'sealwire-units-'))
  const paths = units.map(({ name, text }) => {
    // Here Node may be elsewhere.
    writeFileSync(join(scratch, name), text.replaceAll('/usr/bin/node', process.execPath))
    return join(scratch, name)
  })
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], { encoding: 'utf8' })
  rmSync(scratch, { recursive: true })
  expect(`${stdout}${stderr}`.split('\n').filter((line) => line.includes('sealwire'))).toEqual([])
})
