// npm run fuzz -- [TARGET …] [--inputs N] [--seed S] [--keep]: runs targets longer, or with other seeds than the tests do. With --keep
// an input for each way that was found, made small, takes the place of what was kept.

import { readFlags, wrongUsage } from '../support/program-flags.ts'
import { keepShapes, keptInputs } from './corpus.ts'
import { FoundError } from './found-error.ts'
import { fuzz, type FuzzReport } from './fuzz.ts'
import { minimize } from './minimize.ts'
import { summary } from './summary.ts'
import type { FuzzTarget } from './target.ts'
import { targets } from './targets.ts'

/** Longer shapes are not kept. */
const shapeBytesMax = 400
/** Of all shapes of a target: in hexadecimal, and with what they are, they take five times as much. */
const corpusBytesMax = 6_000

const all = targets.map(({ make }) => make())
const usage = `npm run fuzz -- [${all.map(({ name }) => name).join('|')}] [--inputs N] [--seed S] [--keep]`
const { values, positionals } = readFlags(usage, {
  allowPositionals: true,
  options: { inputs: { type: 'string', default: '10000000' }, seed: { type: 'string' }, keep: { type: 'boolean', default: false } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
const unknown = positionals.find((name) => all.every((target) => target.name !== name))
if (unknown !== undefined || !/^\d+$/.test(values.inputs) || !Number.isSafeInteger(seed)) wrongUsage(usage)
for (const target of all) {
  if (positionals.length === 0 || positionals.includes(target.name)) await run(target)
}

async function run(target: FuzzTarget): Promise<void> {
  try {
    const report = await fuzz(target, { inputs: Number(values.inputs), seed, kept: keptInputs(target.name) })
    console.log(summary(report, target))
    if (values.keep) await keep(target, report)
  } catch (reason) {
    if (!(reason instanceof FoundError)) throw reason
    console.error(reason)
    process.exitCode = 1
  }
}

/** One input for each way, first for those on which something was accepted; none that is long, and no more than there is room for. */
async function keep(target: FuzzTarget, { ways }: FuzzReport): Promise<void> {
  const shapes = new Map<string, Uint8Array>()
  let bytes = 0
  for (const [way, input] of [...ways].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const small = await minimize(target, input, way)
    if (small.length > shapeBytesMax || bytes + small.length > corpusBytesMax) continue
    bytes += small.length
    shapes.set(way.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 160), small)
  }
  target.end?.()
  keepShapes(target.name, shapes)
  console.log(`${target.name}: ${shapes.size} inputs are kept`)
}
