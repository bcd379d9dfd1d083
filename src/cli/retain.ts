// `sealwire retain`: tells, and changes, how long what is said in a conversation stays.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import type { Params } from '../protocol/contract/index.ts'
import type { Advice } from './advice.ts'
import { canAsk, confirm } from './terminal/confirm.ts'
import { counted } from './terminal/counted.ts'
import { writeAll } from './terminal/descriptor.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'
import { formatDuration, parseDuration } from './options/duration.ts'
import { commandLine } from './options/origin.ts'
import { readRecipient } from './send.ts'

interface RetainFlags {
  readonly home?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('retain')
    .usage('[OPTIONS] NAME [HOW-LONG]')
    .description('Tell, or change, how long what is said in a conversation stays. What is older is deleted at once, for everybody.')
    .argument('<NAME>', 'a contact, or # and the number of a conversation')
    .argument('[HOW-LONG]', 'a number of minutes, hours or days, such as 12h or 30d, or forever')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--yes', 'do not ask; without a terminal nobody is asked anyway')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(retain)
}

async function retain(name: string, duration: string | undefined, { home, yes = false, json = false }: RetainFlags): Promise<void> {
  const recipient = readRecipient(name, commandLine('NAME'))
  const wanted = duration === undefined ? undefined : readKept(duration)
  const isAsking = wanted?.retentionMs !== undefined && !yes && !json && canAsk()
  if (isAsking) await confirm(`Delete what is older than ${duration}, now and from now on, for everybody in it?`, 'nothing was deleted')
  await withMember(
    findHome(home, process.env),
    { clock: systemClock },
    async ({ client }) => writeAll(1, await answer(client, 'to' in recipient ? { name: recipient.to } : recipient, wanted, json)),
    advice,
  )
}

/** What is to be kept how long, and what that deleted. */
async function answer(
  client: Pick<Client, 'request'>,
  which: Params<'conversation.find'>,
  wanted: { readonly retentionMs?: number } | undefined,
  json: boolean,
): Promise<string> {
  const { conversation, retentionMs } = await client.request('conversation.find', which)
  if (wanted === undefined) return json ? jsonLine({ conversation, retentionMs: retentionMs ?? null }) : `${keptWords(retentionMs)}\n`
  const { entries, freedBytes } = await client.request('conversation.retain', { conversation, ...wanted })
  const kept = wanted.retentionMs
  if (json) return jsonLine({ conversation, retentionMs: kept ?? null, deleted: entries, freedBytes })
  return `${keptWords(kept)}; ${counted(entries, 'entry', 'entries')} deleted, ${freedBytes} bytes freed\n`
}

function readKept(text: string): { readonly retentionMs?: number } {
  return text === 'forever' ? {} : { retentionMs: parseDuration(text, commandLine('HOW-LONG'), range) }
}

function keptWords(ms: number | undefined): string {
  if (ms === undefined) return 'kept for ever'
  return `kept for ${ms % minuteMs === 0 ? formatDuration(ms) : `${ms / 1000} s`}`
}

const advice: Advice = {
  not_found: 'you have never talked with them, or are not in that room',
  not_contact: 'only who is a contact changes it: sealwire contacts request NAME',
  not_permitted: 'ask the owner of the room',
}
const minuteMs = 60_000
const range = { min: minuteMs, max: 36_500 * 24 * 60 * minuteMs }

const notes = `
Between two contacts either may, in a room its owner. It is gone from the server; who has read it
may have kept it.

Examples:
  sealwire retain bob
  sealwire retain bob 30d
  sealwire retain '#12' forever`
