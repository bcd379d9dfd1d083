// Everything that `serve` is told, from wherever it was told: the command line beats the environment, which beats the
// configuration file, which beats the defaults. Every source is checked, also where another one beats it. Limits are
// merged name by name, all else is taken whole from the first source that says it.

import { isLoopback } from '../../domain/loopback.ts'
import { certificateHosts } from '../../pki/certificate-host.ts'
import type { OwnFiles } from '../../pki/own-certificate.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { type Limits, resolveLimits } from '../../protocol/limits.ts'
import type { LogLevel } from '../../server/log.ts'
import type { MutualTls } from '../../server/devices/mutual-tls.ts'
import { type Endpoint, formatEndpoint, parseEndpoint, parsePort } from '../options/endpoint.ts'
import { environmentLayer, type Flags, flagsLayer, type Layer } from '../options/layer.ts'
import { choice, type Reader, readLimit, readPath, readSwitch, readWebOrigin } from '../options/option-value.ts'
import { commandLine } from '../options/origin.ts'
import {
  configOption,
  type LogFormat,
  logFormats,
  logLevels,
  mutualTlsModes,
  type Registration,
  registrations,
  type ServeOptionName,
} from './options.ts'

/** What a server is started with. Frozen, complete, checked. */
export interface ServeConfig {
  /** Where to listen, at least one. Default: 127.0.0.1:5555. */
  readonly listen: readonly Endpoint[]
  /** The data folder, an absolute path. Default: sealwire-data in the current folder. */
  readonly data: string
  /** Names and addresses for the certificate beside localhost, 127.0.0.1 and ::1. Default: none. */
  readonly hosts: readonly string[]
  /** The operator's own certificate and its key, absolute paths. Default: an imported one, else the server's own. */
  readonly certificate: OwnFiles | undefined
  /** Who may register. Default: `invite`. */
  readonly registration: Registration
  /** Whether the classic dialect is spoken. Default: false. */
  readonly classic: boolean
  /** Whether clients are asked for device certificates. Default: `optional`. */
  readonly mutualTls: MutualTls
  /** Where clients without a certificate can join, and nothing else. Default: nowhere but at `listen`. */
  readonly joinListen: Endpoint | undefined
  /** Where the sealed channel is spoken. Default: nowhere. */
  readonly sealed: readonly Endpoint[]
  /** Whether it also echoes there for clients of version 1. Default: false. */
  readonly sealedV1: boolean
  /** Where browsers connect, with WebSockets. Default: nowhere. */
  readonly web: readonly Endpoint[]
  /** Pages that may connect there beside those of the same host and port. Default: none. */
  readonly webOrigins: readonly string[]
  /** Where the echo service listens. Default: nowhere. */
  readonly echo: Endpoint | undefined
  /** Where metrics and readiness are told, over HTTP: a loopback address. Default: nowhere. */
  readonly metrics: Endpoint | undefined
  readonly limits: Limits
  /** Default: `info`. */
  readonly logLevel: LogLevel
  /** Default: `pretty` when standard error is a terminal, else `json`. */
  readonly logFormat: LogFormat
}

/** Where {@link resolveServeConfig} looks. */
export interface ConfigSources {
  /** The positional argument `[PORT]`. */
  readonly port?: string | undefined
  readonly flags?: Flags
  /** `--config`. */
  readonly file?: string | undefined
  readonly environment?: NodeJS.ProcessEnv
  /** Whether standard error is a terminal. Default: false. */
  readonly terminal?: boolean
}

/**
 * The configuration of `serve`.
 * @throws {SealwireError} `usage` for what the command line says, `config_invalid` for the environment and the file.
 */
export async function resolveServeConfig(sources: ConfigSources): Promise<ServeConfig> {
  const layers = await layersOf(sources)
  const config = {
    listen: Object.freeze(given(layers, 'listen', parseEndpoint) ?? [defaultEndpoint]),
    data: last(layers, 'data', readPath) ?? readPath('sealwire-data', commandLine('--data')),
    hosts: Object.freeze(given(layers, 'host', (text) => text) ?? []),
    certificate: certificateOf(layers),
    registration: last(layers, 'registration', choice(registrations)) ?? 'invite',
    classic: last(layers, 'classic', readSwitch) ?? false,
    mutualTls: last(layers, 'mutual-tls', choice(mutualTlsModes)) ?? 'optional',
    joinListen: last(layers, 'join-listen', parseEndpoint),
    sealed: Object.freeze(given(layers, 'sealed', parseEndpoint) ?? []),
    sealedV1: last(layers, 'sealed-v1', readSwitch) ?? false,
    web: Object.freeze(given(layers, 'web', parseEndpoint) ?? []),
    webOrigins: Object.freeze(given(layers, 'web-origin', readWebOrigin) ?? []),
    echo: last(layers, 'echo', parseEndpoint),
    metrics: last(layers, 'metrics', parseEndpoint),
    limits: limitsOf(layers),
    logLevel: last(layers, 'log-level', choice(logLevels)) ?? 'info',
    logFormat: last(layers, 'log-format', choice(logFormats)) ?? (sources.terminal === true ? 'pretty' : 'json'),
  } satisfies ServeConfig
  refuseNowhere(config)
  refuseTwice(config)
  refuseIdleJoining(config)
  refuseIdleOrigin(config)
  refuseOpenV1(config)
  refuseOpenMetrics(config)
  // The rule of what a host may be is the certificate's; asked here, a wrong one costs nothing but this line.
  certificateHosts(config.hosts)
  return Object.freeze(config)
}

