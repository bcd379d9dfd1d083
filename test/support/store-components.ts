// A log that keeps what it is told, and a clock whose waits are over at once but are remembered.

import type { Clock, Timer } from '../../src/domain/index.ts'
import type { StoreLog } from '../../src/store/index.ts'

export interface LogLine {
  readonly event: string
  readonly fields: Readonly<Record<string, string | number>>
  readonly cause: unknown
}

export class RecordedLog implements StoreLog {
  readonly lines: LogLine[] = []

  warning(event: string, fields: LogLine['fields'] = {}): void {
    this.lines.push({ event, fields, cause: undefined })
  }

  error(event: string, fields: LogLine['fields'] = {}, cause?: unknown): void {
    this.lines.push({ event, fields, cause })
  }

  /** The events in the order in which they were told. */
  get events(): readonly string[] {
    return this.lines.map(({ event }) => event)
  }
}

export class ImpatientClock implements Clock {
  readonly waits: number[] = []
  /** What {@link monotonic} and {@link now} say. */
  time = 0

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }

  after(ms: number, action: () => void): Timer {
    this.waits.push(ms)
    const timer = setImmediate(action)
    return { cancel: () => clearImmediate(timer) }
  }

  every(): Timer {
    return { cancel: () => undefined }
  }
}
