// A million inputs for each target, after those that were kept, by the program that `npm run fuzz` runs with more of them.
// SEALWIRE_SEED=n plays another run; the same seed is the same run, as long as targets and corpus are.

import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { Turns } from '../../src/server/turns.ts'
import { form } from '../faults/form.ts'
import { brokenTargets } from './broken.ts'
import { Chance } from './chance.ts'
import { keptInputs } from './corpus.ts'
import { FoundError } from './found-error.ts'
import { fuzz } from './fuzz.ts'
import { mutate } from './mutator.ts'
import type { FuzzTarget } from './target.ts'
import { targets } from './targets.ts'

const seed = Number(process.env['SEALWIRE_SEED'] ?? 1)
/** Fewer than a million: for who wants to know only whether a bug is found, see test/bugs. */
const inputsMax = Number(process.env['SEALWIRE_INPUTS'] ?? Number.POSITIVE_INFINITY)
const timeoutMs = 3_600_000
/** As many at once as there are processors in the smallest machine that this is for. */
const turns = new Turns({ width: 2, waitingMax: 100 })

describe('npm run fuzz', () => {
  for (const { make, inputs } of targets) {
    const { name } = make()
    test.concurrent(
      `feeds ${name}, and finds nothing`,
      async () => {
        const { code, out } = await turns.run(() => fuzzed(name, Math.min(inputs * form(1, 10), inputsMax)))
        console.log(out.trim())
        expect(code).toBe(0)
        const [, share = ''] = / inputs, ([\d.]+) % accepted/.exec(out) ?? []
        // A run that takes everything, or nothing, says nothing.
        expect(Number(share)).toBeGreaterThan(3)
        expect(Number(share)).toBeLessThan(70)
      },
      timeoutMs,
    )
  }

  test('says what it takes', async () => {
    expect(await fuzzed('nonsense', 1)).toMatchObject({ code: 2, out: expect.stringContaining('usage: npm run fuzz -- [frames|') })
  })
})

describe('fuzz', () => {
  for (const { what, target, found } of brokenTargets()) {
    test(
      `finds ${what}`,
      async () => {
        const error = await foundBy(fuzz(target, { inputs: 400_000, seed }))
        expect(error?.message).toMatch(found)
        // The input alone brings it again, and the message has it.
        expect(error?.message).toContain(
          Buffer.from(error?.input ?? [])
            .toString('hex')
            .slice(0, 2_000),
        )
        expect(await throws(target, error?.input)).toBe(true)
      },
      timeoutMs,
    )
  }

  test('is the same for the same seed, and another for another', async () => {
    const runs = await Promise.all([7, 7, 8].map((each) => fuzz(fastTarget(), { inputs: 2_000, seed: each })))
    const [one, same, other] = runs.map(({ ways }) => [...ways.values()].map((input) => Buffer.from(input).toString('hex')))
    expect(one).toEqual(same ?? [])
    expect(one).not.toEqual(other ?? [])
  })

  test(
    'keeps an input that takes long for a finding',
    async () => {
      const slow: FuzzTarget = { ...fastTarget(), run: (input) => (input.length === 1 ? busy() : '-short') }
      expect((await foundBy(fuzz(slow, { inputs: 2_000, seed: 1, slowMs: 20 })))?.message).toContain('takes')
    },
    timeoutMs,
  )

  test('feeds what was kept first', async () => {
    const poison = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const target: FuzzTarget = { ...fastTarget(), run: (input) => (Buffer.compare(input, poison) === 0 ? fail() : '-fine') }
    expect((await foundBy(fuzz(target, { inputs: 1, seed: 1, kept: [poison] })))?.message).toContain('input 0')
    await expect(fuzz(target, { inputs: 100, seed: 1 })).resolves.toMatchObject({ accepted: 0, inputs: 100 })
  })
})

describe('mutate', () => {
  test('nearly always brings something else, of every length up to the longest', () => {
    const chance = new Chance(1)
    const input = chance.bytes(40)
    const all = Array.from({ length: 4_000 }, () => mutate(chance, input, { words: [Uint8Array.of(1, 2)], inputs: [input], bytesMax: 64 }))
    expect(all.filter((each) => Buffer.compare(each, input) === 0).length).toBeLessThan(600)
    expect(new Set(all.map(({ length }) => length)).size).toBeGreaterThan(50)
    expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(64)
  })

  test('leaves what it is given as it was', () => {
    const chance = new Chance(2)
    const input = Uint8Array.from({ length: 20 }, (_, at) => at)
    for (let times = 0; times < 2_000; times++) mutate(chance, input, { words: [input], inputs: [input], bytesMax: 1_000 })
    expect([...input]).toEqual(Array.from({ length: 20 }, (_, at) => at))
  })
})

describe('corpus', () => {
  test('has something for every target, and nothing for others, in at most 200 KB', () => {
    const folder = new URL('corpus/', import.meta.url)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.hex'))
    const bytes = files.reduce((sum, file) => sum + readFileSync(new URL(file, folder)).length, 0)
    expect(bytes).toBeLessThan(200_000)
    expect(readdirSync(folder).toSorted()).toEqual(targets.map(({ make }) => make().name).toSorted())
    for (const { make } of targets) expect(keptInputs(make().name).length).toBeGreaterThan(0)
  })
})

/** The program, as people run it: what nobody caught would end it. */
async function fuzzed(name: string, inputs: number): Promise<{ readonly code: number | null; readonly out: string }> {
  const program = new URL('program.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [program, name, '--inputs', String(inputs), '--seed', String(seed)])
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (out += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out }
}

/** What a run finds, without the file that it leaves. */
async function foundBy(running: Promise<unknown>): Promise<FoundError | undefined> {
  try {
    await running
    return undefined
  } catch (reason) {
    if (!(reason instanceof FoundError)) throw reason
    rmSync(reason.folder, { recursive: true })
    return reason
  }
}

async function throws(target: FuzzTarget, input: Uint8Array | undefined): Promise<boolean> {
  try {
    await target.run(input?.slice() ?? new Uint8Array(0))
    return false
  } catch {
    return true
  } finally {
    target.end?.()
  }
}

/** Takes what begins with an even byte. */
function fastTarget(): FuzzTarget {
  return {
    name: 'fast',
    words: [Uint8Array.of(1)],
    bytesMax: 100,
    generate: (chance) => chance.bytes(chance.below(10)),
    run: (input) => ((input[0] ?? 1) % 2 === 0 ? `+${input[0] ?? 0}` : '-odd'),
  }
}

function busy(): '-slow' {
  const until = process.cpuUsage().user + 60_000
  while (process.cpuUsage().user < until);
  return '-slow'
}

function fail(): never {
  throw new Error('as it should')
}
