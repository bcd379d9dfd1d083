// `sealwire chat`: what it is told, and whom it talks through.

import { Command } from 'commander'
import { openSealwire } from '../client/home/open-sealwire.ts'
import type { DirectOptions } from '../client/direct/direct.ts'
import { DirectNote } from '../client/home/direct-ways.ts'
import type { Home } from '../client/home/home.ts'
import { type Profile, readProfile } from '../client/home/profile.ts'
import type { Sealwire } from '../client/index.ts'
import { systemClock } from '../domain/clock.ts'
import { messageBodyBytesMax } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { resolveLimits } from '../protocol/limits.ts'
import { whoOf } from './chat/deeds.ts'
import { shownEarlier } from './chat/direct-heard.ts'
import { type DirectFlags, readDirect } from './chat/direct-options.ts'
import { runChat } from './chat/run.ts'
import { ChatTerminal } from './chat/terminal.ts'
import { type ChatView, PlainView } from './chat/view.ts'
import { wantsColours } from './terminal/colours.ts'
import { inputLines } from './echo/input.ts'
import { EchoOutput } from './echo/output.ts'
import { formatEndpoint } from './options/endpoint.ts'
import { findHome } from './member/find-home.ts'
import { adviseMember, warnOf } from './member/member.ts'
import { PendingPayments } from './money/pending-payments.ts'
import { stopOnSignals } from './terminal/stop-signal.ts'

interface ChatFlags extends DirectFlags {
  readonly home?: string
  readonly json?: boolean
  readonly raw?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('chat')
    .usage('[OPTIONS] [NAME]')
    .description('Talk to somebody, line by line, whether they are here or not. Without NAME: see what comes, and accept who asks.')
    .argument('[NAME]', 'with whom to talk; # and its number for a room')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object for each thing that happens')
    .option('--raw', 'with NAME, in a pipe: say every line as it is, also one that begins with /')
    .option('--direct', 'let contacts connect to this device, which shows them its addresses')
    .option('--direct-port <port>', 'with --direct: the port at which they connect')
    .option('--direct-announce <host:port>', 'with --direct: an address that leads here, such as of a router; may be repeated', repeated)
    .addHelpText('after', notes)
    .action(chat)
}

async function chat(name: string | undefined, { home: folder, json = false, raw = false, ...flags }: ChatFlags): Promise<void> {
  const direct = readDirect(flags)
  if (raw) checkRaw(name, process.stdin.isTTY)
  const who = name === undefined ? undefined : whoOf(name)
  const home = findHome(folder, process.env)
  const profile = readProfile(home)
  const isTold = await shownEarlier(home, profile.name)
  using stop = stopOnSignals({ clock: systemClock })
  const me = await connected(home, stop.signal, direct)
  if (me === undefined) return
  using note = direct === undefined ? undefined : noteOf(home)
  using talkers = openTalkers(json)
  talkers.view.tell(readyNews(profile))
  const pending = new PendingPayments(home, profile.name)
  await runChat(who, { ...talkers, me, pending, note, isTold, clock: systemClock, json, raw, stop: stop.signal })
}

function readyNews({ name, server }: Profile) {
  return { event: 'ready', name, server: formatEndpoint(server) } as const
}

/** Without commands nobody can be asked or accepted, and who types could not leave. */
function checkRaw(name: string | undefined, isTerminal: boolean): void {
  if (name === undefined)
    throw new SealwireError('usage', '--raw is for a chat with somebody', { hint: 'say with whom: sealwire chat --raw NAME' })
  if (isTerminal) throw new SealwireError('usage', '--raw is for what comes from a pipe or a file', { hint: 'leave it out at a terminal' })
}

/**
 * The first connection has to come about; later ones are made again and again. `undefined` when whoever started it does not want
 * it any more.
 */
async function connected(home: Home, signal: AbortSignal, direct: DirectOptions | undefined): Promise<Sealwire | undefined> {
  const me = await openSealwire(home.path, { offline: true, warn: warnOf, ...(direct === undefined ? {} : { direct }) })
  try {
    for await (const state of me.states({ signal })) {
      if (state === 'online') return me
      if (state === 'offline') throw SealwireError.from(me.reason)
    }
  } catch (reason) {
    await me.close()
    throw adviseMember(home, reason)
  }
  await me.close()
  return undefined
}

/** Without it `status` tells less, and the chat goes on. */
function noteOf(home: Home): DirectNote | undefined {
  try {
    return new DirectNote(home)
  } catch (reason) {
    warnOf('status cannot tell how this chat talks with whom', reason)
    return undefined
  }
}

function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Who types and who reads: a person at a terminal, or programs and files. */
interface Talkers extends Disposable {
  readonly view: ChatView
  readonly lines: AsyncIterable<Uint8Array>
  readonly terminal: boolean
}

function openTalkers(json: boolean): Talkers {
  const { stdin: input, stdout: output, env } = process
  if (!json && input.isTTY && output.isTTY && env['TERM'] !== 'dumb') {
    const view = new ChatTerminal({ input, output, colours: wantsColours(standardOutput, env) })
    return { view, lines: view.lines(), terminal: true, [Symbol.dispose]: () => view[Symbol.dispose]() }
  }
  const limits = resolveLimits()
  const text = new EchoOutput(standardOutput, { ...limits, echoOutputBytesMax: limits.chatOutputBytesMax }, systemClock)
  // A line that is too long is handed out so that it can be refused.
  const lines = inputLines(input, messageBodyBytesMax + 2)
  return { view: new PlainView(text, { json }), lines, terminal: false, [Symbol.dispose]: () => void input.destroy() }
}

const standardOutput = 1

const notes = `
What you type is stored on the server and reaches them whenever they are here; who does not know you
is asked first. What begins with / is a command: /talk NAME, /accept, /decline, /exit, /history,
/edit TEXT, /delete, /unsend, /react EMOJI, /file PATH, /save, /pay 5 for WHAT, /request 5, /balance,
/who, /contacts, /rooms, /status, /block NAME, /quit; /help explains them. In a pipe there is no
prompt, and the end of the input ends the chat: exit code 0 means that every line is stored on the
server.

With --direct this device and that of a contact who does so too connect to each other where they
can, beside the server. Contacts who ask then learn the addresses of this device: docs/direct.md.

Examples:
  sealwire chat                          see what comes, and who asks
  sealwire chat bob                      talk with bob
  sealwire chat '#12'                    talk in a room
  make 2>&1 | sealwire chat --raw bob    what a program prints, whatever is in it
  sealwire chat --json --home ./bot      for a program`
