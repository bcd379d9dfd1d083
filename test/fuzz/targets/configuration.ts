// What `serve` is told: the command line, the environment and a TOML file, as they are resolved into one configuration. It comes whole
// and frozen, or there is a refusal that names what is wrong.

import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type ConfigSources, resolveServeConfig, type ServeConfig } from '../../../src/cli/serve/config.ts'
import { configOption, type ServeOptionName, serveOptions } from '../../../src/cli/serve/options.ts'
import { type LimitName, limitTable } from '../../../src/protocol/limits.ts'
import { Chance } from '../chance.ts'
import { type Behaviour, type FuzzTarget, must, refusedAs, wordsOf } from '../target.ts'
import { configurationOf } from './configuration-texts.ts'

/** What makes a configuration of its sources. */
export type Resolve = (sources: ConfigSources) => Promise<ServeConfig>

/**
 * Inputs are texts: lines `port PORT`, `flag NAME=VALUE` and `env NAME=VALUE`, and behind a line `file` the configuration file.
 * `resolve`: what is under test.
 */
export function configurationTarget(resolve: Resolve = resolveServeConfig): FuzzTarget {
  const file = new ConfigFile()
  return {
    name: 'configuration',
    words: wordsOf([...Object.keys(serveOptions), ...pieces]),
    bytesMax: 2_048,
    generate: (chance) => new TextEncoder().encode(configurationOf(chance)),
    run: (input) => resolveAll(resolve, file, input),
    end: () => file.remove(),
  }
}

async function resolveAll(resolve: Resolve, file: ConfigFile, input: Uint8Array): Promise<Behaviour> {
  const sources = sourcesOf(input, file)
  if (isEmpty(sources)) return '-nothing is said'
  let config: ServeConfig
  try {
    config = await resolve(sources)
  } catch (reason) {
    const { sentence } = refusedAs(reason, codes)
    expectClean()
    must(named.test(sentence), `a refusal names what is wrong: ${sentence}`)
    return `-${sentence.replaceAll(file.folder, '').replace(/, and .*|the address \S+|"[^]*"|\d+( [a-zA-Z/]+$)?/g, '…')}`
  }
  expectClean()
  expectWhole(config)
  // There are hundreds: they are looked at where somebody has said something of them, and now and then where nobody has.
  if (input.includes(limitLetter) || Chance.of(input).oneIn(16)) expectLimits(config.limits)
  expectPrecedence(config, sources)
  if (Chance.of(input).oneIn(2)) await expectLayers(config, sources, resolve)
  if (Chance.of(input).oneIn(64)) must(isDeepStrictEqual(await resolve(sources), config), 'the same sources bring the same')
  const { flags = {}, environment = {}, file: path } = sources
  return `+${Object.keys(flags).length} flags, ${Math.min(4, Object.keys(environment).length)} variables${path === undefined ? '' : ', a file'}`
}

/** What has no source is refused nothing and brings only what is always there. */
function isEmpty({ port, flags = {}, environment = {}, file }: ConfigSources): boolean {
  return port === undefined && file === undefined && Object.keys(flags).length === 0 && Object.keys(environment).length === 0
}

/** Nothing is missing, nothing else is there, everything is in its range, and nobody can change it. */
function expectWhole(config: ServeConfig): void {
  must(Object.isFrozen(config) && Object.isFrozen(config.limits) && Object.isFrozen(config.listen), 'a configuration is frozen')
  must(config.listen.length > 0, 'a server listens somewhere')
  for (const { port } of [...config.listen, ...config.sealed, ...config.web]) must(port >= 0 && port <= 65_535, 'a port is one')
  must(['invite', 'open', 'closed'].includes(config.registration) && typeof config.classic === 'boolean', 'a value is of its kind')
  const host = config.metrics?.host ?? '::1'
  must(host === '::1' || /^127(\.\d{1,3}){3}$/.test(host), 'metrics are told to this machine alone')
  must(config.data.startsWith('/') && !config.data.includes('\0'), 'a path is absolute')
}

/** Every limit is there, and within its range. */
function expectLimits(limits: Readonly<Record<string, number>>): void {
  const outside = limitNames.find((name) => !isWithin(limits[name], limitRows[name]))
  must(outside === undefined, `${outside} is within its range`)
  must(Object.keys(limits).length === limitNames.length, 'every limit is there, and no other')
}

function isWithin(value: number | undefined, row: { readonly min: number; readonly max: number } | undefined): boolean {
  return value !== undefined && row !== undefined && value >= row.min && value <= row.max
}

/** The command line beats the environment, which beats the rest. */
function expectPrecedence({ registration, limits }: ServeConfig, { flags = {}, environment = {} }: ConfigSources): void {
  const said = flags.registration?.at(-1) ?? (environment['SEALWIRE_REGISTRATION'] || undefined)
  must(said === undefined || said === registration, 'who is asked first is heard')
  const [name, value] = flags.limits?.at(-1)?.split('=') ?? []
  must(name === undefined || limits[name as keyof typeof limits] === Number(value), 'the last limit of the command line counts')
}

/**
 * Each option is what the first source that says something of it makes of it alone: command line, environment, file. Looked at
 * where there are two, and where each of them can stand alone.
 */
