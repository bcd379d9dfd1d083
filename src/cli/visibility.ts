// `sealwire visibility`: tells, and changes, who sees one in `who`, and what else others see of one.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import type { Params } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { writeAll } from './terminal/descriptor.ts'
import { findHome } from './member/find-home.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'
import { choice } from './options/option-value.ts'
import { commandLine } from './options/origin.ts'

interface VisibilityFlags {
  readonly home?: string
  readonly json?: boolean
  readonly show?: readonly Sign[]
  readonly hide?: readonly Sign[]
}

/** What others can be shown. */
const signs = ['presence', 'typing', 'delivered', 'read'] as const
type Sign = (typeof signs)[number]

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('visibility')
    .usage('[OPTIONS] [WHO]')
    .description('Tell, or change, who sees that you are connected, and what else others see of you.')
    .argument('[WHO]', 'everyone, contacts or nobody')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--hide <what>', `${signs.join(', ')}: tell it nobody; as often as you like`, taking('--hide'))
    .option('--show <what>', 'the same: tell it those who see you', taking('--show'))
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(visibility)
}

async function visibility(who: string | undefined, { home, json = false, ...flags }: VisibilityFlags): Promise<void> {
  const wanted = who === undefined ? {} : { visibility: readVisibility(who, commandLine('WHO')) }
  const changes = changesOf(flags)
  await withMember(findHome(home, process.env), { clock: systemClock }, async ({ client }) => {
    const seen = await client.request('account.visibility', wanted)
    const privacy = await client.request('account.privacy', changes)
    const hidden = signs.filter((sign) => !privacy[sign])
    const lines = [seen.visibility, ...(hidden.length === 0 ? [] : [`hidden: ${hidden.join(', ')}`])]
    await writeAll(1, json ? jsonLine({ ...seen, ...privacy }) : `${lines.join('\n')}\n`)
  })
}

function taking(flag: string): (text: string, before?: readonly Sign[]) => readonly Sign[] {
  return (text, before = []) => [...before, readSign(text, commandLine(flag))]
}

function changesOf({ show = [], hide = [] }: Pick<VisibilityFlags, 'show' | 'hide'>): Params<'account.privacy'> {
  const both = show.find((sign) => hide.includes(sign))
  if (both !== undefined) throw new SealwireError('usage', `${both} is both to be shown and hidden`, { hint: 'leave one of them out' })
  return Object.fromEntries([...show.map((sign) => [sign, true] as const), ...hide.map((sign) => [sign, false] as const)])
}

const readVisibility = choice(['everyone', 'contacts', 'nobody'])
const readSign = choice(signs)

const notes = `
At first only contacts see you: those you have talked with. Anybody who knows your name can ask
you for a chat, whatever is set here; /block in a chat keeps somebody away. presence is that you
are here, typing that you write, delivered that a device of yours has a message, read that you
have read it. Where nobody sees you, nobody is told of those either.

Examples:
  sealwire visibility
  sealwire visibility everyone
  sealwire visibility --hide typing --hide read`
