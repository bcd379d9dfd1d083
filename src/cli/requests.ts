// `sealwire requests`: what one has asked for and is asked for, and how either side ends it.

import { Command } from 'commander'
import { formatMessageId } from '../client/message-id.ts'
import { systemClock } from '../domain/clock.ts'
import { isNothing } from '../domain/money.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { Advice } from './advice.ts'
import { writeAll } from './descriptor.ts'
import { escapeControls } from './escape.ts'
import { findHome } from './find-home.ts'
import { readId } from './id.ts'
import { jsonLine } from './json-line.ts'
import { warnForked } from './ledger-watch.ts'
import { withMember } from './member.ts'

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
  for (const [name, what] of Object.entries(endings)) {
    requests.addCommand(
      new Command(name)
        .description(what)
        .argument('<ID>', 'of the request, as the list has it')
        .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
        .option('--json', 'print a JSON object')
        .action(async (id: string, _flags: RequestsFlags, self: Command) => {
          await settle(readId(id, 'ID', 'copy it from sealwire requests'), self.optsWithGlobals<RequestsFlags>())
        }),
    )
  }
  return requests
}

/** A request as an object on a line. */
export function requestJson({ at, expiresAt, id, ...request }: Request): string {
  const until = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()
  return jsonLine({ id: formatMessageId(id), ...request, at: new Date(at).toISOString(), expiresAt: until })
}

async function list({ home, all = false, json = false }: RequestsFlags): Promise<void> {
  const place = findHome(home, process.env)
  warnForked(place)
  await withMember(place, { clock: systemClock }, async ({ client }) => {
    for (let last: Request | undefined; ; ) {
      const older = last === undefined ? {} : { before: last.at, beforeId: last.id }
      const { requests, more } = await client.request('payment.requests', { open: !all, ...older })
      await writeAll(1, requests.map((each) => (json ? requestJson(each) : requestLine(each))).join(''))
      last = requests.at(-1)
      if (!more || last === undefined) return
    }
  })
}

/** What becomes of it follows from who asked, and is what is printed. */
async function settle(id: Uint8Array, { home, json = false }: RequestsFlags): Promise<void> {
  await withMember(
    findHome(home, process.env),
    { clock: systemClock },
    async ({ client }) => {
      const settled = await client.request('payment.settle', { id })
      await writeAll(1, json ? requestJson(settled) : requestLine(settled))
    },
    advice,
  )
}

function requestLine({ id, from, to, amount, paid, unit, status, memo }: Request): string {
  const what = memo === undefined || memo === '' ? '' : `: ${escapeControls(memo)}`
  const part = isNothing(paid) ? '' : `, ${paid} paid`
  return `${escapeControls(from)} asks ${escapeControls(to)} for ${amount} ${unit}${part} (${status})${what} ${formatMessageId(id)}\n`
}

const endings: Readonly<Record<string, string>> = {
  cancel: 'Take back what you have asked for.',
  decline: 'Turn down what you are asked for.',
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
