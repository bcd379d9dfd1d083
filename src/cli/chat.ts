// `sealwire chat`: what it is told, and whom it talks through.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { chatBodyBytesMax } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { resolveLimits } from '../protocol/limits.ts'
import { advised } from './advice.ts'
import { runChat } from './chat-run.ts'
import { ChatTerminal } from './chat-terminal.ts'
import { type ChatView, PlainView } from './chat-view.ts'
import { wantsColours } from './colours.ts'
import { inputLines } from './echo-input.ts'
import { EchoOutput } from './echo-output.ts'
import { formatEndpoint } from './endpoint.ts'
import { findHome, type Home } from './home.ts'
import { type Member, openMember } from './member.ts'
import { stopOnSignals } from './stop-signal.ts'

interface ChatFlags {
  readonly home?: string
  readonly json?: boolean
  readonly raw?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('chat')
    .usage('[OPTIONS] [NAME]')
    .description('Talk to somebody, line by line. Without NAME: be there, and accept who asks.')
    .argument('[NAME]', 'whom to ask for a chat')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object for each thing that happens')
    .option('--raw', 'with NAME, in a pipe: say every line as it is, also one that begins with /')
    .addHelpText('after', notes)
    .action(chat)
}

async function chat(name: string | undefined, { home, json = false, raw = false }: ChatFlags): Promise<void> {
  if (raw) checkRaw(name, process.stdin.isTTY)
  using stop = stopOnSignals({ clock: systemClock })
  const member = await openStoppable(findHome(home, process.env), stop.signal)
  if (member === undefined) return
  const { profile, client } = member
  using talkers = openTalkers(json)
  const { view, lines, terminal } = talkers
  try {
    view.tell({ event: 'ready', name: profile.name, server: formatEndpoint(profile.server) })
    await runChat(name, { client, lines, view, terminal, json, raw, stop: stop.signal })
    await client.drain()
  } catch (reason) {
    throw advised(reason)
  } finally {
    client.close()
  }
}

/** Without commands nobody can be asked or accepted, and who types could not leave. */
function checkRaw(name: string | undefined, isTerminal: boolean): void {
  if (name === undefined)
    throw new SealwireError('usage', '--raw is for a chat with somebody', { hint: 'say with whom: sealwire chat --raw NAME' })
  if (isTerminal) throw new SealwireError('usage', '--raw is for what comes from a pipe or a file', { hint: 'leave it out at a terminal' })
}

/** `undefined` when whoever started it does not want it any more. */
async function openStoppable(home: Home, signal: AbortSignal): Promise<Member | undefined> {
  try {
    return await openMember(home, { clock: systemClock, signal })
  } catch (reason) {
    if (signal.aborted) return undefined
    throw reason
  }
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
  const lines = inputLines(input, chatBodyBytesMax + 2)
  return { view: new PlainView(text, { json }), lines, terminal: false, [Symbol.dispose]: () => void input.destroy() }
}

const standardOutput = 1

const notes = `
What you type is said; what begins with / is a command: /ask NAME, /accept, /decline, /exit, /who,
/block NAME, /unblock NAME, /help, /quit. In a pipe there is no prompt, lines wait until the one
who was asked has answered, and the end of the input ends the chat.

Examples:
  sealwire chat                          be there for others
  sealwire chat bob                      ask bob
  make 2>&1 | sealwire chat --raw bob    what a program prints, whatever is in it
  sealwire chat --json --home ./bot      for a program`
