// `sealwire contacts`: who may talk with whom.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import type { Advice } from './advice.ts'
import { writeAll, writeNow } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { freshId } from './options/id.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'

interface ContactsFlags {
  readonly home?: string
  readonly json?: boolean
}

type Contact = Result<'contact.list'>['contacts'][number]

/** The command, as program.ts loads it. */
export function command(): Command {
  const contacts = new Command('contacts')
    .usage('[COMMAND] [OPTIONS]')
    .description('List your contacts and open requests, or ask, accept, decline, remove and block somebody.')
    .argument('[command]', 'request, accept, decline, remove, block or unblock')
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(async (word: string | undefined, flags: ContactsFlags) => {
      if (word !== undefined)
        throw new SealwireError('usage', `unknown command 'contacts ${word}'`, { hint: 'contacts request NAME is one' })
      await list(flags)
    })
  for (const [name, { what, argument, act }] of Object.entries(acts)) {
    const added = new Command(name)
      .description(what)
      .argument('<NAME>', 'of the other one')
      .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
      .option('--json', 'print a JSON object')
    if (argument !== undefined) added.argument('[TEXT]', argument)
    contacts.addCommand(
      added.action(async (...given: unknown[]) => {
        const [who, text] = given as [string, string | undefined]
        const self = given.at(-1) as Command
        await perform(self.optsWithGlobals<ContactsFlags>(), who, typeof text === 'string' ? text : undefined, act)
      }),
    )
  }
  return contacts
}

type Act = (client: Pick<Client, 'request'>, name: string, text: string | undefined) => Promise<string>

async function perform({ home, json = false }: ContactsFlags, name: string, text: string | undefined, act: Act): Promise<void> {
  await withMember(
    findHome(home, process.env),
    { clock: systemClock },
    async ({ client }) => {
      const state = await act(client, name, text)
      await writeAll(standardOutput, json ? jsonLine({ name, state }) : `${state} ${escapeControls(name)}\n`)
    },
    advice,
  )
}

const acts: Readonly<Record<string, { readonly what: string; readonly argument?: string; readonly act: Act }>> = {
  request: {
    what: 'Ask somebody to talk. Nothing more reaches them before they accept.',
    argument: 'goes with the request',
    act: async (client, name, text) => {
      const id = freshId()
      const words = text === undefined ? {} : { text: new TextEncoder().encode(text) }
      const before = text === undefined ? undefined : await stateOf(client, name)
      const { accepted } = await client.request('contact.request', { name, id, ...words })
      if (before === 'accepted') tellUnsent(`you can talk already: sealwire send says it to ${name}`)
      if (before === 'asked') tellUnsent('they were asked before, with what was said then, or nothing')
      return accepted ? 'accepted' : 'asked'
    },
  },
  accept: {
    what: 'Accept what somebody asked: from now on you can talk.',
    act: async (client, name) => {
      await client.request('contact.accept', { name })
      return 'accepted'
    },
  },
  decline: {
    what: 'Decline what somebody asked.',
    act: async (client, name) => {
      await client.request('contact.decline', { name })
      return 'declined'
    },
  },
  remove: {
    what: 'End that you are contacts, or take back what you asked. They are told.',
    act: async (client, name) => {
      await client.request('contact.remove', { name })
      return 'removed'
    },
  },
  block: {
    what: 'Hear nothing of somebody any more; they are not told.',
    act: async (client, name) => {
      await client.request('directory.block', { name })
      return 'blocked'
    },
  },
  unblock: {
    what: 'Take a block back.',
    act: async (client, name) => {
      await client.request('directory.unblock', { name })
      return 'unblocked'
    },
  },
}

/** Undefined where the two have never met. */
async function stateOf(client: Pick<Client, 'request'>, name: string): Promise<string | undefined> {
  const found = await client.request('conversation.find', { name }).catch(() => undefined)
  return found?.state
}

function tellUnsent(why: string): void {
  writeNow(standardError, `sealwire: warning: the text was not sent: ${escapeControls(why)}\n`)
}

async function list({ home, json = false }: ContactsFlags): Promise<void> {
  await withMember(findHome(home, process.env), { clock: systemClock }, async ({ client }) => {
    const { names } = await client.request('directory.blocked', {})
    const blocked = new Set(names)
    const write = json ? contactJson : contactLine
    for (let after: string | undefined; ; ) {
      const { contacts, more } = await client.request('contact.list', after === undefined ? {} : { after })
      await writeAll(standardOutput, contacts.map((contact) => write(contact, blocked.delete(contact.name))).join(''))
      after = contacts.at(-1)?.name
      if (!more || after === undefined) break
    }
    // Who is blocked need not be a contact.
    await writeAll(
      standardOutput,
      [...blocked].map((name) => (json ? jsonLine({ name, blocked: true }) : `${escapeControls(name)} (blocked)\n`)).join(''),
    )
  })
}

function contactLine({ name, state, here }: Contact, isBlocked: boolean): string {
  const words = { accepted: '', asked: ' (you have asked them)', asking: ' (asks you: contacts accept or decline)' }
  return `${escapeControls(name)}${words[state]}${isBlocked ? ' (blocked)' : ''}${here === true ? ' (here)' : ''}\n`
}

function contactJson({ since, ...contact }: Contact, isBlocked: boolean): string {
  return jsonLine({ ...contact, since: new Date(since).toISOString(), ...(isBlocked ? { blocked: true } : {}) })
}

const advice: Advice = {
  not_found: 'check the name',
  no_request: 'sealwire contacts lists who asks',
  not_contact: 'sealwire contacts lists who is; decline what they ask, or block them',
  busy: 'try again tomorrow, or make room: sealwire contacts remove NAME; who has not answered counts for a day more',
}
const standardOutput = 1
const standardError = 2

const notes = `
Somebody who is asked sees who asks, and a short text. Nothing else is delivered before they accept.

Examples:
  sealwire contacts
  sealwire contacts request bob 'hello, it is alice'
  sealwire contacts accept alice
  sealwire contacts --json | jq -r 'select(.state == "asking").name'`
