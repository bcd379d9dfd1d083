// `sealwire rooms`: conversations of more than two.

import { Command } from 'commander'
import type { Client } from '../client/node.ts'
import { systemClock } from '../domain/clock.ts'
import { roomTitleCharactersMax, roomTopicCharactersMax } from '../protocol/contract/entry.ts'
import type { ConversationInfo } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Advice, advised } from './advice.ts'
import { writeAll } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { findHome } from './member/find-home.ts'
import { freshId } from './options/id.ts'
import { checkLength } from './options/length.ts'
import { jsonLine } from './terminal/json-line.ts'
import { withMember } from './member/member.ts'
import { choice } from './options/option-value.ts'
import { commandLine, refuse } from './options/origin.ts'

interface RoomFlags {
  readonly home?: string
  readonly json?: boolean
  readonly topic?: string
  readonly announcement?: boolean
  readonly history?: string
}

type Asked = Pick<Client, 'request'>

/** One thing to do with rooms: its arguments, and what it prints. */
interface RoomCommand {
  readonly what: string
  readonly arguments: readonly (readonly [string, string])[]
  /** Refuses what no server takes, before there is a connection. */
  readonly check?: (words: readonly string[], flags: RoomFlags) => void
  readonly act: (client: Asked, words: readonly string[], flags: RoomFlags) => Promise<object>
  readonly line: (result: never) => string
}

/** The command, as program.ts loads it. */
export function command(): Command {
  const rooms = new Command('rooms')
    .usage('[COMMAND] [OPTIONS]')
    .description('List your rooms; make, change, join and leave them.')
    .argument('[command]', Object.keys(roomCommands).join(', '))
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', notes)
    .action(async (word: string | undefined, flags: RoomFlags) => {
      if (word !== undefined) throw new SealwireError('usage', `unknown command 'rooms ${word}'`, { hint: 'rooms create TITLE is one' })
      await list(flags)
    })
  for (const [name, row] of Object.entries(roomCommands)) rooms.addCommand(commandOf(name, row))
  return rooms
}

function commandOf(name: string, row: RoomCommand): Command {
  const made = new Command(name).description(row.what)
  for (const [word, what] of row.arguments) made.argument(word, what)
  if (name === 'create') {
    made.option('--topic <text>', 'what it is about')
    made.option('--announcement', 'only you and moderators speak')
    made.option('--history <policy>', 'what new members see of what was before: joined (nothing) or all (default: joined)')
  }
  return made
    .option('--home <dir>', 'who you are (default: ~/.sealwire; SEALWIRE_HOME)')
    .option('--json', 'print a JSON object')
    .action(async (...given: unknown[]) => {
      const flags = (given.at(-1) as Command).optsWithGlobals<RoomFlags>()
      const words = given.filter((word) => typeof word === 'string')
      row.check?.(words, flags)
      await withMember(
        findHome(flags.home, process.env),
        { clock: systemClock },
        async ({ client }) => {
          const result = await row.act(client, words, flags)
          const lines = Array.isArray(result) ? (result as object[]) : [result]
          await writeAll(
            standardOutput,
            lines.map((each) => (flags.json === true ? jsonLine(each) : `${row.line(each as never)}\n`)).join(''),
          )
        },
        advice,
      )
    })
}

const room = ['<ROOM>', 'its number, with or without #, as the list shows it'] as const
const who = ['<NAME>', 'of an account'] as const

