// `sealwire serve`: what it is told, where it logs, and when it stops. The server itself is put together in
// serve/run-server.ts.

import { isatty } from 'node:tty'
import { Command, Option } from 'commander'
import { systemClock } from '../domain/clock.ts'
import type { Log } from '../server/log.ts'
import { wantsColours } from './terminal/colours.ts'
import { type ConfigSources, resolveServeConfig, type ServeConfig } from './serve/config.ts'
import { writeNow } from './terminal/descriptor.ts'
import { explain } from './log/format.ts'
import { type OpenLog, openLog } from './log/logging.ts'
import { configOption, type ServeOptionRow, serveOptions } from './serve/options.ts'
import { stopOnSignals } from './terminal/stop-signal.ts'

/** The command, as program.ts loads it. */
export function command(): Command {
  const config = new Option(configOption.flag, described(configOption))
  const options = Object.entries(serveOptions).map(([name, row]) => ({ name, option: listed(new Option(row.flag, described(row))) }))
  const serve = new Command('serve')
    .description('Run a server. The first start makes keys, a certificate and a database in the data folder.')
    .usage('[OPTIONS] [PORT]')
    .argument('[PORT]', 'listen at 127.0.0.1:PORT')
  for (const { option } of options) serve.addOption(option)
  serve.addOption(new Option('--no-classic').hideHelp()).addOption(config).addHelpText('after', notes)
  return serve.action(async (port: string | undefined, values: Readonly<Record<string, unknown>>) => {
    const flags = Object.fromEntries(options.map(({ name, option }) => [name, texts(values[option.attributeName()])]))
    const file = values[config.attributeName()]
    await serveWith({ port, flags, file: typeof file === 'string' ? file : undefined })
  })
}

async function serveWith(said: Pick<ConfigSources, 'port' | 'flags' | 'file'>): Promise<void> {
  const config = await resolveServeConfig({ ...said, environment: process.env, terminal: isatty(standardError) })
  // Without it nobody could log in: said before anything is made, the log too. Later it costs nothing any more.
  const { loadArgon2id } = await import('../server/accounts/argon2id.ts')
  loadArgon2id()
  using stop = stopOnSignals({ clock: systemClock })
  await using log = openServerLog(config)
  using _crashes = logCrashes(log)
  try {
    // Everything else of the server is loaded here, so that help and refusals need not wait for it.
    const [{ runServer }, { terminalQr }] = await Promise.all([import('./serve/run-server.ts'), import('./terminal/terminal-qr.ts')])
    const print = (lines: string): void => writeNow(standardOutput, `${lines}\n`)
    await runServer(config, { log, clock: systemClock, stop: stop.signal, print, draw: terminalQr })
  } catch (reason) {
    // Standard error gets one line from report.ts; whoever asked for more finds it in the log.
    log.debug('command failed', { reason: explain(reason) })
    throw reason
  }
}

function openServerLog({ data, logLevel: level, logFormat: format, limits }: ServeConfig): OpenLog {
  const colours = format === 'pretty' && wantsColours(standardError, process.env)
  return openLog({ data, level, format, colours, limits }, { clock: systemClock, standardError })
}

/** A bug ends the process (main.ts does that); its cause is in the log by then. */
function logCrashes(log: Log & Pick<OpenLog, 'flushSync'>): Disposable {
  const logCrash = (reason: unknown): void => {
    log.error('server crashed', {}, reason)
    log.flushSync()
  }
  process.prependListener('uncaughtException', logCrash)
  process.prependListener('unhandledRejection', logCrash)
  return {
    [Symbol.dispose]() {
      process.off('uncaughtException', logCrash)
      process.off('unhandledRejection', logCrash)
    },
  }
}

/** commander keeps what was given as strings, and `--classic` and `--no-classic` as a boolean. */
function listed(option: Option): Option {
  return option.required ? option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]) : option
}

function texts(value: unknown): readonly string[] | undefined {
  if (typeof value === 'boolean') return [String(value)]
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : undefined
}

function described({ what, variable, fallback, many }: ServeOptionRow): string {
  return `${what} (${many ? 'repeatable; ' : ''}default: ${fallback}; ${variable})`
}

const standardOutput = 1
const standardError = 2

const notes = `
A flag beats its variable, a variable beats the file, the file beats the default.
Of lists, variables take commas. The file is TOML: docs/cli.md shows one.

Standard output says where the server listens, what its fingerprint is, and an invite link,
which is a secret; the log goes to standard error and DIR/logs/server.log. SIGTERM and
SIGINT end the server in order.

Examples:
  sealwire serve                                       127.0.0.1:5555, ./sealwire-data
  sealwire serve 6000 --classic --registration open    for classic clients, who may all register
  sealwire serve --listen 0.0.0.0:5555 --host chat.example --data /srv/sealwire
  sealwire serve --limit frameMsMax=20000 --limit loginMsMax=20000`
