// `npm run bench`: measures what Sealwire does per second of CPU, in turn with the peers that are installed, and writes the table of
// bench/RESULTS.md. What is not installed is named, and nothing is needed beside the repository.
//
//   npm run bench [-- --only TOPIC,… --seconds N --runs K --json]
//
// A part of it (`--only`) is shown and not written. The load comes from processes of their own on the same machine: from ../shared/bench,
// in C++, where that is beside the checkout and can be built, else in TypeScript, and then figures are a floor, because the load takes
// as much of the machine as the server.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail } from './load.ts'
import { memory, sealed, startUp } from './suite/alone.ts'
import { durable } from './suite/durable.ts'
import { echo, handshake } from './suite/echo.ts'
import { buildNative } from './suite/generator.ts'
import { machine, rates } from './suite/machine.ts'
import { payment } from './suite/payment.ts'
import type { Plan, Row } from './suite/plan.ts'
import { relay } from './suite/relay.ts'
import { type Report, tableText, writePage } from './suite/report.ts'

const topics: Readonly<Record<string, (plan: Plan) => Promise<readonly Row[]>>> = {
  relay,
  echo,
  handshake,
  durable,
  payment,
  sealed,
  memory,
  start: startUp,
}

const page = join(import.meta.dirname, 'RESULTS.md')
const usage = `usage: npm run bench [-- --only ${Object.keys(topics).join(',')} --seconds N --runs K --json]`
const { only, seconds, runs, json } = readArguments()
if (process.platform !== 'linux') fail('CPU time is read from /proc: this measures on Linux only')
const startedAt = performance.now()
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
const notes = new Set<string>()
try {
  const report = await measured()
  const isWhole = only.length === Object.keys(topics).length
  if (isWhole) writePage(page, report)
  console.log(json ? JSON.stringify(report) : `\n${tableText(report)}`)
  tell(isWhole ? 'bench/RESULTS.md is written' : 'a part is not written to bench/RESULTS.md')
} finally {
  rmSync(folder, { recursive: true })
}

async function measured(): Promise<Report> {
  const built = buildNative()
  const native = 'folder' in built ? built.folder : undefined
  if ('why' in built)
    notes.add(
      `The load of relay and echo is in TypeScript (${built.why}): its figures are a floor, and a peer whose load is dearer looks worse.`,
    )
  notes.add(`Medians of ${runs} runs of ${seconds} s, everybody in turn within a run; in brackets the least and the most of a run.`)
  const missing = (peer: string, why: string): void => void notes.add(`Not beside ${peer}: ${why}.`)
  const plan: Plan = { seconds, runs, folder, native, tell, missing }
  const about = machine()
  const before = rates()
  const rows: Row[] = []
  for (const topic of only) rows.push(...((await topics[topic]?.(plan)) ?? []))
  return { machine: about, rates: [`At the start: ${before}.`, `At the end: ${rates()}.`], notes: [...notes], rows }
}

function readArguments(): { only: readonly string[]; seconds: number; runs: number; json: boolean } {
  const options = { only: { type: 'string' }, seconds: { type: 'string' }, runs: { type: 'string' }, json: { type: 'boolean' } } as const
  try {
    const { values } = parseArgs({ options })
    const chosen = values.only?.split(',') ?? Object.keys(topics)
    const [secondsEach, runsEach] = [Number(values.seconds ?? 1.5), Number(values.runs ?? 3)]
    const isSound = secondsEach >= 0.5 && Number.isInteger(runsEach) && runsEach >= 1 && chosen.every((topic) => topic in topics)
    if (isSound) return { only: chosen, seconds: secondsEach, runs: runsEach, json: values.json === true }
  } catch {
    // Told as whatever else is not understood.
  }
  return fail(usage)
}

function tell(line: string): void {
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`)
}
