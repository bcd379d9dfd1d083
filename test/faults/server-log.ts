// What a server has logged, line by line.

import type { ServerProcess } from '../support/server-process.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warning' | 'error'
  readonly event: string
  readonly [field: string]: unknown
}

export function logOf({ stderr }: Pick<ServerProcess, 'stderr'>): readonly LogLine[] {
  const lines = stderr.split('\n').slice(0, -1)
  return lines.map((line): LogLine => (line.startsWith('{') ? JSON.parse(line) : { level: 'error', event: line }))
}

/** The lines that say that something is wrong, but for the events that are `expected`; some of each. */
export function unexplained(server: Pick<ServerProcess, 'stderr'>, expected: ReadonlySet<string>): readonly string[] {
  const bad = logOf(server).filter(({ level, event }) => (level === 'warning' || level === 'error') && !expected.has(event))
  return bad.slice(0, shownMax).map((line) => JSON.stringify(line))
}

const shownMax = 5
