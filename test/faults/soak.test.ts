// What a server holds does not grow, whatever happens for hours. The long form shows that the short one would find a leak.

import { describe, expect, test } from 'bun:test'
import { skipWithout } from '../support/store-contents.ts'
import { isWithoutCrowds } from './crowd.ts'
import { form, isLong } from './form.ts'
import { Mutant, type Mutation } from './mutant.ts'
import { soak } from './soak.ts'
import { watchedProgram } from './watch.ts'

const mib = 2 ** 20
const short = {
  ...{ idle: 500, active: 40, churn: 20, slow: 5 },
  ...{ seconds: 130, startSeconds: 60, everyMs: 2_000, reloadMs: 10_000, paceMs: 500 },
}
const long = {
  ...{ idle: 5_000, active: 200, churn: 20, slow: 52 },
  ...{ seconds: 3_600, startSeconds: 900, everyMs: 15_000, reloadMs: 60_000, paceMs: 1_000 },
}
const options = form(short, long)
/** In the short form chance looks like much in an hour: this is half a kilobyte of each connection. */
const slopeBytesMaxShort = 36 * mib
const slopeBytesMax = form(slopeBytesMaxShort, mib)
/** Half of it is 10 ms on a quiet machine; where others use the processors too, anything that is still a server. */
const lateMsMax = form(1_000, 250)

const keeps: Mutation = {
  file: 'server/admission.ts',
  from: `    entry.handshaking.add(evict)\n`,
  to: `    entry.handshaking.add(evict)\n    ;((globalThis as unknown as { kept: number[][] }).kept ??= []).push(new Array(128).fill(0.5))\n`,
}

describe.skipIf(isWithoutCrowds('openssl'))('a soak', () => {
  test(
    `of ${options.seconds} s leaves heap and descriptors as they were`,
    async () => {
      const soaked = await soak({ program: watchedProgram, ...options })
      console.log('soak:', JSON.stringify(soaked))
      expect(soaked.wrong).toEqual([])
      expect(soaked.slopeBytes).toBeLessThan(slopeBytesMax)
      const [before = 0, after = 0] = soaked.descriptors
      expect(Math.abs(after - before)).toBeLessThanOrEqual(5)
      expect(soaked.lateP99[0]).toBeLessThan(lateMsMax)
    },
    (options.seconds + 1_200) * 1_000,
  )

  test.skipIf(skipWithout('SEALWIRE_LONG=1', isLong, { skippable: true }))(
    'finds in its short form a server that keeps a kilobyte of every connection',
    async () => {
      using mutant = new Mutant([keeps])
      const { slopeBytes } = await soak({ program: mutant.with('test/faults/watched-server.ts'), ...short })
      console.log(`a kilobyte of every connection: ${(slopeBytes / mib).toFixed(1)} MiB an hour`)
      expect(slopeBytes).toBeGreaterThan(slopeBytesMaxShort)
    },
    (short.seconds + 1_200) * 1_000,
  )
})
