// `sealwire inbox`: what is new for this device. What was printed is acknowledged, and does not come again.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import type { Entry } from '../protocol/contract/index.ts'
import { shownEarlier } from './chat-direct-heard.ts'
import { writeAll } from './descriptor.ts'
import { entryJson, entryLine } from './entry-line.ts'
import { findHome } from './find-home.ts'
import { follow as followInbox, watchSilence } from './inbox-follow.ts'
import { warnOf, withMember } from './member.ts'
import { stopOnSignals } from './stop-signal.ts'

interface InboxFlags {
  readonly home?: string
  readonly follow?: boolean
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('inbox')
    .usage('[OPTIONS]')
    .description('Print what is new for this device, acknowledge it, and end.')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--follow', 'go on printing what comes, also after a lost connection, until it is interrupted')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(inbox)
}

async function inbox({ home, follow = false, json = false }: InboxFlags): Promise<void> {
  using stop = stopOnSignals({ clock: systemClock })
  const { signal } = stop
  const place = findHome(home, process.env)
  const session = (opened: () => void): Promise<void> =>
    withMember(place, { clock: systemClock, signal }, async ({ client, profile }) => {
      opened()
      using _watch = follow ? watchSilence(client, systemClock) : undefined
      await printInbox(client, {
        follow,
        signal,
        own: profile.name,
        isShown: await shownEarlier(place, profile.name),
        print: (entry, seq) => writeAll(standardOutput, json ? entryJson(entry, seq) : entryLine(entry)),
      })
    })
  try {
    if (follow) await followInbox(session, { clock: systemClock, signal, random: Math.random, lost })
    else await session(() => {})
  } catch (reason) {
    if (!signal.aborted) throw reason
  }
}

function lost(reason: unknown): void {
  warnOf('the connection is made again', reason)
}

/** How an inbox is printed. */
export interface PrintOptions {
  readonly follow: boolean
  readonly signal: AbortSignal
  /** The own name: what this account said itself is not news. */
  readonly own: string
  /** What a chat of this home has shown, to which it came directly. */
  readonly isShown: (entry: Entry) => boolean
  readonly print: (entry: Entry, seq: number) => Promise<void>
}

/** Prints and acknowledges, one after the other; without `follow` up to what was there at the beginning. */
async function printInbox(
  client: Pick<Client, 'request' | 'events'>,
  { follow, signal, own, isShown, print }: PrintOptions,
): Promise<void> {
  const events = client.events({ signal })
  const { lastSeq, ackedSeq } = await client.request('inbox.open', {})
  if (!follow && ackedSeq >= lastSeq) return
  let acknowledged = ackedSeq
  for await (const event of events) {
    if (event.event !== 'inbox.entry') continue
    const { seq, entry } = event.data
    if (entry.from !== own && !isShown(entry)) await print(entry, seq)
    const isLast = !follow && seq >= lastSeq
    // What is behind one acknowledgement is printed: a crash in between prints it again, and never not at all.
    if (isLast || seq - acknowledged >= acknowledgeEvery || follow) {
      await client.request('inbox.ack', { seq })
      acknowledged = seq
    }
    if (isLast) return
  }
}

const acknowledgeEvery = 100
const standardOutput = 1

const notes = `
One home is one device: what one inbox command has printed, another one of the same home does not
print again. What was said before is in sealwire history NAME.

Examples:
  sealwire inbox
  sealwire inbox --follow --json | jq -r .text`