async function expectLayers(config: ServeConfig, { port, flags = {}, environment = {}, file }: ConfigSources, resolve: Resolve) {
  const isInFlags = (name: ServeOptionName): boolean => Object.hasOwn(flags, name) || (name === 'listen' && port !== undefined)
  const isInEnvironment = (name: ServeOptionName): boolean => (environment[serveOptions[name].variable] ?? '') !== ''
  const some = [optionNames.some(isInFlags) && { port, flags }, optionNames.some(isInEnvironment) && { environment }, file && { file }]
  if (some.filter(Boolean).length < 2) return
  const alone: (ServeConfig | undefined)[] = []
  for (const sources of some) alone.push(await resolve(sources || {}).catch(() => undefined))
  for (const [name, property] of compared) {
    const first = alone[isInFlags(name) ? 0 : isInEnvironment(name) ? 1 : 2]
    must(first === undefined || isDeepStrictEqual(config[property], first[property]), `${name} is what the first source says`)
  }
  const [inFlags, inEnvironment] = [flags.limits ?? [], (environment[serveOptions.limits.variable] ?? '').split(',')].map(namesOf)
  for (const name of limitNames) {
    const first = alone[inFlags?.has(name) ? 0 : inEnvironment?.has(name) ? 1 : 2]
    must(first === undefined || config.limits[name] === first.limits[name], `the limit ${name} is what the first source says`)
  }
}

/** The limits that texts `NAME=VALUE` are for. */
function namesOf(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map((text) => text.split('=')[0]?.trim() ?? ''))
}

/** Whatever is called `__proto__`, no object of anybody else has changed. */
function expectClean(): void {
  must(Object.getOwnPropertyNames(Object.prototype).length === prototypeNames, 'the prototype of objects is as it was')
  must(Object.getPrototypeOf(limitTable) === Object.prototype, 'the table of limits is as it was')
}

function sourcesOf(input: Uint8Array, file: ConfigFile): ConfigSources {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
  const at = bytes.indexOf('\nfile\n')
  const flags: Record<string, string[]> = {}
  const environment: NodeJS.ProcessEnv = {}
  let port: string | undefined
  for (const line of bytes
    .subarray(0, at < 0 ? bytes.length : at)
    .toString()
    .split('\n')) {
    const [, kind, name = '', value = ''] = /^(port|flag|env) ([^=]*)=?(.*)$/s.exec(line) ?? []
    if (kind === 'port') port = name
    // Other flags are refused before they come here; a variable that names a file would be one of this machine.
    else if (kind === 'flag' && Object.hasOwn(serveOptions, name)) (flags[name] ??= []).push(value)
    else if (kind === 'env' && name !== configOption.variable)
      Object.defineProperty(environment, name, { value, enumerable: true, configurable: true })
  }
  return { port, flags, environment, file: at < 0 ? undefined : file.holding(bytes.subarray(at + 6)) }
}

/** One file, written again for each input that has one. */
class ConfigFile {
  #open: { readonly folder: string; readonly descriptor: number } | undefined

  /** Of the file, with a slash; nothing while there is none. */
  get folder(): string {
    return this.#open === undefined ? '\0' : `${this.#open.folder}/`
  }

  /** The path of the file, which holds `content` and nothing else. */
  holding(content: Uint8Array): string {
    this.#open ??= opened()
    const { folder, descriptor } = this.#open
    ftruncateSync(descriptor, 0)
    writeSync(descriptor, content, 0, content.length, 0)
    return join(folder, 'server.toml')
  }

  remove(): void {
    if (this.#open === undefined) return
    closeSync(this.#open.descriptor)
    rmSync(this.#open.folder, { recursive: true })
    this.#open = undefined
  }
}

/** In memory, where there is such a folder: a disk takes a thousand times as long to cut a file. */
function opened() {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealwire-fuzz-'))
  return { folder, descriptor: openSync(join(folder, 'server.toml'), 'w') }
}

const optionNames = Object.keys(serveOptions) as ServeOptionName[]
/** Options that are taken whole from one source, and what becomes of them; a certificate and its key may be in two. */
const compared: readonly (readonly [ServeOptionName, keyof ServeConfig])[] = [
  ...(['listen', 'data', 'registration', 'classic', 'sealed', 'web', 'echo', 'metrics'] as const).map((name) => [name, name] as const),
  ['host', 'hosts'],
  ['mutual-tls', 'mutualTls'],
  ['join-listen', 'joinListen'],
  ['sealed-v1', 'sealedV1'],
  ['web-origin', 'webOrigins'],
  ['log-level', 'logLevel'],
  ['log-format', 'logFormat'],
]
const codes = new Set(['usage', 'config_invalid'])
/** An option, a variable, a limit, a file, or what several of them say together. */
const named =
  /--[a-z]|SEALWIRE_[A-Z]|PORT|server\.toml|limit [a-zA-Z]+|certificate|the address|listen names|the host|sealed channel|joining|metrics/
const pieces = [
  '__proto__',
  'constructor',
  '[limits]\n',
  '\nfile\n',
  'flag ',
  'env SEALWIRE_',
  'port ',
  '=',
  '"',
  "'''",
  '"""',
  '[[',
  ']]',
  ' = true',
  '= [',
  '1_000',
  '0x10',
  '1e3',
  'inf',
  '\\u0000',
  '\r\n',
  ',',
  '127.0.0.1:1',
]
const limitRows: Readonly<Record<string, { readonly min: number; readonly max: number } | undefined>> = limitTable
const limitNames = Object.keys(limitTable) as LimitName[]
/** Of `limits` and `SEALWIRE_LIMIT`, and of few other words. */
const limitLetter = 0x4d
const prototypeNames = Object.getOwnPropertyNames(Object.prototype).length
