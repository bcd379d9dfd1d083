// `npm run simulate -- --seeds N --from S [--verbose] [--stop]`: worlds of N seeds, the first of them S; with --stop until one fails.
// --verbose tells the hash of each, and of one that fails what happened last.

import { createHash } from 'node:crypto'
import { readFlags, wrongUsage } from '../support/program-flags.ts'
import { type Outcome, simulate } from './world.ts'

const usage = 'npm run simulate -- [--seeds N] [--from S] [--verbose] [--stop]'
const { values } = readFlags(usage, {
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
  },
})
if (![values.seeds, values.from].every((text) => /^\d{1,15}$/.test(text))) wrongUsage(usage)
process.exitCode = (await worlds(Number(values.from), Number(values.seeds))) === 0 ? 0 : 1

/** Answers how many failed. */
async function worlds(from: number, count: number): Promise<number> {
  const [began, all] = [performance.now(), createHash('sha256')]
  let [run, steps, failures] = [0, 0, 0]
  for (let seed = from; seed < from + count && !(values.stop && failures > 0); seed++) {
    const outcome = await simulate(seed)
    all.update(outcome.hash)
    run++
    steps += outcome.steps
    if (outcome.failure !== undefined) failures++
    report(outcome)
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  const { user, system } = process.cpuUsage()
  const ofProcessor = ((user + system) / 1_000_000).toFixed(1)
  console.log(
    `${run} seeds from ${from}: ${failures} failed, ${steps} steps in ${seconds} s (${ofProcessor} s of CPU), hash ${all.digest('hex')}`,
  )
  return failures
}

function report({ seed, steps, deeds, failure, hash, lines }: Outcome): void {
  if (failure === undefined) {
    if (values.verbose) console.log(`seed ${seed}: ${steps} steps, ${deeds} deeds, hash ${hash}`)
    return
  }
  if (values.verbose) process.stdout.write(lines.join(''))
  console.log(`seed ${seed} failed at step ${steps}: ${failure}`)
  console.log(`  hash ${hash}; again: npm run simulate -- --seeds 1 --from ${seed} --verbose`)
}
