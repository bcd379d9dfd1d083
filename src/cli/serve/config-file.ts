// The configuration file: TOML, every key known, every value of its type. What it says is then read like a flag; here
// only the form is checked. Every refusal names file and line, as far as the line can be found.

import { closeSync, openSync, readSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import * as v from 'valibot'
import { errorCode } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { roomFor } from '../../protocol/room-for.ts'
import { quote } from '../terminal/escape.ts'
import type { Layer } from '../options/layer.ts'
import type { Origin } from '../options/origin.ts'
import { type ServeOptionName, serveOptions } from './options.ts'
import { suggestion } from '../suggest.ts'

/**
 * Reads a configuration file.
 * @throws {SealwireError} `config_invalid` when it cannot be read, is not TOML, or has an unknown key or a wrong type.
 */
export function readConfigFile(path: string): Layer {
  const source = readText(path)
  const table = parseToml(path, source)
  const place: Place = (name, inner) => placeOf(path, source, name, inner)
  refuseUnknown(table, place)
  const result = v.safeParse(schema, table)
  if (!result.success) throw wrongType(result.issues[0], place)
  return new FileLayer(result.output, place)
}

/** Says where a key, or one inside the table of limits, is written. */
type Place = (name: string, inner?: string) => string

class FileLayer implements Layer {
  readonly #table: v.InferOutput<typeof schema>
  readonly #place: Place

  constructor(table: v.InferOutput<typeof schema>, place: Place) {
    this.#table = table
    this.#place = place
  }

  texts(name: ServeOptionName): readonly string[] | undefined {
    const value = this.#table[name]
    if (value === undefined) return undefined
    if (typeof value !== 'object') return [String(value)]
    return Array.isArray(value) ? value : Object.entries(value).map(([limit, number]) => `${limit}=${number}`)
  }

  origin(name: ServeOptionName, index: number): Origin {
    const inner = name === 'limits' ? Object.keys(this.#table.limits ?? {})[index] : undefined
    return { label: `${this.#place(name, inner)}: ${name}`, code: 'config_invalid' }
  }
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readBounded(path))
  } catch (cause) {
    if (SealwireError.is(cause)) throw cause
    const why = reasons.get(errorCode(cause) ?? '') ?? `cannot be read (${errorCode(cause) ?? 'unknown reason'})`
    throw unusable(path, why, cause)
  }
}

/** The whole file, if it is not larger than a configuration can be; also from a pipe, which has no size. */
function readBounded(path: string): Uint8Array {
  const bytesMax = limitTable.configFileBytesMax.value
  let buffer: Uint8Array = new Uint8Array(0)
  let length = 0
  const descriptor = openSync(path, 'r')
  try {
    for (let read = -1; read !== 0 && length <= bytesMax; length += read) {
      buffer = roomFor(buffer, length, length + 1)
      read = readSync(descriptor, buffer, length, buffer.length - length, null)
    }
  } finally {
    closeSync(descriptor)
  }
  if (length > bytesMax) throw unusable(path, `is larger than ${bytesMax} bytes`)
  return buffer.subarray(0, length)
}

function parseToml(path: string, source: string): Record<string, unknown> {
  try {
    return parse(source)
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const what = (cause.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '')
    throw new SealwireError('config_invalid', `${path}:${cause.line}:${cause.column}: ${what}`, {
      cause,
      hint: 'correct the file: it must be TOML',
    })
  }
}

/** Names come before types: the validator would pass over `__proto__` in silence. */
function refuseUnknown(table: Record<string, unknown>, place: Place): void {
  const unknown = Object.keys(table).find((key) => !Object.hasOwn(serveOptions, key))
  if (unknown !== undefined) throw unknownKey(unknown, Object.keys(serveOptions), place(unknown))
  const { limits } = table
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) return
  const limit = Object.keys(limits).find((key) => !Object.hasOwn(limitTable, key))
  if (limit !== undefined) throw unknownKey(limit, Object.keys(limitTable), place('limits', limit), 'docs/LIMITS.md lists the limits')
}

