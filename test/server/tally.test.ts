import { expect, test } from 'bun:test'
import { type LogFields, silentLog } from '../../src/server/log.ts'
import { Tally } from '../../src/server/tally.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('Tally makes one line a second of a thousand events, and none of silence', async () => {
  const lines: [string, LogFields | undefined][] = []
  const clock = new ManualClock()
  const tally = new Tally(clock, { ...silentLog, warning: (event, fields) => lines.push([event, fields]) })
  for (let i = 0; i < 1000; i++) tally.count('connections refused', i % 4 === 0 ? 'address' : 'unauthenticated')
  await clock.move(5000)
  expect(lines).toEqual([['connections refused', { address: 250, unauthenticated: 750 }]])
  tally.count('handshakes failed', 'timeout')
  tally[Symbol.dispose]()
  expect(lines.at(-1)).toEqual(['handshakes failed', { timeout: 1 }])
  expect([tally.totals('connections refused').of('address'), tally.totals('handshakes failed').of('timeout')]).toEqual([250, 1])
})
