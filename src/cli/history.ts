// `sealwire history`: what was said in a conversation.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import type { Entry } from '../protocol/contract/index.ts'
import { writeAll } from './terminal/descriptor.ts'
import { entryJson, entryLine } from './terminal/entry-line.ts'
import { findHome } from './member/find-home.ts'
import { withMember } from './member/member.ts'
import { commandLine, refuse } from './options/origin.ts'
import { readRecipient } from './send.ts'

interface HistoryFlags {
  readonly home?: string
  readonly max?: string
  readonly pinned?: boolean
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('history')
    .usage('[OPTIONS] NAME')
    .description('Print what was said in a conversation, oldest first.')
    .argument('<NAME>', 'a contact, or # and the number of a conversation')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--max <count>', 'the newest so many (default: everything)')
    .option('--pinned', 'only messages that are pinned')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(history)
}

async function history(name: string, { home, max, pinned = false, json = false }: HistoryFlags): Promise<void> {
  const recipient = readRecipient(name, commandLine('NAME'))
  const count = max === undefined ? Number.POSITIVE_INFINITY : readCount(max)
  await withMember(
    findHome(home, process.env),
    { clock: systemClock },
    async ({ client }) => {
      const conversation = await conversationOf(client, recipient)
      const print = (entries: readonly Entry[]): Promise<void> =>
        writeAll(standardOutput, entries.map((entry) => (json ? entryJson(entry) : entryLine(entry))).join(''))
      await (count === Number.POSITIVE_INFINITY
        ? printAll(client, conversation, pinned, print)
        : printNewest(client, conversation, { count, pinned }, print))
    },
    { not_found: 'you have never talked with them, or are not in that room' },
  )
}

/** The number of a conversation, however it was named. */
export async function conversationOf(client: Pick<Client, 'request'>, to: { to: string } | { conversation: number }): Promise<number> {
  if ('conversation' in to) return to.conversation
  return (await client.request('conversation.find', { name: to.to })).conversation
}

async function printAll(
  client: Pick<Client, 'request'>,
  conversation: number,
  pinned: boolean,
  print: (entries: readonly Entry[]) => Promise<void>,
): Promise<void> {
  for (let after = 0; ; ) {
    const { entries, more } = await client.request('message.history', { conversation, after, max: pageMax, pinned })
    await print(entries)
    after = entries.at(-1)?.seq ?? after
    if (!more || entries.length === 0) return
  }
}

async function printNewest(
  client: Pick<Client, 'request'>,
  conversation: number,
  { count, pinned }: { readonly count: number; readonly pinned: boolean },
  print: (entries: readonly Entry[]) => Promise<void>,
): Promise<void> {
  const pages: (readonly Entry[])[] = []
  let before: number | undefined
  for (let left = count; left > 0; ) {
    const place = before === undefined ? {} : { before }
    const { entries, more } = await client.request('message.history', { conversation, ...place, max: Math.min(left, pageMax), pinned })
    pages.unshift(entries)
    left -= entries.length
    before = entries[0]?.seq
    if (!more || before === undefined) break
  }
  for (const page of pages) await print(page)
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw refuse(commandLine('--max'), text, 'is not a number from 1 to 99999', 'write 50, or leave it out for everything')
}

const pageMax = 200
const standardOutput = 1

const notes = `
Examples:
  sealwire history bob
  sealwire history bob --max 20
  sealwire history '#12' --json | jq -r .text`