function unknownKey(key: string, known: readonly string[], where: string, otherwise = `the keys are ${known.join(', ')}`): SealwireError {
  return new SealwireError('config_invalid', `${where}: there is no key ${quote(key)}`, { hint: suggestion(key, known, otherwise) })
}

function wrongType(issue: v.BaseIssue<unknown>, place: Place): SealwireError {
  const [name, inner] = (issue.path ?? []).map(({ key }) => String(key))
  const key = Object.keys(examples).find((candidate) => candidate === name) as ServeOptionName
  const where = key === 'limits' ? place(key, inner) : place(key)
  return new SealwireError('config_invalid', `${where}: ${key} has a value of the wrong type`, { hint: `write ${examples[key]}` })
}

function unusable(path: string, why: string, cause?: unknown): SealwireError {
  return new SealwireError('config_invalid', `the configuration file ${quote(path)} ${why}`, {
    cause,
    hint: 'check what --config or SEALWIRE_CONFIG names',
  })
}

/** `PATH:LINE` of the line that sets a key, or `PATH` alone when it is written in a way that is not found so simply. */
function placeOf(path: string, source: string, name: string, inner?: string): string {
  const lines = source.split('\n').map((line) => line.replace(/\s|["']/g, ''))
  const table = lines.findIndex((line) => line.startsWith(`[${name}]`))
  const line = [
    inner === undefined ? -1 : lines.findIndex((text, index) => table >= 0 && index > table && text.startsWith(`${inner}=`)),
    lines.findIndex((text) => text.startsWith(`${name}=`) || text.startsWith(`${name}.${inner}=`)),
    table,
  ].find((index) => index >= 0)
  return line === undefined ? path : `${path}:${line + 1}`
}

const strings = v.array(v.string())
const schema = v.object({
  listen: v.optional(strings),
  data: v.optional(v.string()),
  host: v.optional(strings),
  cert: v.optional(v.string()),
  key: v.optional(v.string()),
  registration: v.optional(v.string()),
  classic: v.optional(v.boolean()),
  'mutual-tls': v.optional(v.string()),
  'join-listen': v.optional(v.string()),
  sealed: v.optional(strings),
  'sealed-v1': v.optional(v.boolean()),
  web: v.optional(strings),
  'web-origin': v.optional(strings),
  echo: v.optional(v.string()),
  metrics: v.optional(v.string()),
  'log-level': v.optional(v.string()),
  'log-format': v.optional(v.string()),
  // To the validator a list is a record too.
  limits: v.optional(
    v.pipe(
      v.unknown(),
      v.check((limits) => !Array.isArray(limits)),
      v.record(v.string(), v.number()),
    ),
  ),
} satisfies Record<ServeOptionName, unknown>)

const examples: Readonly<Record<ServeOptionName, string>> = {
  listen: 'listen = ["127.0.0.1:5555"]',
  data: 'data = "sealwire-data"',
  host: 'host = ["chat.example"]',
  cert: 'cert = "/etc/sealwire/chain.pem"',
  key: 'key = "/etc/sealwire/key.pem"',
  registration: 'registration = "invite"',
  classic: 'classic = true',
  'mutual-tls': 'mutual-tls = "optional"',
  'join-listen': 'join-listen = "127.0.0.1:5556"',
  sealed: 'sealed = ["127.0.0.1:1337"]',
  'sealed-v1': 'sealed-v1 = true',
  web: 'web = ["127.0.0.1:8443"]',
  'web-origin': 'web-origin = ["https://chat.example"]',
  echo: 'echo = "127.0.0.1:12345"',
  metrics: 'metrics = "127.0.0.1:9464"',
  'log-level': 'log-level = "info"',
  'log-format': 'log-format = "json"',
  limits: 'frameMsMax = 10000 under [limits]',
}

const reasons = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', 'cannot be read: permission denied'],
  ['EISDIR', 'is a folder'],
  ['ENOTDIR', 'does not exist'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'is not UTF-8 text'],
])
