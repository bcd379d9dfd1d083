// The time of day jumps while two people talk and pay, for them and for the server: an hour back, a year forward, an hour back. What
// they say and pay is said and paid once; the server shows a certificate that holds, lets others in, and its books are good.

import { describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { ServerProcess } from '../support/server-process.ts'
import { skipWithout } from '../support/store-contents.ts'
import { form } from './form.ts'
import { MovedClock, mayMoveClock } from './moved-clock.ts'
import { Pair } from './pair.ts'
import { logOf, unexplained } from './server-log.ts'
import { until } from './until.ts'

const [hour, day] = [3_600, 86_400]
const year = 365 * day
const [each, msMax] = [form(6, 100), 300_000]

describe.skipIf(skipWithout('g++', mayMoveClock()))('a clock that jumps', () => {
  test(
    'an hour back and a year forward loses and doubles nothing, and keeps nobody out',
    async () => {
      // What it has made was made yesterday.
      using clock = new MovedClock(-day)
      await using server = await ServerProcess.start({ runtime: clock.runtime() })
      clock.set(0)
      expect(Math.abs(clock.told() - Date.now())).toBeLessThan(60_000)
      const place = { server: { host: '127.0.0.1', port: server.port }, prefix: clock.prefix }
      const options = { data: server.data, pin: server.fingerprint, places: [place, place], paceMs: 20 } as const
      await using pair = await Pair.start(options)
      await pair.get(each, msMax)
      for (const moved of [-hour, year, year - hour, year]) {
        clock.set(moved)
        await pair.get(each, msMax)
      }
      expect(clock.told() - Date.now()).toBeGreaterThan((year - hour) * 1_000)
      await until('the certificate is renewed', msMax, () => logOf(server).some(({ event }) => event === 'certificate reloaded'))
      await using later = await Pair.start({ ...options, names: ['third', 'fourth'] })
      await later.get(each, msMax)
      const figures = [await pair.finish(msMax), await later.finish(msMax)]
      console.log('clock:', JSON.stringify(figures.map(({ said }) => said)))
      expect(figures.map(({ wrong }) => wrong)).toEqual([[], []])
      expect(unexplained(server, new Set())).toEqual([])
      await server.stop()
      expect(clock.run(cli, 'ledger', 'verify', '--data', server.data)).toMatch(/^good: /)
    },
    8 * msMax,
  )
})

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