const roomCommands: Readonly<Record<string, RoomCommand>> = {
  create: {
    what: 'Make a room.',
    arguments: [['<TITLE>', 'what it is called']],
    check([title = ''], { topic }) {
      if (title === '') throw refuse(commandLine('TITLE'), title, 'is empty', 'write what the room is called')
      checkLength('TITLE', title, roomTitleCharactersMax)
      checkLength('--topic', topic ?? '', roomTopicCharactersMax)
    },
    act: async (client, [title = ''], { topic, announcement = false, history = 'joined' }) => {
      const policy = choice(['joined', 'all'])(history, commandLine('--history'))
      const id = freshId()
      const made = await client.request('room.create', {
        id,
        title,
        announcement,
        history: policy,
        ...(topic === undefined ? {} : { topic }),
      })
      return { ...made, title }
    },
    line: ({ conversation, title }: { conversation: number; title: string }) => `made #${conversation} ${escapeControls(title)}`,
  },
  invite: {
    what: 'Invite a contact.',
    arguments: [room, who],
    act: async (client, [where = '', name = '']) => {
      const conversation = numberOf(where)
      await toSomebody(client, conversation, 'sealwire contacts lists whom you can invite', () =>
        client.request('room.invite', { conversation, name }),
      )
      return { conversation, name, state: 'invited' }
    },
    line: ({ name, conversation }: { name: string; conversation: number }) => `invited ${escapeControls(name)} to #${conversation}`,
  },
  link: {
    what: 'Make a word with which whoever has it joins; it takes the place of the one before.',
    arguments: [room],
    act: async (client, [where = '']) => {
      const { secret, expiresAt } = await client.request('room.link', { conversation: numberOf(where) })
      return { link: Buffer.from(secret).toString('base64url'), expiresAt: new Date(expiresAt).toISOString() }
    },
    line: ({ link }: { link: string }) => `sealwire rooms join ${link}`,
  },
  join: {
    what: 'Join a room that you are invited to, or to which you have a link.',
    arguments: [['<ROOM>', 'its number, with or without #, or the word of a link']],
    act: async (client, [where = '']) => client.request('room.join', entranceOf(where)),
    line: ({ conversation }: { conversation: number }) => `joined #${conversation}`,
  },
  leave: {
    what: 'Leave a room, or turn an invitation down.',
    arguments: [room],
    act: async (client, [where = '']) => {
      await client.request('room.leave', { conversation: numberOf(where) })
      return { conversation: numberOf(where), state: 'left' }
    },
    line: ({ conversation }: { conversation: number }) => `left #${conversation}`,
  },
  remove: {
    what: 'Remove a member, or take an invitation back.',
    arguments: [room, who],
    act: async (client, [where = '', name = '']) => {
      const conversation = numberOf(where)
      await toSomebody(client, conversation, membersHint(conversation), () => client.request('room.remove', { conversation, name }))
      return { conversation, name, state: 'removed' }
    },
    line: ({ name, conversation }: { name: string; conversation: number }) => `removed ${escapeControls(name)} from #${conversation}`,
  },
  role: {
    what: 'Give a member another role.',
    arguments: [room, who, ['<ROLE>', 'owner, moderator or member']],
    act: async (client, [where = '', name = '', word = '']) => {
      const role = choice(['owner', 'moderator', 'member'])(word, commandLine('ROLE'))
      const conversation = numberOf(where)
      await toSomebody(client, conversation, membersHint(conversation), () => client.request('room.role', { conversation, name, role }))
      return { conversation, name, role }
    },
    line: ({ name, role }: { name: string; role: string }) => `${escapeControls(name)} is ${role}`,
  },
  topic: {
    what: 'Set what a room is about.',
    arguments: [room, ['<TEXT>', 'the topic']],
    check: ([, topic = '']) => checkLength('TEXT', topic, roomTopicCharactersMax),
    act: async (client, [where = '', topic = '']) => {
      await client.request('room.update', { conversation: numberOf(where), topic })
      return { conversation: numberOf(where), topic }
    },
    line: ({ topic }: { topic: string }) => `topic: ${escapeControls(topic)}`,
  },
  members: {
    what: 'List who is in a room.',
    arguments: [room],
    act: async (client, [where = '']) => members(client, numberOf(where)),
    line: ({ name, role, invited }: { name: string; role: string; invited?: boolean }) =>
      `${escapeControls(name)}${role === 'member' ? '' : ` (${role})`}${invited === true ? ' (invited)' : ''}`,
  },
}

