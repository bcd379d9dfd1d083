// The three forms of a log line. A line is exactly one line, and its parts can be told apart, whatever a name or the
// message of an error holds: a value that is not plain is quoted, and every control character is escaped. Only the
// stack of an error takes more lines, in `pretty`, where each of them is indented.
//
//   pretty   2025-07-07 14:22:33.120 info     client connected  connection=1 address=127.0.0.1     for people
//   json     {"time":"2025-07-07T12:22:33.120Z","level":"info","event":"client connected","connection":1}
//   classic  [2025-07-07 14:22:33] [INFO] Client connected connection=1 address=127.0.0.1

import { inspect, styleText } from 'node:util'
import type { LogFields, LogLevel } from '../../server/log.ts'
import { escapeControls, quote } from '../terminal/escape.ts'
import type { LogFormat } from '../serve/options.ts'

export interface LogRecord {
  /** Milliseconds since 1970, UTC. */
  readonly time: number
  readonly level: LogLevel
  readonly event: string
  readonly fields: LogFields
  /** What an error was raised for; `undefined` when there is none. */
  readonly cause: unknown
}

/** Makes a record a line, its end of line included. */
export type LogFormatter = (record: LogRecord) => string

export interface LogFormatterOptions {
  /** Longest value, in characters: `logValueCharactersMax`. */
  readonly valueCharactersMax: number
  /** Whether `pretty` is coloured. */
  readonly colours: boolean
}

export function logFormatter(format: LogFormat, options: LogFormatterOptions): LogFormatter {
  return (record) => formats[format](record, options)
}

/** An error and what caused it, with their stacks; not escaped. */
export function explain(reason: unknown): string {
  const parts: string[] = []
  for (let next = reason; next !== undefined && parts.length < causesMax; next = next instanceof Error ? next.cause : undefined) {
    parts.push(next instanceof Error ? (next.stack ?? String(next)) : typeof next === 'string' ? next : inspect(next, { depth: 0 }))
  }
  return parts.join('\ncaused by: ')
}

type Format = (record: LogRecord, options: LogFormatterOptions) => string

const formats: Readonly<Record<LogFormat, Format>> = {
  pretty({ time, level, event, fields, cause }, options) {
    const paint = options.colours ? coloured : plainly
    const head = `${paint('dim', localTime(time, true))} ${paint(colours[level], level.padEnd(8))} ${escapeControls(event)}`
    const pairs = pairsOf(fields, options).map(([name, value]) => paint('dim', `${name}=`) + value)
    const stack = cause === undefined ? [] : cut(explain(cause), options).split('\n')
    return `${[[head, pairs.join(' ')].filter(Boolean).join('  '), ...stack.map((line) => `    ${escapeControls(line)}`)].join('\n')}\n`
  },

  json({ time, level, event, fields, cause }, options) {
    const values = Object.entries(fields).map(([name, value]) => [name, jsonValue(value, options)] as const)
    const error = cause === undefined ? {} : { error: cut(explain(cause), options) }
    const line = { time: new Date(time).toISOString(), level, event, ...Object.fromEntries(values), ...error }
    // What JSON leaves as it is and a terminal does not, stands inside strings only.
    return `${escapeControls(JSON.stringify(line))}\n`
  },

  classic({ time, level, event, fields, cause }, options) {
    const pairs = pairsOf(cause === undefined ? fields : { ...fields, error: explain(cause) }, options).map((pair) => pair.join('='))
    const text = escapeControls(event.charAt(0).toUpperCase() + event.slice(1))
    return `${[`[${localTime(time, false)}] [${classicLevels[level]}] ${text}`, ...pairs].join(' ')}\n`
  },
}

/** Plain values stand bare; the others in quotes, so that none can pass for another pair or another line. */
function pairsOf(fields: LogFields, options: LogFormatterOptions): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return []
    const text = cut(String(value), options)
    return [[name, plain.test(text) ? text : quote(text)] as const]
  })
}

/** JSON has no number for a bigint, an infinity or NaN. */
function jsonValue(value: LogFields[string], options: LogFormatterOptions): LogFields[string] {
  if (typeof value === 'string') return cut(value, options)
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)) ? String(value) : value
}

function cut(text: string, { valueCharactersMax }: LogFormatterOptions): string {
  return text.length <= valueCharactersMax ? text : `${text.slice(0, valueCharactersMax)}…`
}

function localTime(time: number, withMs: boolean): string {
  const date = new Date(time)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${clock}${withMs ? `.${String(date.getMilliseconds()).padStart(3, '0')}` : ''}`
}

type Colour = 'dim' | 'green' | 'yellow' | 'red'

function coloured(colour: Colour, text: string): string {
  return styleText(colour, text, { validateStream: false })
}

function plainly(_: Colour, text: string): string {
  return text
}

const colours: Readonly<Record<LogLevel, Colour>> = { debug: 'dim', info: 'green', warning: 'yellow', error: 'red' }
const classicLevels: Readonly<Record<LogLevel, string>> = { debug: 'DEBUG', info: 'INFO', warning: 'WARNING', error: 'ERR' }
const plain = /^[^\s"=\p{C}\p{Z}]+$/u
/** Causes can form a ring. */
const causesMax = 5
