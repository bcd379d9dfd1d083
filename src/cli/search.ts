// `sealwire search`: messages by their words.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { checkLength } from './options/length.ts'
import { writeAll, writeNow } from './terminal/descriptor.ts'
import { entryJson, entryLine } from './terminal/entry-line.ts'
import { EntryRooms } from './terminal/entry-room.ts'
import { findHome } from './member/find-home.ts'
import { conversationOf } from './history.ts'
import { withMember } from './member/member.ts'
import { commandLine, refuse } from './options/origin.ts'
import { readRecipient } from './send.ts'

interface SearchFlags {
  readonly home?: string
  readonly in?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('search')
    .usage('[OPTIONS] TEXT')
    .description('Find messages that have all these words, newest first.')
    .argument('<TEXT>', 'whole words')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--in <name>', 'only with this contact, or # and the number of a conversation')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(search)
}

async function search(text: string, { home, in: where, json = false }: SearchFlags): Promise<void> {
  checkWords(text)
  const recipient = where === undefined ? undefined : readRecipient(where, commandLine('--in'))
  await withMember(findHome(home, process.env), { clock: systemClock }, async ({ client, profile }) => {
    const place = recipient === undefined ? {} : { conversation: await conversationOf(client, recipient) }
    const { entries, more, upTo } = await client.request('message.search', { text, ...place, max: 200 })
    const rooms = new EntryRooms((conversation) => client.request('conversation.find', { conversation }), profile.name)
    // One after the other: of a conversation the server is asked once.
    for (const entry of entries) await writeAll(standardOutput, json ? entryJson(entry) : entryLine(entry, await rooms.placeOf(entry)))
    const behind = systemClock.now() - upTo > lagMs ? ` (searched up to ${new Date(upTo).toISOString()})` : ''
    if (entries.length === 0) writeNow(standardError, `nothing was found${behind}\n`)
    else if (more || behind !== '') writeNow(standardError, `${more ? 'there are more: add a word' : 'that is all'}${behind}\n`)
  })
}

/** @throws {SealwireError} `usage` for what no server searches for. */
function checkWords(text: string): void {
  if (text === '') throw refuse(commandLine('TEXT'), text, 'has no word', 'write a word that the message has')
  checkLength('TEXT', text, charactersMax, 'write fewer words')
}

/** As in `message.search`. */
const charactersMax = 200
/** An index that is this much behind is worth a word. */
const lagMs = 5_000
const standardOutput = 1
const standardError = 2

const notes = `
Examples:
  sealwire search invoice
  sealwire search 'green build' --in bob
  sealwire search lunch --json | jq -r .from`