/** The sources in order of precedence. */
async function layersOf({ port, flags = {}, file, environment = {} }: ConfigSources): Promise<readonly Layer[]> {
  const path = file ?? (environment[configOption.variable] || undefined)
  const layers = [flagsLayer(withPort(flags, port)), environmentLayer(environment)]
  if (path === undefined) return layers
  // Loaded only when asked for: a TOML reader and a validator have no part in most starts.
  const { readConfigFile } = await import('./config-file.ts')
  return [...layers, readConfigFile(path)]
}

function withPort(flags: Flags, text: string | undefined): Flags {
  if (text === undefined) return flags
  if (flags.listen !== undefined) {
    throw new SealwireError('usage', 'PORT and --listen both say where to listen', { hint: 'leave PORT out, or --listen' })
  }
  return { ...flags, listen: [formatEndpoint({ ...defaultEndpoint, port: parsePort(text, commandLine('PORT')) })] }
}

/** The values of the first layer that says something; the others are read all the same, to be checked. */
function given<T>(layers: readonly Layer[], name: ServeOptionName, read: Reader<T>): readonly T[] | undefined {
  return layers
    .map((layer) => layer.texts(name)?.map((text, index) => read(text, layer.origin(name, index))))
    .find((values) => values !== undefined)
}

/** For options with one value: of a repeated flag the last counts. */
function last<T>(layers: readonly Layer[], name: ServeOptionName, read: Reader<T>): T | undefined {
  return given(layers, name, read)?.at(-1)
}

/** One without the other would be taken for a pair with what another source says. */
function certificateOf(layers: readonly Layer[]): OwnFiles | undefined {
  const certificate = last(layers, 'cert', readPath)
  const key = last(layers, 'key', readPath)
  if (certificate !== undefined && key !== undefined) return Object.freeze({ certificate, key })
  if (certificate === undefined && key === undefined) return undefined
  const missing = certificate === undefined ? '--cert' : '--key'
  throw new SealwireError('config_invalid', `a certificate and its key belong together: ${missing} is missing`, { hint: 'give both' })
}

function limitsOf(layers: readonly Layer[]): Limits {
  const rows = layers.toReversed().flatMap((layer) => given([layer], 'limits', readLimit) ?? [])
  return resolveLimits(Object.fromEntries(rows))
}

/** Only a file can say so: an empty list. */
function refuseNowhere({ listen }: ServeConfig): void {
  if (listen.length > 0) return
  throw new SealwireError('config_invalid', 'listen names no address', { hint: `leave it out for ${formatEndpoint(defaultEndpoint)}` })
}

function refuseTwice({ listen, echo, joinListen, sealed, web, metrics }: ServeConfig): void {
  const others = [echo, joinListen, metrics].filter((endpoint) => endpoint !== undefined)
  const fixed = [...listen, ...others, ...sealed, ...web].filter(({ port }) => port !== 0).map(formatEndpoint)
  const twice = fixed.find((text, index) => fixed.indexOf(text) < index)
  if (twice === undefined) return
  throw new SealwireError('config_invalid', `the address ${twice} is asked for twice`, { hint: 'give each listener its own' })
}

/** Nobody is authenticated there, so nobody but this machine may get there. */
function refuseOpenV1({ sealed, sealedV1 }: ServeConfig): void {
  if (!sealedV1) return
  const wide = sealed.find(({ host }) => !isLoopback(host))
  if (sealed.length > 0 && wide === undefined) return
  const why = wide === undefined ? 'there is no address for it' : `${formatEndpoint(wide)} is not one of this machine alone`
  throw new SealwireError('config_invalid', `version 1 of the sealed channel is for loopback addresses only, and ${why}`, {
    hint: 'use --sealed 127.0.0.1:1337 or --sealed [::1]:1337, or leave --sealed-v1 out',
  })
}

/** They are told to everybody who asks, so nobody but this machine may ask. */
function refuseOpenMetrics({ metrics }: ServeConfig): void {
  if (metrics === undefined || isLoopback(metrics.host)) return
  throw new SealwireError('config_invalid', `metrics are for loopback addresses only, and ${formatEndpoint(metrics)} is none`, {
    hint: 'use --metrics 127.0.0.1:9464 or --metrics [::1]:9464; from elsewhere come through a tunnel or a proxy of yours',
  })
}

/** Without device certificates there is nothing to join for at an address of its own. */
function refuseIdleJoining({ mutualTls, joinListen }: ServeConfig): void {
  if (joinListen === undefined || mutualTls !== 'off') return
  throw new SealwireError('config_invalid', 'an address for joining makes no sense without device certificates', {
    hint: 'leave --join-listen out, or use --mutual-tls required',
  })
}

function refuseIdleOrigin({ web, webOrigins }: ServeConfig): void {
  if (webOrigins.length === 0 || web.length > 0) return
  throw new SealwireError('config_invalid', '--web-origin makes no sense without an address for browsers', {
    hint: 'add --web HOST:PORT, or leave --web-origin out',
  })
}

/** Where a server listens when nobody says otherwise. */
export const defaultEndpoint: Endpoint = Object.freeze({ host: '127.0.0.1', port: 5555 })
