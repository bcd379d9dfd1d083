// The log of a server: every line goes to standard error and to `DATA/logs/server.log`, in one format. Logging never
// throws, never waits and never fails the server; the two outputs have a queue each, so that a terminal that nobody
// reads does not hold up the file. See docs/decisions/0006-logging.md.

import { join } from 'node:path'
import { type Clock, waitAtMost } from '../../domain/clock.ts'
import { errorCode } from '../../pki/durable-file.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { Log, LogFields, LogLevel } from '../../server/log.ts'
import { writeAll, writeNow } from '../terminal/descriptor.ts'
import { LogFile } from './file.ts'
import { type LogFormatter, logFormatter } from './format.ts'
import { LogQueue } from './queue.ts'
import { type LogFormat, logLevels } from '../serve/options.ts'

export interface LogOptions {
  /** The data folder; the file is `logs/server.log` inside it. */
  readonly data: string
  /** The lowest level that is logged. */
  readonly level: LogLevel
  readonly format: LogFormat
  /** Whether lines on standard error may be coloured; those in the file never are. */
  readonly colours: boolean
  readonly limits: Limits
}

export interface LogComponents {
  readonly clock: Clock
  /** The descriptor of standard error. */
  readonly standardError: number
}

/** A log that has to be closed, because it has queues. */
export interface OpenLog extends Log, AsyncDisposable {
  /** Writes what waits, if that takes no longer than `exitMsMax`. What is logged afterwards goes nowhere. */
  close(): Promise<void>
  /** Writes what waits at once, for a process that is about to end. */
  flushSync(): void
}

/**
 * Opens the log of a data folder.
 * @throws {SealwireError} `data_unusable` or `storage_full` when there can be no file.
 */
export function openLog(options: LogOptions, components: LogComponents): OpenLog {
  return new FileAndStreamLog(options, components)
}

class FileAndStreamLog implements OpenLog {
  readonly #clock: Clock
  readonly #exitMsMax: number
  readonly #levels: ReadonlySet<LogLevel>
  readonly #standardError: number
  readonly #file: LogFile
  readonly #fileFormat: LogFormatter
  readonly #streamFormat: LogFormatter
  readonly #fileQueue: LogQueue
  readonly #streamQueue: LogQueue
  #closed = false

  constructor({ data, level, format, colours, limits }: LogOptions, { clock, standardError }: LogComponents) {
    const valueCharactersMax = limits.logValueCharactersMax
    this.#clock = clock
    this.#exitMsMax = limits.exitMsMax
    this.#levels = new Set(logLevels.slice(logLevels.indexOf(level)))
    this.#standardError = standardError
    this.#fileFormat = logFormatter(format, { valueCharactersMax, colours: false })
    this.#streamFormat = colours ? logFormatter(format, { valueCharactersMax, colours }) : this.#fileFormat
    const path = join(data, 'logs', 'server.log')
    const events = {
      failed: (reason: unknown) => this.#fileFailed(path, reason),
      lossLine: (lines: number) => this.#lossLine(lines),
      reopened: () => this.#fileReopened(path),
    }
    this.#file = new LogFile(path, { limits, clock, events })
    this.#fileQueue = new LogQueue(limits.logQueueBytesMax, (batch) => this.#file.write(batch), events.lossLine)
    this.#streamQueue = new LogQueue(limits.logQueueBytesMax, (batch) => writeAll(standardError, batch), events.lossLine)
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#log('debug', event, fields)
  }

  info(event: string, fields: LogFields = {}): void {
    this.#log('info', event, fields)
  }

  warning(event: string, fields: LogFields = {}): void {
    this.#log('warning', event, fields)
  }

  error(event: string, fields: LogFields = {}, cause?: unknown): void {
    this.#log('error', event, fields, cause)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const fileWritten = this.#fileQueue.drained()
    // Both are given their time, so that the one that hangs does not cost the other its last lines.
    const both = Promise.all([fileWritten.then(() => this.#file.close()), this.#streamQueue.drained()])
    await waitAtMost(this.#clock, this.#exitMsMax, both)
  }

  flushSync(): void {
    this.#file.writeSync(this.#fileQueue.takeAll())
    // An output that is still busy with what it was given may hold up the end for ever.
    if (!this.#streamQueue.writing) writeNow(this.#standardError, this.#streamQueue.takeAll())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #log(level: LogLevel, event: string, fields: LogFields, cause?: unknown): void {
    if (this.#closed || !this.#levels.has(level)) return
    const record = { time: this.#clock.now(), level, event, fields, cause }
    const line = this.#fileFormat(record)
    this.#fileQueue.push(line)
    this.#streamQueue.push(this.#streamFormat === this.#fileFormat ? line : this.#streamFormat(record))
  }

  #fileFailed(path: string, reason: unknown): void {
    const fields = { path, reason: errorCode(reason) ?? String(reason) }
    this.#streamQueue.push(this.#streamFormat(this.#own('log file cannot be written', fields)))
  }

  /** Whoever moves files from time to time need not be warned of it. */
  #fileReopened(path: string): string {
    if (!this.#levels.has('info')) return ''
    const record = { ...this.#own('log file was moved or removed, this one is new', { path }), level: 'info' } as const
    this.#streamQueue.push(this.#streamFormat(record))
    return this.#fileFormat(record)
  }

  #lossLine(lines: number): string {
    return this.#fileFormat(this.#own('log lines lost', { lines }))
  }

  #own(event: string, fields: LogFields): Parameters<LogFormatter>[0] {
    return { time: this.#clock.now(), level: 'warning', event, fields, cause: undefined }
  }
}
