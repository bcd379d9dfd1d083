// What sessions cost, what those leave behind who come and go, and what floods of handshakes do to those who are there. Memory and
// processor time are those of a real server; who makes the load is a process of its own.

import { describe, expect, test } from 'bun:test'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'
import { Crowd, isWithoutCrowds } from './crowd.ts'
import { form, isLong } from './form.ts'
import { unexplained } from './server-log.ts'
import { type Look, Watch, watchedProgram } from './watch.ts'

const mib = 2 ** 20
const crowdMsMax = 600_000
const [idle, warm, connects] = [form(500, 10_000), form(500, 5_000), form(5_000, 100_000)]

describe.skipIf(isWithoutCrowds())('sessions', () => {
  test(
    `${idle} that are logged in and say nothing cost at most 20 KB each`,
    async () => {
      await using server = await ServerProcess.start({ program: watchedProgram })
      const watch = new Watch(server)
      const base = await watch.settled(mib / 4)
      await using crowd = crowdAt(server, 'idle_sessions.py', ['--count', String(idle)])
      const [first, between, second] = [await at(`crowd ${idle}`), await at('empty'), await at(`crowd ${idle}`)]
      const [each, heapEach] = [(first.residentBytes - base.residentBytes) / idle, (first.heapBytes - base.heapBytes) / idle]
      const figures = [base, first, between, second].map(({ residentBytes, heapBytes }) => [residentBytes, heapBytes].map(inMiB))
      console.log(`idle sessions: ${each.toFixed(0)} bytes each, ${heapEach.toFixed(0)} in the heap;`, JSON.stringify(figures))
      // A few megabytes are there once, whoever comes: code that is compiled, statements that are prepared.
      expect(first.residentBytes - base.residentBytes).toBeLessThan(idle * 20_000 + form(24, 0) * mib)
      expect(second.residentBytes).toBeLessThan(first.residentBytes * 1.05 + form(8, 0) * mib)
      expect(first.descriptors - base.descriptors).toBe(idle)
      expect(unexplained(server, new Set())).toEqual([])

      async function at(line: string): Promise<Look> {
        await crowd.expect(line, crowdMsMax)
        const look = await watch.settled(mib / 4)
        crowd.goOn()
        return look
      }
    },
    3 * crowdMsMax,
  )

  test(
    `${connects} that come and go, some of them cut anywhere, leave heap and descriptors where they were`,
    async () => {
      await using server = await ServerProcess.start({ program: watchedProgram })
      await using crowd = crowdAt(server, 'connects.py', ['--warm', String(warm), '--count', String(connects)])
      const watch = new Watch(server)
      await crowd.expect(`rested ${warm}`, crowdMsMax)
      const base = await watch.settled(mib / 4)
      crowd.goOn()
      const seen = await crowd.line(3 * crowdMsMax)
      const after = await watch.settled(mib / 4)
      const figures = [base, after].map(({ residentBytes, heapBytes, descriptors }) => [
        ...[residentBytes, heapBytes].map(inMiB),
        descriptors,
      ])
      console.log('connects:', seen, JSON.stringify(figures))
      expect(Math.abs(after.descriptors - base.descriptors)).toBeLessThanOrEqual(5)
      expect(after.heapBytes - base.heapBytes).toBeLessThan(mib)
      expect(unexplained(server, new Set(['handshakes failed']))).toEqual([])
    },
    4 * crowdMsMax,
  )

  flood('one address', 1, {})
  flood('200 addresses', 200, {
    connectionsUnauthenticatedMax: liftedRates.connectionsUnauthenticatedMax,
    connectionsUnauthenticatedPerAddressMax: liftedRates.connectionsUnauthenticatedPerAddressMax,
    connectionsPerSecondPerAddressMax: liftedRates.connectionsPerSecondPerAddressMax,
    connectionsBurstPerAddressMax: liftedRates.connectionsBurstPerAddressMax,
  })
})

/** 50 ms at p99 is what a machine with a processor for the flood gives; three processes share two here, and whatever else runs. */
function flood(who: string, addresses: number, limits: ServerProcessOptions['limits'] & {}): void {
  test(
    `who are there are answered while ${who} ask for 3,000 handshakes a second`,
    async () => {
      await using server = await ServerProcess.start({ limits })
      const [seconds, rounds] = form(['2', '1'], ['10', '3'])
      await using crowd = crowdAt(server, 'flooded_sessions.py', [
        '--addresses',
        String(addresses),
        '--seconds',
        seconds,
        '--rounds',
        rounds,
      ])
      const said = await crowd.line(crowdMsMax)
      console.log(`flood by ${who}: ${said}`)
      const { p99, handshakes } = JSON.parse(said) as { p99: number; handshakes: number }
      expect(handshakes).toBeGreaterThan(0)
      expect(p99).toBeLessThan(isLong ? 250 : 1_000)
      expect(server.isRunning).toBe(true)
    },
    crowdMsMax,
  )
}

function crowdAt(server: ServerProcess, script: string, args: readonly string[]): Crowd {
  return new Crowd(script, [...args, `127.0.0.1:${server.port}:${server.authority}`])
}

function inMiB(bytes: number): number {
  return Math.round((bytes / mib) * 100) / 100
}
