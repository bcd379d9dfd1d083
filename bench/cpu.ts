// CPU time as /proc tells it: of a process with all that it has started, and of each thread of one.

import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks a second in /proc, on every Linux there is. */
const ticksPerSecond = 100

/**
 * User and system time, in seconds, of these processes; by default of the one with this number and of all that have it as their
 * group: a server that was started `detached`, with its helpers. What a process has used that is gone is not counted.
 */
export function cpuSeconds(pid: number, members: readonly number[] = groupOf(pid)): number {
  const ticks = members.map((member) => {
    const fields = statOf(`/proc/${member}/stat`)
    return (fields[userField] ?? 0) + (fields[systemField] ?? 0)
  })
  return ticks.reduce((sum, each) => sum + each, 0) / ticksPerSecond
}

/** The process with this number, and all that have it as their group. */
export function groupOf(pid: number): readonly number[] {
  const all = readdirSync('/proc').map(Number)
  return all.filter((each) => each === pid || (each > 0 && statOf(`/proc/${each}/stat`)[groupField] === pid))
}

/** The same of each thread of one process, by the name and number of the thread. */
export function threadSeconds(pid: number): ReadonlyMap<string, number> {
  const folder = `/proc/${pid}/task`
  return new Map(
    readdirSync(folder).map((id) => {
      const fields = statOf(`${folder}/${id}/stat`)
      const name = readFileSync(`${folder}/${id}/comm`, 'utf8').trim()
      return [`${name} ${id}`, ((fields[userField] ?? 0) + (fields[systemField] ?? 0)) / ticksPerSecond]
    }),
  )
}

/** Resident memory of one process, in bytes. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)?.[1]) * 1024
}

/** What stands behind the name of a process, which may hold anything; nothing for one that has just ended. */
function statOf(path: string): readonly number[] {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number)
  } catch {
    return []
  }
}

/** Counted from the state, which is the first behind the name. */
const groupField = 2
const userField = 11
const systemField = 12
