// The program of the server, which tells on SIGUSR2 what it holds when its garbage is collected: a line `watched {…}` on its
// standard output. What memory the process has says little of what it keeps.

import { heapStats } from 'bun:jsc'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const mostMax = 12
const lateness = monitorEventLoopDelay({ resolution: 10 })
lateness.enable()

process.on('SIGUSR2', () => {
  const late = { p50: lateness.percentile(50) / 1e6, p99: lateness.percentile(99) / 1e6, max: lateness.max / 1e6 }
  Bun.gc(true)
  const { heapSize, objectCount, objectTypeCounts } = heapStats()
  const most = Object.entries(objectTypeCounts).toSorted(([, one], [, other]) => other - one)
  const told = { heapBytes: heapSize, objects: objectCount, most: Object.fromEntries(most.slice(0, mostMax)), late }
  process.stdout.write(`watched ${JSON.stringify(told)}\n`)
  // Collecting everything takes a while, which is not the server's.
  setTimeout(() => lateness.reset(), 0)
})

await import('../../src/cli/main.ts')
