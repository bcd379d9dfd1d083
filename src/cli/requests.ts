// `sealwire requests`: what one has asked for and is asked for, and how either side ends it.

import { Command } from 'commander'
import { formatMessageId } from '../client/outbox/message-id.ts'
import type { Client } from '../client/node.ts'
import { rawRequestPages } from '../client/payments/pages.ts'
import { nameKey } from '../domain/case-fold.ts'
import { systemClock } from '../domain/clock.ts'
import { isNothing } from '../domain/money.ts'
import { momentText } from '../pki/index.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { Advice } from './advice.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { readId } from './options/id.ts'
import { jsonLine } from './terminal/json-line.ts'
import { warnForked } from './money/ledger-watch.ts'
import { withMember } from './member/member.ts'

interface RequestsFlags {
  readonly home?: string
  readonly all?: boolean
  readonly json?: boolean
}

type Request = Result<'payment.request'>

/** The command, as program.ts loads it. */
export function command(): Command {
  const requests = new Command('requests')
    .usage('[COMMAND] [OPTIONS]')
    .description('List what you have asked for and what you are asked for, newest first; take back or turn down one.')
    .argument('[command]', 'cancel or decline')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--all', 'also those that are over')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(async (word: string | undefined, flags: RequestsFlags) => {
      if (word !== undefined) throw new SealwireError('usage', `unknown command 'requests ${word}'`, { hint: 'requests decline ID is one' })
      await list(flags)
    })
  for (const [name, ending] of Object.entries(endings)) {
    requests.addCommand(
      new Command(name)
        .description(ending.what)
        .argument('<ID>', 'of the request, as the list has it')
        .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
        .option('--json', 'print a JSON object')
        .action(async (id: string, _flags: RequestsFlags, self: Command) => {
          await settle(readId(id, 'ID', 'copy it from sealwire requests'), ending, self.optsWithGlobals<RequestsFlags>())
        }),
    )
  }
  return requests
}

/** A request as an object on a line. */
export function requestJson({ at, expiresAt, id, ...request }: Request): string {
  const until = expiresAt === undefined ? undefined : momentText(expiresAt)
  return jsonLine({ id: formatMessageId(id), ...request, at: momentText(at), expiresAt: until })
}

async function list({ home, all = false, json = false }: RequestsFlags): Promise<void> {
  const place = findHome(home, process.env)
  warnForked(place)
  await withMember(place, { clock: systemClock }, async ({ client }) => {
    for await (const page of pages(client, !all)) {
      await writeAll(1, page.map((each) => (json ? requestJson(each) : requestLine(each))).join(''))
    }
  })
}

/** What becomes of it follows from who asked: nobody turns down who meant to take back. */
async function settle(id: Uint8Array, ending: Ending, { home, json = false }: RequestsFlags): Promise<void> {
  await withMember(
    findHome(home, process.env),
    { clock: systemClock },
    async ({ client, profile }) => {
      const asked = await findOpen(client, id)
      if (asked !== undefined && (nameKey(asked.from) === nameKey(profile.name)) !== ending.isOwn) {
        throw new SealwireError('usage', ending.other, { hint: `${ending.instead} ${formatMessageId(id)}` })
      }
      const settled = await client.request('payment.settle', { id })
      await writeAll(1, json ? requestJson(settled) : requestLine(settled))
    },
    advice,
  )
}

/** One that is over is not looked for: the server says so itself. */
async function findOpen(client: Pick<Client, 'request'>, id: Uint8Array): Promise<Request | undefined> {
  for await (const page of pages(client, true)) {
    const found = page.find((request) => Buffer.compare(request.id, id) === 0)
    if (found !== undefined) return found
  }
  return undefined
}

function pages(client: Pick<Client, 'request'>, open: boolean) {
  return rawRequestPages((params) => client.request('payment.requests', params), open)
}

function requestLine({ id, from, to, amount, paid, unit, status, memo }: Request): string {
  const what = memo === undefined || memo === '' ? '' : `: ${escapeControls(memo)}`
  const part = isNothing(paid) ? '' : `, ${paid} paid`
  return `${escapeControls(from)} asks ${escapeControls(to)} for ${amount} ${unit}${part} (${status})${what} ${formatMessageId(id)}\n`
}

/** How one side ends a request; `other` and `instead`: what is said to the other side. */
interface Ending {
  readonly what: string
  /** Whether it is for those who have asked. */
  readonly isOwn: boolean
  readonly other: string
  readonly instead: string
}

const endings: Readonly<Record<string, Ending>> = {
  cancel: {
    what: 'Take back what you have asked for.',
    isOwn: true,
    other: 'you are asked to pay this, and have not asked for it',
    instead: 'turn it down with sealwire requests decline',
  },
  decline: {
    what: 'Turn down what you are asked for.',
    isOwn: false,
    other: 'you have asked for this yourself',
    instead: 'take it back with sealwire requests cancel',
  },
}

const advice: Advice = {
  not_found: 'sealwire requests lists what is open',
  gone: 'sealwire requests --all tells what became of it',
}

const notes = `
What it is for is shown where the two of you have agreed to talk; of who is blocked nothing is.

Examples:
  sealwire requests
  sealwire requests decline 01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a
  sealwire requests --all --json | jq -r 'select(.status == "open").id'`
