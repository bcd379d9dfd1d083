// `sealwire send`: one message, stored on the server when the command has ended well. It tries again by itself for as long as
// it may, under one and the same id, so that a message is never sent twice; what fails leaves nothing behind.

import { isUtf8 } from 'node:buffer'
import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import type { Home } from '../client/home/home.ts'
import { type Clock, systemClock } from '../domain/clock.ts'
import { messageBodyBytesMax, type Params, type Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { Advice } from './advice.ts'
import { writeAll } from './terminal/descriptor.ts'
import { findHome } from './member/find-home.ts'
import { ownId } from './options/id.ts'
import { jsonLine } from './terminal/json-line.ts'
import { mentionsIn } from './terminal/mentions.ts'
import { openMember } from './member/member.ts'
import { commandLine, refuse } from './options/origin.ts'
import { tryUntil } from './member/passing.ts'

interface SendFlags {
  readonly home?: string
  readonly id?: string
  readonly timeout?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('send')
    .usage('[OPTIONS] NAME TEXT')
    .description('Send one message. It is stored when the command ends well, and reaches every device it is meant for.')
    .argument('<NAME>', 'a contact, or # and the number of a conversation')
    .argument('<TEXT>', 'what to say; - reads it from standard input')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--id <uuid>', 'a UUID of version 7: repeating it sends nothing twice (default: a fresh one)')
    .option('--timeout <seconds>', 'how long to try, in whole seconds (default: 15)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(send)
}

async function send(to: string, text: string, { home, id, timeout, json = false }: SendFlags): Promise<void> {
  const recipient = readRecipient(to, commandLine('NAME'))
  const body = await readBody(text)
  const mentions = 'conversation' in recipient ? mentionsIn(new TextDecoder().decode(body)) : []
  const message = { ...recipient, id: ownId(id, again), body, ...(mentions.length === 0 ? {} : { mentions: [...mentions] }) }
  const until = systemClock.monotonic() + readSeconds(timeout) * 1_000
  const sent = await sendUntil(findHome(home, process.env), message, until, systemClock)
  const shown = { id: formatMessageId(message.id), conversation: sent.conversation, status: 'accepted' }
  await writeAll(standardOutput, json ? jsonLine(shown) : `sent ${shown.id}\n`)
}

/** Whom it is for: a name, or `#` and the number of a conversation. */
export function readRecipient(text: string, origin: ReturnType<typeof commandLine>): { to: string } | { conversation: number } {
  if (!text.startsWith('#')) return { to: text }
  if (/^#[1-9]\d{0,9}$/.test(text)) return { conversation: Number(text.slice(1)) }
  throw refuse(origin, text, 'is no conversation', 'write # and its number, as sealwire rooms lists it')
}

/**
 * Sends a message, again and again under its id while no answer comes, until `until` on the monotonic clock.
 * @throws {SealwireError} what the server refuses; why there was no answer in time.
 */
async function sendUntil(home: Home, message: Params<'message.send'>, until: number, clock: Clock): Promise<Result<'message.send'>> {
  return await tryUntil({ clock, until, advice }, () => sendOnce(home, message, until, clock))
}

async function sendOnce(home: Home, message: Params<'message.send'>, until: number, clock: Clock): Promise<Result<'message.send'>> {
  const giveUp = new AbortController()
  const deadline = clock.after(Math.max(until - clock.monotonic(), 1), () => giveUp.abort())
  try {
    await using member = await openMember(home, { clock, signal: giveUp.signal })
    return await member.client.request('message.send', message, { signal: giveUp.signal })
  } finally {
    deadline.cancel()
  }
}

function readSeconds(text = '15'): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw refuse(commandLine('--timeout'), text, 'is not a number of seconds from 1 to 9999', 'write 15')
}

/** @throws {SealwireError} `message_too_large`; `usage` for nothing, and for what is no text. */
async function readBody(text: string): Promise<Uint8Array> {
  const [origin, body] = text === '-' ? ['standard input', await readInput()] : ['TEXT', Buffer.from(text)]
  if (body.length > messageBodyBytesMax)
    throw new SealwireError('message_too_large', `a message has at most ${messageBodyBytesMax} bytes`, { hint: asFile })
  if (body.length === 0) throw new SealwireError('usage', `${origin} is empty`, { hint: 'say something: sealwire send NAME TEXT' })
  // Whoever reads it would see something else.
  if (!isUtf8(body)) throw new SealwireError('usage', `${origin} is no text in UTF-8`, { hint: asFile })
  return new Uint8Array(body)
}

/** Enough of it to know that it is too long. */
async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > messageBodyBytesMax) break
  }
  return Buffer.concat(chunks)
}

const advice: Advice = {
  not_contact: 'ask them first: sealwire contacts request NAME',
  not_found: 'check the name, or ask them first: sealwire contacts request NAME',
  quota_exceeded: 'they have to read what waits for them first; where too much is kept of yours, delete some of it',
  unknown_outcome: `it may have been sent: repeat the command with the same --id`,
}
const again = 'leave it out, or repeat the one that a send has printed'
const asFile = 'send it as a file: sealwire file send NAME PATH'
const standardOutput = 1

const notes = `
Who does not know you has to be asked first: sealwire contacts request NAME. Without an answer the
message is sent again under the same id, until --timeout; a send that fails leaves nothing queued.

Examples:
  sealwire send bob 'the build is green'
  uptime | sealwire send bob -
  sealwire send '#12' 'to a room' --json
  sealwire send bob paid --id 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a`
