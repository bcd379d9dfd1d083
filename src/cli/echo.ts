// `sealwire echo`: what it is told.

import { isIPv6 } from 'node:net'
import { Command } from 'commander'
import { systemClock } from '../domain/index.ts'
import { limitTable, resolveLimits, SealwireError } from '../protocol/index.ts'
import { EchoOutput } from './echo/output.ts'
import { type Endpoint, parseEndpoint, parsePort } from './options/endpoint.ts'
import { commandLine, type Origin, refuse } from './options/origin.ts'

/** What an echo client is started with. */
export interface EchoConfig {
  readonly server: Endpoint
  /** The file with the only certificates that are trusted as roots. Default: those that the system trusts. */
  readonly authority: string | undefined
  /** Whether lines are read from standard input. Default: one greeting is sent. */
  readonly interactive: boolean
  /** For the dial, and for each answer. Default: 10 s. */
  readonly timeoutMs: number
  /** Whether any certificate is taken, for any name. Default: false. */
  readonly dangerouslySkipVerification: boolean
}

/** The arguments and flags as they were typed. */
export interface EchoArguments {
  readonly host: string
  readonly port: string
  readonly authority?: string | undefined
  readonly interactive?: boolean | undefined
  readonly timeout?: string | undefined
  readonly dangerouslySkipVerification?: boolean | undefined
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('echo')
    .usage('[OPTIONS] HOST PORT [CA]')
    .description('Send a greeting to an echo server over TLS, or line by line what you type.')
    .argument('<HOST>', 'name or address of the server; its certificate must have it')
    .argument('<PORT>', 'its port')
    .argument('[CA]', 'trust this certificate file (PEM) and nothing else (default: what the system trusts)')
    .option('-i, --interactive', 'send the lines of standard input, until it ends or says /exit')
    .option('--timeout <seconds>', 'wait so long for the connection, and for each answer (default: 10)')
    .option('--dangerously-skip-verification', 'talk to whoever answers; not for anything that matters')
    .addHelpText('after', notes)
    .action(async (host: string, port: string, authority: string | undefined, flags: Omit<EchoArguments, 'host' | 'port'>) => {
      await echoWith(resolveEchoConfig({ ...flags, host, port, authority }))
    })
}

/**
 * The configuration of `echo`.
 * @throws {SealwireError} `usage`
 */
export function resolveEchoConfig(said: EchoArguments): EchoConfig {
  const { authority, interactive = false, timeout, dangerouslySkipVerification = false } = said
  if (authority !== undefined && dangerouslySkipVerification) {
    throw new SealwireError('usage', 'CA and --dangerously-skip-verification contradict each other', { hint: 'leave one of them out' })
  }
  const timeoutMs = timeout === undefined ? limitTable.echoAnswerMsMax.value : readSeconds(timeout, commandLine('--timeout'))
  return Object.freeze({ server: serverOf(said), authority, interactive, timeoutMs, dangerouslySkipVerification })
}

async function echoWith(config: EchoConfig): Promise<void> {
  const limits = resolveLimits()
  const { stdin: input, stdout } = process
  const [output, errors] = [new EchoOutput(1, limits, systemClock), new EchoOutput(2, limits, systemClock)]
  const { runEcho } = await import('./echo/run.ts')
  await runEcho(config, { limits, clock: systemClock, input, terminal: input.isTTY && stdout.isTTY, output, errors })
}

function serverOf({ host, port }: EchoArguments): Endpoint {
  const number = parsePort(port, commandLine('PORT'))
  if (number === 0) throw refuse(commandLine('PORT'), port, 'is no port to dial', 'give the port on which the server listens')
  try {
    // An IPv6 address stands alone here, so it needs no brackets; with them it is as welcome.
    return parseEndpoint(`${isIPv6(host) ? `[${host}]` : host}:${number}`, commandLine('HOST'))
  } catch {
    throw refuse(commandLine('HOST'), host, 'is neither a name nor an address', 'write it without port, such as localhost or 127.0.0.1')
  }
}

function readSeconds(text: string, origin: Origin): number {
  const { min, max } = limitTable.echoAnswerMsMax
  const timeoutMs = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : 0
  if (timeoutMs >= min && timeoutMs <= max) return timeoutMs
  throw refuse(origin, text, `is not a number of seconds from ${min / 1000} to ${max / 1000}`, 'write --timeout 10')
}

const notes = `
Without CA, a server with a certificate of its own making is refused. Such a server says which
file its clients need; the file is no secret. The name is always checked.

Examples:
  sealwire echo localhost 12345 server.crt                   greet a server, trusting this file
  sealwire echo localhost 12345 sealwire-data/ca.crt -i      talk to it, line by line
  printf 'one\\ntwo\\n' | sealwire echo localhost 12345 server.crt -i`
