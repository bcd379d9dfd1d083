// `sealwire file`: files in a conversation. A lost connection, a killed command and a restarted server go on where they were.

import { basename, resolve } from 'node:path'
import { Command } from 'commander'
import { openSealwire } from '../client/home/open-sealwire.ts'
import { formatMessageId, parseMessageId } from '../client/message-id.ts'
import type { Sealwire } from '../client/sealwire.ts'
import { systemClock } from '../domain/clock.ts'
import type { Advice } from './advice.ts'
import { advised } from './advice.ts'
import { safeName } from './chat-files.ts'
import { writeAll } from './descriptor.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { jsonLine } from './json-line.ts'
import { adviseMember, warnOf } from './member.ts'
import { commandLine, refuse } from './origin.ts'
import { ProgressLine } from './progress-line.ts'
import { readRecipient } from './send.ts'
import { stopOnSignals } from './stop-signal.ts'

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
    .option('--id <uuid>', 'a UUID of version 7: repeating it goes on, and sends nothing twice (default: a fresh one, printed at once)')
    .action((name: string, path: string, _flags: FileFlags, self: Command) => send(name, path, self.optsWithGlobals<FileFlags>()))
  const getting = common(new Command('get').description('Save a file that was sent. Saving it again goes on where it stopped.'))
    .argument('<ID>', 'of the file, as inbox and history show it')
    .argument('[PATH]', 'where to (default: its name, in this folder)')
    .action((id: string, path: string | undefined, _flags: FileFlags, self: Command) => get(id, path, self.optsWithGlobals<FileFlags>()))
  return file.addCommand(sending).addCommand(getting).addHelpText('after', notes)
}

function common(part: Command): Command {
  return part.option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)').option('--json', 'print a JSON object')
}

async function send(name: string, path: string, { home, id, json = false }: FileFlags): Promise<void> {
  const recipient = readRecipient(name, commandLine('NAME'))
  if (id !== undefined) parseId(id)
  await withSealwire(home, async (me, signal) => {
    using line = new ProgressLine(`sending ${escapeControls(basename(path))}`, systemClock)
    const conversation = await me.conversation('to' in recipient ? recipient.to : recipient.conversation)
    const progress = (done: number, size: number): void => line.show(done, size)
    const sent = await conversation.sendFile(resolve(path), { signal, progress, ...(id === undefined ? {} : { id }) })
    line.end()
    await writeAll(
      standardOutput,
      json ? jsonLine({ id: sent.id, conversation: sent.conversation, status: 'accepted' }) : `sent ${sent.id}\n`,
    )
  })
}

async function get(text: string, path: string | undefined, { home, json = false }: FileFlags): Promise<void> {
  const id = parseId(text)
  await withSealwire(home, async (me, signal) => {
    const file = await me.call('file.find', { id }, { signal })
    // The name is its sender's: never a path of theirs.
    const target = resolve(path ?? safeName(file.name, id))
    using line = new ProgressLine(`saving ${escapeControls(basename(target))}`, systemClock)
    await me.saveFile(file, target, { signal, progress: (done, size) => line.show(done, size) })
    line.end()
    await writeAll(standardOutput, json ? jsonLine({ id: text, path: target, size: file.size }) : `saved ${escapeControls(target)}\n`)
  })
}

async function withSealwire(flag: string | undefined, use: (me: Sealwire, signal: AbortSignal) => Promise<void>): Promise<void> {
  const home = findHome(flag, process.env)
  using stop = stopOnSignals({ clock: systemClock })
  try {
    await using me = await openSealwire(home.path, { signal: stop.signal, warn: warnOf })
    await use(me, stop.signal)
  } catch (reason) {
    throw advised(adviseMember(home, reason), advice)
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
  not_found: 'check the name or the id; you have to be in the conversation',
  file_invalid: 'the file was changed while it was carried: try again',
  quota_exceeded: 'delete files that are not needed any more',
}
const standardOutput = 1

const notes = `
Examples:
  sealwire file send bob photo.jpg
  sealwire file send '#12' backup.tar --id 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a
  sealwire file get 01936b1e7a7c7c4e8a510f3c2d1e4b5a ./photo.jpg`
