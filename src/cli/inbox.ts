// `sealwire inbox`: what is new for this device. What was printed is acknowledged, and does not come again.

import { Command } from 'commander'
import { SilenceWatch } from '../client/retry.ts'
import { systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { resolveLimits } from '../protocol/limits.ts'
import { shownEarlier } from './chat/direct-heard.ts'
import { writeAll, writeNow } from './terminal/descriptor.ts'
import { entryJson, entryLine } from './terminal/entry-line.ts'
import { EntryRooms } from './terminal/entry-room.ts'
import { findHome } from './member/find-home.ts'
import { follow as followInbox } from './inbox/follow.ts'
import { printInbox } from './inbox/print.ts'
import { warnOf, withMember } from './member/member.ts'
import { stopOnSignals } from './terminal/stop-signal.ts'

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
      using _watch = follow ? new SilenceWatch(client, { clock: systemClock, limits: resolveLimits() }) : undefined
      const rooms = new EntryRooms((conversation) => client.request('conversation.find', { conversation }), profile.name)
      await printInbox(client, {
        follow,
        signal,
        own: profile.name,
        left,
        isShown: await shownEarlier(place, profile.name),
        print: async (entry, seq) => writeAll(standardOutput, json ? entryJson(entry, seq) : entryLine(entry, await rooms.placeOf(entry))),
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
  const { code, sentence } = SealwireError.from(reason)
  // Without a hint: what there is to do is being done.
  warnOf('the connection is made again', new SealwireError(code, sentence))
}

function left(): void {
  writeNow(standardError, 'sealwire: warning: some of what came was not kept for this device: sealwire history NAME has it\n')
}

const standardOutput = 1
const standardError = 2

const notes = `
One home is one device: what one inbox command has printed, another one of the same home does not
print again. What was said before is in sealwire history NAME.

Examples:
  sealwire inbox
  sealwire inbox --follow --json | jq -r .text`
