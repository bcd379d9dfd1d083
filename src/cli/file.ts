// `sealwire file`: files in a conversation. A lost connection, a killed command and a restarted server go on where they were.

import { basename, resolve } from 'node:path'
import { Command } from 'commander'
import { disk, partOf } from '../client/home/disk.ts'
import { formatMessageId, parseMessageId } from '../client/outbox/message-id.ts'
import type { Sealwire } from '../client/sealwire.ts'
import { systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { Advice } from './advice.ts'
import { savePlace } from './chat/files.ts'
import { writeAll, writeNow } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { connected } from './member/connected.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { adviseMember } from './member/member.ts'
import { freshId } from './options/id.ts'
import { isPassing } from './member/passing.ts'
import { commandLine, refuse } from './options/origin.ts'
import { ProgressLine } from './terminal/progress-line.ts'
import { readRecipient } from './send.ts'
import { pathArgument, shellWord } from './terminal/shell-word.ts'
import { endSignalOf, type HalfWay, stopOnSignals, stopped } from './terminal/stop-signal.ts'

interface FileFlags {
  readonly home?: string
  readonly id?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  const file = new Command('file').usage('COMMAND [OPTIONS]').description('Send a file in a conversation, or save one that was sent.')
  const sending = common(new Command('send').description('Send a file of up to 5 GB. Sending the same one again goes on where it stopped.'))
    .argument('<NAME>', 'a contact, or # and the number of a conversation')
    .argument('<PATH>', 'of the file')
    .option(
      '--id <uuid>',
      'a UUID of version 7: repeating it goes on, and sends nothing twice (default: a fresh one, printed as it begins)',
    )
    .action((name: string, path: string, _flags: FileFlags, self: Command) => send(name, path, self.optsWithGlobals<FileFlags>()))
  const getting = common(new Command('get').description('Save a file that was sent. Saving it again goes on where it stopped.'))
    .argument('<ID>', 'of the file, as inbox and history show it')
    .argument('[PATH]', 'where to, or a folder (default: its name, in this folder); nothing is written over')
    .action((id: string, path: string | undefined, _flags: FileFlags, self: Command) => get(id, path, self.optsWithGlobals<FileFlags>()))
  const forgetting = common(new Command('forget').description('Give a file up that was begun and not sent: it counts no more.'))
    .argument('<ID>', 'under which it was sent')
    .action((id: string, _flags: FileFlags, self: Command) => forget(id, self.optsWithGlobals<FileFlags>()))
  return file.addCommand(sending).addCommand(getting).addCommand(forgetting).addHelpText('after', notes)
}

function common(part: Command): Command {
  return part.option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)').option('--json', 'print a JSON object')
}

async function send(name: string, path: string, { home: flag, id: given, json = false }: FileFlags): Promise<void> {
  const recipient = readRecipient(name, commandLine('NAME'))
  const id = formatMessageId(given === undefined ? freshId() : parseId(given))
  // What cannot be sent is told before anybody is dialled, and before there is an id to go on with.
  await (await disk.source(resolve(path)))[Symbol.asyncDispose]()
  const more = [...(flag === undefined ? [] : ['--home', flag]), ...(json ? ['--json'] : [])]
  const again = ['sealwire', 'file', 'send', name, pathArgument(path), '--id', id, ...more].map(shellWord).join(' ')
  await withSealwire(flag, async (me, signal) => {
    const conversation = await me.conversation('to' in recipient ? recipient.to : recipient.conversation, { signal })
    const file = escapeControls(basename(path))
    if (given === undefined) writeNow(standardError, `sending ${file} under the id ${id}\n`)
    const transfer = { what: `sending ${file}`, again: `go on where it stopped: ${again} (nothing is sent twice)` }
    const sent = await carried(me, transfer, signal, (progress) => conversation.sendFile(resolve(path), { signal, progress, id }))
    await writeAll(standardOutput, json ? jsonLine({ id, conversation: sent.conversation, status: 'accepted' }) : `sent ${id}\n`)
  })
}

