// What `npm run bench` tells: a table on the terminal, the same in bench/RESULTS.md, or JSON.

import { readFileSync, writeFileSync } from 'node:fs'
import type { Row } from './plan.ts'

export interface Report {
  readonly machine: readonly string[]
  /** What the machine computed at the start and at the end. */
  readonly rates: readonly string[]
  /** What was measured how: a line each, the peers that are missing among them. */
  readonly notes: readonly string[]
  readonly rows: readonly Row[]
}

/** For a terminal. */
export function tableText({ rows, notes, machine, rates }: Report): string {
  const cells = rows.map(cellsOf)
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((each) => each[column]?.length ?? 0)))
  const lines = cells.map((each) =>
    each
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...machine, ...rates, '', ...lines, '', ...notes].join('\n')
}

/** Puts the table between the markers of a page; what stands around them stays. */
export function writePage(path: string, { rows, notes, machine, rates }: Report): void {
  const page = readFileSync(path, 'utf8')
  const [start, end] = [page.indexOf(startMarker), page.indexOf(endMarker)]
  if (start < 0 || end < start) throw new TypeError(`${path} has lost its markers`)
  const lines = rows.map((row) => `| ${cellsOf(row).join(' | ')} |`)
  const table = ['| what | Sealwire | beside | goal |', '|---|---|---|---|', ...lines]
  const told = [...machine, ...rates, ...notes].map((each) => `- ${each}`)
  const generated = [startMarker, '', ...told, '', ...table, '', ''].join('\n')
  writeFileSync(path, page.slice(0, start) + generated + page.slice(end))
}

function cellsOf({ what, value, p99Ms, ratios, goal }: Row): readonly string[] {
  const beside = ratios.map(({ to, ratio, spread: [least, most] }) => {
    const spread = least === most ? '' : ` (${least.toFixed(2)}–${most.toFixed(2)})`
    return `${ratio.toFixed(2)}${spread} × ${to}`
  })
  return [what, p99Ms === undefined ? value : `${value}, p99 ${p99Ms.toFixed(1)} ms`, beside.join('; ') || '–', goal]
}

const startMarker = '<!-- written by npm run bench -->'
const endMarker = '<!-- end of what npm run bench writes -->'
