// `sealwire echo-server`: what it is told. The first seed's arguments are all there; what it let pass in silence (a port
// of 70000, a certificate without its key) is refused.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { systemClock } from '../domain/index.ts'
import { type Limits, limitTable, resolveLimits, SealwireError } from '../protocol/index.ts'
import type { EchoIdentitySource } from './echo/identity.ts'
import { EchoOutput } from './echo/output.ts'
import { type Endpoint, formatEndpoint, parseEndpoint, parsePort } from './options/endpoint.ts'
import { readLimit, readPath } from './options/option-value.ts'
import { commandLine } from './options/origin.ts'
import { stopOnSignals } from './terminal/stop-signal.ts'

/** What an echo server is started with. */
export interface EchoServerConfig {
  /** Default: 127.0.0.1:12345. */
  readonly listen: Endpoint
  /** Default: server.crt and server.key of the current folder if both are there, else the data folder sealwire-data. */
  readonly identity: EchoIdentitySource
  /** The rates of connections are lifted, unless they were asked for: whoever tries a server out does so from one address. */
  readonly limits: Limits
}

/** The arguments and flags as they were typed. */
export interface EchoServerArguments {
  readonly port?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly listen?: string | undefined
  readonly data?: string | undefined
  readonly limit?: readonly string[] | undefined
}

/** The command, as program.ts loads it. */
export function command(): Command {
  const limit = new Option('--limit <name=value>', 'change a bound (repeatable; default: docs/LIMITS.md)').argParser(
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
  )
  return new Command('echo-server')
    .usage('[OPTIONS] [PORT [CERT KEY]]')
    .description('Run a TLS server that sends back what it is sent, and shows it.')
    .argument('[PORT]', 'listen at 127.0.0.1:PORT (default: 12345)')
    .argument('[CERT]', 'certificate in PEM, with its chain')
    .argument('[KEY]', 'its private key in PEM')
    .option('--listen <host:port>', 'listen here; port 0 lets the system choose')
    .option('--data <dir>', 'take the certificate of this data folder')
    .addOption(limit)
    .addHelpText('after', notes)
    .action(async (port: string | undefined, certificate: string | undefined, key: string | undefined, flags: EchoServerArguments) => {
      await serveEcho(resolveEchoServerConfig({ ...flags, port, certificate, key }))
    })
}

/**
 * The configuration of `echo-server`; `folder` is where the defaults are looked for.
 * @throws {SealwireError} `usage`
 */
export function resolveEchoServerConfig(said: EchoServerArguments, folder = ''): EchoServerConfig {
  return Object.freeze({ listen: listenOf(said), identity: identityOf(said, folder), limits: limitsOf(said.limit ?? []) })
}

async function serveEcho(config: EchoServerConfig): Promise<void> {
  using stop = stopOnSignals({ clock: systemClock })
  const output = new EchoOutput(1, config.limits, systemClock)
  const errors = new EchoOutput(2, config.limits, systemClock)
  const { runEchoServer } = await import('./echo/server-run.ts')
  await runEchoServer(config, { clock: systemClock, stop: stop.signal, output, errors })
}

function listenOf({ port: text, listen }: EchoServerArguments): Endpoint {
  const port = text === undefined ? undefined : parsePort(text, commandLine('PORT'))
  if (listen === undefined) return { host: '127.0.0.1', port: port ?? 12_345 }
  const endpoint = parseEndpoint(listen, commandLine('--listen'))
  // PORT has to be there when CERT and KEY are.
  if (port === undefined || port === endpoint.port) return endpoint
  throw new SealwireError('usage', `PORT ${port} and --listen ${formatEndpoint(endpoint)} contradict each other`, {
    hint: 'give both the same port, or leave PORT out',
  })
}

function identityOf({ certificate, key, data }: EchoServerArguments, folder: string): EchoIdentitySource {
  if (certificate !== undefined && key === undefined) {
    throw new SealwireError('usage', 'CERT needs its KEY', { hint: 'give both, or none' })
  }
  if (certificate !== undefined && key !== undefined) {
    if (data === undefined) return { kind: 'files', certificate, key, named: true }
    throw new SealwireError('usage', 'CERT KEY and --data both name a certificate', { hint: 'leave one of them out' })
  }
  const found = { kind: 'files', certificate: join(folder, 'server.crt'), key: join(folder, 'server.key'), named: false } as const
  if (data === undefined && existsSync(found.certificate) && existsSync(found.key)) return found
  return { kind: 'data', folder: readPath(data ?? join(folder, 'sealwire-data'), commandLine('--data')) }
}

function limitsOf(texts: readonly string[]): Limits {
  const lifted = lifts.map((name) => [name, limitTable[name].max] as const)
  return resolveLimits(Object.fromEntries([...lifted, ...texts.map((text) => readLimit(text, commandLine('--limit')))]))
}

const lifts = ['connectionsPerSecondPerAddressMax', 'connectionsBurstPerAddressMax', 'handshakesPerSecondMax'] as const

const notes = `
Which certificate: CERT and KEY if they are given; else --data; else server.crt and server.key
of the current folder if both are there; else ./sealwire-data. In a data folder it is made on
first start. The server says on standard error which file its clients need.

Standard output shows connections and what they send, at most 20 lines a second; what is left
out is counted. SIGTERM and SIGINT end the server in order.

Examples:
  sealwire echo-server                                       127.0.0.1:12345
  sealwire echo-server 12345 server.crt server.key
  sealwire echo-server --listen 0.0.0.0:12345 --data /srv/sealwire
  sealwire echo-server --limit echoLinesPerSecondMax=1000`