async function get(text: string, path: string | undefined, { home, json = false }: FileFlags): Promise<void> {
  const id = parseId(text)
  await withSealwire(home, async (me, signal) => {
    const file = await me.call('file.find', { id }, { signal })
    const { path: target } = savePlace(path, { name: file.name, id }, `sealwire file get ${text} PATH`)
    const part = escapeControls(partOf(target, id))
    const again = `the same command goes on where it stopped; what has come is in ${part}`
    const transfer = { what: `saving ${escapeControls(basename(target))}`, again }
    await carried(me, transfer, signal, (progress) => me.saveFile(file, target, { signal, progress }))
    await writeAll(standardOutput, json ? jsonLine({ id: text, path: target, size: file.size }) : `saved ${escapeControls(target)}\n`)
  })
}

async function forget(text: string, { home, json = false }: FileFlags): Promise<void> {
  const id = parseId(text)
  await withSealwire(home, async (me, signal) => {
    await me.call('file.abandon', { id }, { signal }).catch(notBegun)
    const named = formatMessageId(id)
    await writeAll(standardOutput, json ? jsonLine({ id: named, forgotten: true }) : `forgot ${named}\n`)
  })
}

/** What has been sent is none that was begun. */
function notBegun(reason: unknown): never {
  const error = SealwireError.from(reason)
  if (error.code !== 'not_found') throw error
  throw new SealwireError('not_found', 'no such file was begun', { cause: error, hint: 'one that was sent goes with its message' })
}

/** Carries a file, with a line that tells how far it is, and whether there is a connection. */
async function carried<T>(
  me: Sealwire,
  { what, again }: Transfer,
  signal: AbortSignal,
  carry: (progress: (done: number, size: number) => void) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  using line = new ProgressLine(what, systemClock)
  void tellLost(me, line, over.signal)
  try {
    return await carry((done, size) => line.show(done, size))
  } catch (reason) {
    const error = SealwireError.from(reason)
    if (error.code === 'internal') throw reason
    if (signal.aborted) throw stopped(signal, { next: again })
    if (!isPassing(error)) throw reason
    throw new SealwireError(error.code, error.sentence, { cause: error, hint: again })
  } finally {
    over.abort()
  }
}

async function tellLost(me: Sealwire, line: ProgressLine, signal: AbortSignal): Promise<void> {
  try {
    for await (const state of me.states({ signal })) {
      if (signal.aborted || state === 'closed') return
      line.note(state === 'online' ? undefined : 'connection lost, trying again')
    }
  } catch {
    // Whoever carries the file is told.
  }
}

interface Transfer {
  /** For the line. */
  readonly what: string
  /** How one that was cut off goes on. */
  readonly again: string
}

async function withSealwire(flag: string | undefined, use: (me: Sealwire, signal: AbortSignal) => Promise<void>): Promise<void> {
  const home = findHome(flag, process.env)
  using stop = stopOnSignals({ clock: systemClock, hangup: true })
  try {
    await using me = await connected(home, { clock: systemClock, signal: stop.signal })
    await use(me, stop.signal)
  } catch (reason) {
    const { code, hint } = SealwireError.from(reason)
    const isTold = hint !== undefined && endSignalOf(reason) !== undefined
    if (stop.signal.aborted && code !== 'internal' && !isTold) throw stopped(stop.signal, early)
    // How one that was cut off goes on is more than what is said to everybody.
    throw hint === undefined ? adviseMember(home, reason, advice) : reason
  }
}

/** An id as inbox prints it: with dashes, or without. */
function parseId(text: string): Uint8Array {
  try {
    const hex = text.replaceAll('-', '')
    return parseMessageId(formatMessageId(Uint8Array.from(Buffer.from(hex, 'hex'))))
  } catch {
    throw refuse(commandLine('ID'), text, 'is not an id', 'copy it from sealwire inbox or history')
  }
}

const advice: Advice = {
  not_contact: 'ask them first: sealwire contacts request NAME',
  not_found: 'check the name or the id; you have to be in the conversation',
  file_invalid: 'the file was changed while it was carried: try again',
  quota_exceeded:
    'they have to read what waits for them first; where too much is kept of yours, delete files that are not needed any more; sealwire file forget ID gives up one that was begun',
}
/** How it stands before the first byte of a file. */
const early: HalfWay = { next: 'run the same command again: nothing is done twice' }
const standardOutput = 1
const standardError = 2

const notes = `
Examples:
  sealwire file send bob photo.jpg
  sealwire file send '#12' backup.tar --id 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a
  sealwire file get 01936b1e7a7c7c4e8a510f3c2d1e4b5a ./photo.jpg`
