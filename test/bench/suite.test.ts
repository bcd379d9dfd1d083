import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare, grouped, median, type Plan, ratioOf } from '../../bench/suite/plan.ts'
import { tableText, writePage } from '../../bench/suite/report.ts'

const told: string[] = []
const plan: Plan = { seconds: 1, runs: 3, folder: '', native: undefined, tell: (line) => void told.push(line), missing() {} }

/** Gives these rates, one a run, and notes whose turn it was. */
function subject(name: string, rates: readonly number[], turns: string[]) {
  const left = [...rates]
  const measure = async (cell: string) => {
    turns.push(`${name} ${cell}`)
    return { rate: left.shift() ?? 0, p99Ms: 2 }
  }
  return { name, measure }
}

describe('compare', () => {
  test('lets everybody have a turn in each run, and takes the median of the ratios within a run', async () => {
    const turns: string[] = []
    const subjects = [subject('ours', [100, 50, 80], turns), subject('theirs', [50, 50, 160], turns)]
    const row = await compare(plan, { what: 'relay', cell: '1x1', goal: '≥ 1' }, subjects)
    expect(turns).toEqual(['ours 1x1', 'theirs 1x1', 'ours 1x1', 'theirs 1x1', 'ours 1x1', 'theirs 1x1'])
    expect(row).toEqual({
      what: 'relay',
      value: '80/CPU s',
      p99Ms: 2,
      ratios: [{ to: 'theirs', ratio: 1, spread: [0.5, 2] }],
      goal: '≥ 1',
    })
    expect(told).toHaveLength(6)
  })
})

describe('figures', () => {
  test('have three digits that mean something', () => {
    expect([7, 1234, 98_765, 1_234_567].map(grouped)).toEqual(['7', '1,230', '98,800', '1,230,000'])
  })

  test('are medians', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(ratioOf([2, 9, 4], [1, 3, 4])).toEqual({ ratio: 2, spread: [1, 3] })
  })
})

describe('writePage', () => {
  const report = {
    machine: ['2 cores'],
    rates: ['many'],
    notes: ['Not beside NATS: nats-server is not installed.'],
    rows: [
      {
        what: 'relay',
        value: '80/CPU s',
        p99Ms: 2,
        ratios: [{ to: 'NATS', ratio: 1.25, spread: [1, 1.5] as const }],
        goal: '≥ 1.1 × NATS',
      },
    ],
  }
  const row = 'relay | 80/CPU s, p99 2.0 ms | 1.25 (1.00–1.50) × NATS | ≥ 1.1 × NATS'

  test('replaces what stands between the markers, and nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealwire-page-'))
    try {
      const path = join(folder, 'RESULTS.md')
      writeFileSync(path, 'before\n<!-- written by npm run bench -->\nold\n<!-- end of what npm run bench writes -->\nafter\n')
      writePage(path, report)
      writePage(path, report)
      const page = readFileSync(path, 'utf8')
      expect(page).toStartWith('before\n<!-- written by npm run bench -->\n')
      expect(page).toEndWith('<!-- end of what npm run bench writes -->\nafter\n')
      expect(page).not.toContain('old')
      expect(page.split(`| ${row} |`)).toHaveLength(2)
      expect(page).toContain('- Not beside NATS: nats-server is not installed.\n')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('finds its markers in bench/RESULTS.md', () => {
    const page = readFileSync(new URL('../../bench/RESULTS.md', import.meta.url), 'utf8')
    expect(page.indexOf('<!-- written by npm run bench -->')).toBeGreaterThan(0)
    expect(page.indexOf('<!-- end of what npm run bench writes -->')).toBeGreaterThan(page.indexOf('<!-- written by npm run bench -->'))
  })

  test('says the same on a terminal', () => {
    expect(tableText(report)).toContain(row.replaceAll(' | ', '  '))
  })
})

describe('npm run bench', () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../bench/run.ts'), ...args], { encoding: 'utf8' })

  test('measures a part of it, with nothing but the repository', () => {
    const { status, stdout, stderr } = run('--only', 'handshake', '--seconds', '0.5', '--runs', '1', '--json')
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('a part is not written') })
    const { rows } = JSON.parse(stdout) as { rows: readonly { what: string; value: string }[] }
    expect(rows).toHaveLength(1)
    expect(rows[0]?.value).toMatch(/^[1-9][\d,]*\/CPU s$/)
  })

  test.each(['--only=everything', '--runs=0', '--seconds=0', '--fast'])('refuses %s', (argument) => {
    const { status, stderr } = run(argument)
    expect(status).toBe(1)
    expect(stderr).toStartWith('usage: npm run bench')
  })
})
