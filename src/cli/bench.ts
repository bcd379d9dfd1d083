// `sealwire bench`: what it is told, as whom it measures, and how it tells what it has seen.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { type Clock, systemClock } from '../domain/clock.ts'
import { systemRandomness } from '../domain/randomness.ts'
import { Home } from '../client/home/home.ts'
import { joinServer, type JoinTarget } from '../client/home/join.ts'
import { KnownServers } from '../client/home/known-servers.ts'
import { readProfile } from '../client/home/profile.ts'
import { SealwireError } from '../protocol/errors.ts'
import { limitTable } from '../protocol/limits.ts'
import { advised } from './advice.ts'
import { type BenchPart, type BenchPlan, runBench } from './bench/run.ts'
import { benchJson, benchLine, staysLine } from './bench/words.ts'
import { writeAll } from './terminal/descriptor.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { readTarget } from './join/request.ts'
import { openMember, warnOf } from './member/member.ts'
import { commandLine, refuse } from './options/origin.ts'
import { stopOnSignals } from './terminal/stop-signal.ts'

/** The flags as they were typed. */
export interface BenchFlags {
  readonly home?: string
  readonly pin?: string
  readonly accounts?: string
  readonly senders?: string
  readonly depth?: string
  readonly seconds?: string
  readonly size?: string
  readonly json?: boolean
}

/** What a measurement is started with. */
export interface BenchConfig extends BenchPlan {
  /** Where accounts are made for it; `undefined` where the one of the home does. */
  readonly target: JoinTarget | undefined
  readonly home: Home
  readonly accounts: number
  readonly json: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('bench')
    .usage('[OPTIONS] [LINK | HOST:PORT]')
    .description('Measure a server that runs: how long connections, pings and durable messages take there.')
    .argument('[LINK]', 'invite link in quotes, with which accounts are made; or HOST:PORT (default: the account of the home)')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--pin <fingerprint>', 'with HOST:PORT: the fingerprint of the server (default: as it is known in the home)')
    .option('--accounts <n>', 'with LINK or HOST:PORT: how many accounts, 1 to 32 (default: 1)')
    .option('--senders <n>', 'connections that send messages, 1 to 32 (default: 4)')
    .option('--depth <n>', 'messages of each that have no answer yet, 1 to 32 (default: 4)')
    .option('--seconds <n>', 'how long, 1 to 60; messages get three quarters of it, pings the rest at most (default: 10)')
    .option('--size <bytes>', 'of a message, 1 to 16384 (default: 64)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(async (place: string | undefined, flags: BenchFlags) => {
      await benchWith(resolveBenchConfig(place, flags, process.env))
    })
}

/**
 * The configuration of `bench`.
 * @throws {SealwireError} `usage`, `link_invalid`; `config_invalid` for a home that nobody can use.
 */
export function resolveBenchConfig(place: string | undefined, flags: BenchFlags, environment: NodeJS.ProcessEnv): BenchConfig {
  const home = findHome(flags.home, environment)
  const target = place === undefined ? undefined : readTarget(place, flags.pin ?? knownPin(place, home))
  if (target === undefined && (flags.pin ?? flags.accounts) !== undefined)
    throw new SealwireError('usage', '--pin and --accounts are for LINK and HOST:PORT', { hint: 'leave them out, or say which server' })
  if (target?.makes === 'device')
    throw new SealwireError('usage', 'this link is for one more device of an account', { hint: 'make one with sealwire invite' })
  const { accounts = '1', senders = '4', depth = '4', seconds = '10', size = '64', json = false } = flags
  return Object.freeze({
    target,
    home,
    json,
    accounts: readWhole('--accounts', accounts, 32),
    senders: readWhole('--senders', senders, 32),
    depth: readWhole('--depth', depth, 32),
    durationMs: 1000 * readWhole('--seconds', seconds, 60),
    bodyBytes: readWhole('--size', size, 16_384),
  })
}

async function benchWith(config: BenchConfig): Promise<void> {
  using stop = stopOnSignals({ clock: systemClock })
  using made = new MadeHomes()
  const { target, accounts, json } = config
  const homes = target === undefined ? [config.home] : await made.join(target, accounts, { clock: systemClock, signal: stop.signal })
  const names = homes.map((home) => readProfile(home).name)
  const parts: BenchPart[] = []
  const tell = async (part: BenchPart): Promise<void> => {
    parts.push(part)
    if (!json) await writeAll(standardOutput, `${benchLine(part, config)}\n`)
  }
  const open = (index: number, signal: AbortSignal) =>
    openMember(homes[index % homes.length] ?? config.home, { clock: systemClock, signal })
  try {
    await runBench(config, { open, accounts, clock: systemClock, random: systemRandomness, signal: stop.signal, tell })
  } catch (reason) {
    throw advised(reason)
  } finally {
    const stays = { names: target === undefined ? [] : names, parts, bodyBytes: config.bodyBytes }
    await writeAll(standardOutput, json ? jsonLine(benchJson(stays)) : `${staysLine(stays)}\n`)
  }
}

/** Homes of accounts that nobody needs afterwards. */
class MadeHomes implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))

  async join(target: JoinTarget, count: number, parts: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<readonly Home[]> {
    const homes: Home[] = []
    for (let index = 0; index < count; index++) {
      const home = new Home(join(this.#folder, String(index)))
      const name = `bench${Buffer.from(systemRandomness(new Uint8Array(5))).toString('hex')}`
      try {
        await joinServer(home, { ...target, name, password: undefined, login: false }, { ...parts, warn: warnOf })
      } catch (reason) {
        throw advised(reason, { invitation_used: 'ask for a link that is good for as many: sealwire invite --uses N' })
      }
      homes.push(home)
    }
    return homes
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Of HOST:PORT, when the home knows a server there. */
function knownPin(place: string, home: Home): string | undefined {
  const [, host, port] = /^([^/#]+):(\d{1,5})$/.exec(place) ?? []
  return host === undefined ? undefined : new KnownServers(home).pinOf({ host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) })
}

function readWhole(flag: string, text: string, max: number): number {
  const value = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Infinity
  if (value <= max) return value
  throw refuse(commandLine(flag), text, `is not a whole number from 1 to ${max}`, `write ${flag} 1, for example`)
}

const standardOutput = 1

const notes = `
A hundred pings, then messages in a room of its own until the time is over, and it leaves. The
load is at most SENDERS × DEPTH messages at a time, and a server holds back an account that says more
than it may: ${limitTable.messagesBurstPerAccountMax.value} at once, then ${limitTable.messagesPerSecondPerAccountMax.value} a second, unless its operator has said otherwise. What was
before that is measured, and it is told; more accounts may say more. What was said stays at the
server, and so do accounts that were made; nobody can log in to them afterwards.

Examples:
  sealwire bench                               as the account of the home
  sealwire bench "$(sealwire invite)"          as an account that is made for it
  sealwire bench "$(sealwire invite --uses 8)" --accounts 8 --senders 8
  sealwire bench --json | jq .ping.p99Ms`