/** Does something to somebody in a room. When it is not the room that is not there, `hint` tells who is. */
async function toSomebody(client: Asked, conversation: number, hint: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (reason) {
    if (!SealwireError.is(reason) || reason.code !== 'not_found') throw reason
    if (await isIn(client, conversation)) throw advised(reason, { not_found: hint })
    throw new SealwireError('not_found', 'there is no such room', { cause: reason, hint: notIn })
  }
}

async function isIn(client: Asked, conversation: number): Promise<boolean> {
  try {
    const { kind, state } = await client.request('conversation.find', { conversation })
    return kind === 'room' && state !== 'invited'
  } catch (reason) {
    if (SealwireError.is(reason) && reason.code === 'not_found') return false
    throw reason
  }
}

function membersHint(conversation: number): string {
  return `sealwire rooms members ${conversation} lists who is there`
}

async function members(client: Asked, conversation: number): Promise<object[]> {
  const all: object[] = []
  for (let after: string | undefined; ; ) {
    const page = await client.request('room.members', { conversation, ...(after === undefined ? {} : { after }) })
    all.push(...page.members.map(({ since, ...member }) => ({ ...member, since: new Date(since).toISOString() })))
    after = page.members.at(-1)?.name
    if (!page.more || after === undefined) return all
  }
}

async function list({ home, json = false }: RoomFlags): Promise<void> {
  await withMember(findHome(home, process.env), { clock: systemClock }, async ({ client }) => {
    for (let after: number | undefined; ; ) {
      const { conversations, more } = await client.request('conversation.list', after === undefined ? {} : { after })
      const rooms = conversations.filter(({ kind }) => kind === 'room')
      await writeAll(standardOutput, rooms.map((each) => (json ? jsonLine(each) : roomLine(each))).join(''))
      after = conversations.at(-1)?.conversation
      if (!more || after === undefined) return
    }
  })
}

/** In a command a # that is not in quotes begins a comment: the number alone can be copied. */
function roomLine({ conversation, title = '', role, state, members: count, topic = '' }: ConversationInfo): string {
  const standing = state === 'invited' ? ` (you are invited: rooms join ${conversation})` : role === 'member' ? '' : ` (${role})`
  return `#${conversation} ${escapeControls(title)}, ${count} ${count === 1 ? 'member' : 'members'}${standing}${topic === '' ? '' : `: ${escapeControls(topic)}`}\n`
}

/** The word of a link is longer than any number. */
function entranceOf(text: string): { conversation: number } | { secret: Uint8Array } {
  return text.startsWith('#') || isNumber(text) ? { conversation: numberOf(text) } : { secret: secretOf(text) }
}

function isNumber(text: string): boolean {
  return /^#?[1-9]\d{0,9}$/.test(text)
}

function numberOf(text: string): number {
  if (isNumber(text)) return Number(text.replace('#', ''))
  throw refuse(commandLine('ROOM'), text, 'is no room', 'write its number, as sealwire rooms lists it')
}

/** The secret in the word of a link: 16 bytes. @throws {SealwireError} `link_invalid` for every other text. */
export function secretOf(text: string): Uint8Array {
  const secret = Uint8Array.from(Buffer.from(text, 'base64url'))
  if (secret.length === 16 && Buffer.from(secret).toString('base64url') === text) return secret
  throw new SealwireError('link_invalid', 'this is neither a room nor the word of a link', {
    hint: 'copy the whole word again, or write the number of the room',
  })
}

const notIn = 'sealwire rooms lists those that you are in'
const advice: Advice = {
  not_found: notIn,
  not_contact: 'ask them first with sealwire contacts request NAME, or give them a link of sealwire rooms link ROOM',
  not_permitted: 'ask the owner of the room',
  room_full: 'the room has as many members as it can have',
}
const standardOutput = 1

const notes = `
In a room the messages have one order for everyone. Its owner and moderators invite, remove, and
change it. Send to it with sealwire send '#12' TEXT, or talk in sealwire chat '#12'.

Examples:
  sealwire rooms
  sealwire rooms create 'the garden' --topic 'who waters when'
  sealwire rooms invite '#12' bob
  sealwire rooms link '#12'`
