// What the metrics of the process are: read from the system when somebody asks.

import { readdir } from 'node:fs/promises'
import type { Machine } from '../admission.ts'
import type { Readings } from './readings.ts'

/** Of the process, the event loop aside. */
export async function processReadings(version: string, machine: Machine) {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const uptime = process.uptime()
  return {
    sealwire_build_info: [[[version, runtime], 1] as const],
    sealwire_uptime_seconds: uptime,
    sealwire_process_cpu_seconds_total: (user + system) / 1_000_000,
    sealwire_process_resident_bytes: rss,
    sealwire_process_heap_bytes: heapUsed,
    sealwire_process_open_descriptors: await openDescriptors(),
    sealwire_process_descriptors_max: machine.descriptorsMax(),
  } satisfies Partial<Readings>
}

/** `undefined` where there is no /proc. */
async function openDescriptors(): Promise<number | undefined> {
  return readdir('/proc/self/fd').then(
    ({ length }) => length,
    () => undefined,
  )
}

const runtime = process.versions['bun'] === undefined ? `node ${process.versions.node}` : `bun ${process.versions['bun']}`
