// `sealwire agent`: what it is told, and how it tells what happens.

import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { type Clock, systemClock } from '../domain/clock.ts'
import { isPin } from '../pki/pin.ts'
import { type Limits, limitTable, resolveLimits } from '../protocol/limits.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type AgentNews, type AgentParts, type AgentPlan, runAgent } from './agent/run.ts'
import { dialV1 } from './agent/v1.ts'
import { AgentV2 } from './agent/v2.ts'
import { writeAll } from './terminal/descriptor.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from './options/endpoint.ts'
import { escapeControls } from './terminal/escape.ts'
import { jsonLine } from './terminal/json-line.ts'
import { commandLine, refuse } from './options/origin.ts'
import { stopOnSignals } from './terminal/stop-signal.ts'

/** The flags as they were typed. */
export interface AgentFlags {
  readonly v1?: boolean
  readonly pin?: string
  readonly count?: string
  readonly interval?: string
  readonly json?: boolean
}

/** What an agent is started with. */
export interface AgentConfig extends AgentPlan {
  readonly server: Endpoint
  readonly version: 1 | 2
  readonly pin: string | undefined
  readonly json: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('agent')
    .usage('[OPTIONS] HOST:PORT')
    .description('Try out the sealed channel: send messages to a server and print them as they come back.')
    .argument('<HOST:PORT>', 'where the server listens with --sealed')
    .option('--v1', 'speak version 1, which does not stop a man in the middle')
    .option('--pin <fingerprint>', 'the sealed fingerprint of the server, as it prints it')
    .option('--count <n>', 'how many messages (default: 5)')
    .option('--interval <duration>', 'how long to wait between two, such as 500ms, 1s or 1m (default: 1s)')
    .option('--json', 'print a JSON object for each thing that happens')
    .addHelpText('after', notes)
    .action(async (server: string, flags: AgentFlags) => {
      const { stdin, stdout } = process
      await agentWith(resolveAgentConfig(server, flags, stdin.isTTY && stdout.isTTY))
    })
}

/**
 * The configuration of `agent`. `terminal`: whether a person is there, who can compare a fingerprint.
 * @throws {SealwireError} `usage`
 */
export function resolveAgentConfig(text: string, { v1 = false, pin, json = false, ...flags }: AgentFlags, terminal: boolean): AgentConfig {
  const server = parseEndpoint(text, commandLine('HOST:PORT'))
  if (server.port === 0) throw refuse(commandLine('HOST:PORT'), text, 'has no port to dial', 'give the port on which the server listens')
  if (v1 && pin !== undefined) {
    throw new SealwireError('usage', 'version 1 has no key that --pin could check', { hint: 'leave --v1 out' })
  }
  if (pin !== undefined && !isPin(pin)) {
    throw refuse(commandLine('--pin'), pin, 'is not a fingerprint', 'write it as the server prints it: SHA256:…')
  }
  if (!v1 && pin === undefined && !terminal) {
    throw new SealwireError('usage', 'without a terminal the fingerprint of the server is needed', {
      hint: 'give --pin SHA256:…, as the server prints it',
    })
  }
  const plan = { count: readCount(flags.count ?? '5'), intervalMs: readInterval(flags.interval ?? '1s') }
  return Object.freeze({ server, version: v1 ? 1 : 2, pin, json, ...plan })
}

async function agentWith(config: AgentConfig): Promise<void> {
  using stop = stopOnSignals({ clock: systemClock })
  const [clock, limits] = [systemClock, resolveLimits()]
  if (config.version === 1) await writeAll(standardError, `sealwire: warning: ${v1Warning}\n`)
  const tell = (news: AgentNews): Promise<void> => tellNews(news, config)
  const parts = { dial: dialler(config, { clock, limits }), tell, clock, limits, stop: stop.signal, random: Math.random }
  await runAgent(config, { ...parts, wait: (ms, signal) => wait(ms, undefined, { signal }) })
}

/** What connects to the server, each time it is asked. */
export function dialler(
  { server, version, pin }: AgentConfig,
  parts: { readonly clock: Clock; readonly limits: Limits },
): AgentParts['dial'] {
  if (version === 1) return (signal) => dialV1(server, parts, signal)
  const agent = new AgentV2(server, pin, parts)
  return (signal) => agent.dial(signal)
}

async function tellNews(news: AgentNews, config: AgentConfig): Promise<void> {
  if (config.json) return writeAll(standardOutput, jsonLine(objectOf(news, config)))
  const { out = '', aside = '' } = linesOf(news, config)
  await writeAll(standardOutput, out)
  await writeAll(standardError, aside)
}

/** What a program is told. */
export function objectOf(news: AgentNews, { server, version, pin }: Pick<AgentConfig, 'server' | 'version' | 'pin'>): object {
  if (news.event !== 'connected') return news
  return { ...news, server: formatEndpoint(server), version, verified: pin !== undefined }
}

/** What a person is told: on standard output, and on standard error. */
export function linesOf(news: AgentNews, { server, version, pin, count }: AgentConfig): { readonly out?: string; readonly aside?: string } {
  const place = formatEndpoint(server)
  switch (news.event) {
    case 'connected': {
      const key = news.pin === undefined ? '' : `, fingerprint ${news.pin}`
      const aside =
        news.pin === undefined || pin !== undefined ? '' : `sealwire: this is what ${place} shows, and it is not verified. ${compare}\n`
      return { out: `connected to ${place}, version ${version}${key}\n`, aside }
    }
    case 'echoed':
      return { out: `received from server: ${escapeControls(news.text)} (${news.number} of ${count}, ${news.ms} ms)\n` }
    case 'waiting': {
      const why = [news.sentence, ...(news.hint === undefined ? [] : [news.hint])].map(escapeControls).join('. ')
      return { aside: `sealwire: ${why}. trying again in ${(news.ms / 1000).toFixed(1)} s\n` }
    }
    case 'done':
      return { out: `${news.messages} of ${count} came back\n` }
  }
}

function readCount(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= countMax) return count
  throw refuse(commandLine('--count'), text, `is not a whole number from 1 to ${countMax}`, 'write --count 5')
}

function readInterval(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,7})(ms|s|m)$/.exec(text) ?? []
  const ms = digits === '' ? intervalMsMax + 1 : Number(digits) * (unitsMs[unit] ?? 1)
  if (ms <= intervalMsMax) return ms
  throw refuse(commandLine('--interval'), text, 'is not a duration up to 60m', 'write a number and ms, s or m, such as 500ms or 1s')
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }
const intervalMsMax = 60 * 60_000
const countMax = 1_000_000
const standardOutput = 1
const standardError = 2
const v1Warning = 'version 1 proves nothing about who answers: a man in the middle reads everything. use it on this machine only'
const compare = 'compare it with what the operator says, and give it with --pin'

const notes = `
A connection that breaks is made again after 1 s, 2 s, 4 s, up to ${limitTable.agentRetryMsMax.value / 1000} s, a little more or less. A server with
another fingerprint ends it at once. At a terminal the fingerprint may be left out: it is shown,
and the first one that is seen is kept until the end.

Examples:
  sealwire agent 127.0.0.1:1337 --pin SHA256:…       five messages, a second apart
  sealwire agent 127.0.0.1:1337 --pin SHA256:… --count 100 --interval 0ms --json
  sealwire agent 127.0.0.1:1337 --v1                  the wire of version 1, on this machine`
