// conversation.*, message.*, inbox.*: what is said, in one order for everyone, and how it reaches every device.

import * as v from 'valibot'
import {
  conversation,
  emoji,
  entrySchema,
  mentionsMax,
  messageBodyBytesMax,
  messageId,
  messageIdBytes,
  role,
  roomTitleCharactersMax,
  roomTopicCharactersMax,
  sequence,
} from '../entry.ts'
import { bytes, contentType, count, flag, name, text, word } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'

const nothing = {}
const page = () => v.optional(v.pipe(count('how many at most; default 50'), v.minValue(1), v.maxValue(200)))
const posted = () => v.object({ seq: sequence('of the entry that says so'), at: count('when it was stored, milliseconds since 1970') })
const target = () => sequence('the message that is meant')
const entries = () => v.pipe(v.array(entrySchema), v.description('entries, as inbox.entry brings them'))
const more = () => flag('whether there are more')

/** One conversation, as a member sees it. */
const conversationSchema = v.object({
  conversation: conversation(),
  kind: word(['direct', 'room'], 'between two accounts, or a room'),
  name: v.optional(name('direct: the other one')),
  title: v.optional(text(roomTitleCharactersMax, 'of a room')),
  topic: v.optional(text(roomTopicCharactersMax, 'of a room')),
  announcement: v.optional(flag('of a room: only owner and moderators speak')),
  history: v.optional(word(['joined', 'all'], 'of a room: what new members see of what was before')),
  role: v.optional(role()),
  state: word(['accepted', 'asked', 'asking', 'declined', 'invited'], 'whether one can speak there'),
  members: count('how many'),
  lastSeq: sequence('of the newest entry'),
  firstSeq: sequence('of the first entry that this account may see'),
  readSeq: sequence('up to where this account has read'),
  peerDeliveredSeq: v.optional(sequence('direct: up to where the other one has it on a device, where they show it')),
  peerReadSeq: v.optional(sequence('direct: up to where the other one has read, where they show it')),
  retentionMs: v.optional(count('how long what is said stays; missing: for ever')),
})

/** One conversation, as a member sees it. */
export type ConversationInfo = v.InferOutput<typeof conversationSchema>

export const conversationMethods = {
  'conversation.list': {
    what: 'The conversations of the account, by number.',
    when: 'after login',
    reads: true,
    params: v.strictObject({ after: v.optional(conversation()) }),
    result: v.object({ conversations: v.pipe(v.array(conversationSchema), v.description('ordered by number')), more: more() }),
  },
  'conversation.find': {
    what: 'One conversation: by its number, or the direct one with somebody.',
    when: 'after login',
    params: v.strictObject({ conversation: v.optional(conversation()), name: v.optional(name('of the other one')) }),
    result: conversationSchema,
  },
  'conversation.retain': {
    what: 'Sets how long what is said there stays, and deletes at once what is older. In a room only its owner may, between two only contacts.',
    when: 'after login',
    params: v.strictObject({
      conversation: conversation(),
      retentionMs: v.optional(v.pipe(count('at least a second; left out: for ever'), v.minValue(1_000))),
    }),
    result: v.object({ entries: count('how many bodies were deleted'), freedBytes: count('what that freed') }),
  },
  'message.send': {
    what: 'Says something. The result means that it is stored: it reaches every device of every member, whatever happens.',
    when: 'after login',
    params: v.strictObject({
      conversation: v.optional(conversation()),
      to: v.optional(name('direct: the other one, in place of the number')),
      id: messageId(),
      type: v.optional(contentType('of the body; default text/plain')),
      body: bytes(messageBodyBytesMax, 'opaque to the server'),
      replyTo: v.optional(sequence('the entry that it answers')),
      mentions: v.optional(v.pipe(v.array(name('of an account')), v.maxLength(mentionsMax), v.description('who is meant'))),
      file: v.optional(messageId('of a file that was put there whole')),
    }),
    plain: plainMessage,
    result: v.object({
      conversation: conversation(),
      seq: sequence('its place'),
      at: count('when it was stored, milliseconds since 1970'),
    }),
  },
  'message.edit': {
    what: 'Replaces the body of an own message; what was there before is gone.',
    when: 'after login',
    params: v.strictObject({
      conversation: conversation(),
      target: target(),
      id: messageId(),
      type: v.optional(contentType('of the body; default text/plain')),
      body: bytes(messageBodyBytesMax, 'the new one'),
    }),
    result: posted(),
  },
  'message.delete': {
    what: 'Deletes a message, an own one or as owner or moderator of a room: body, edits, reactions and file are gone from the server.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation(), target: target(), id: messageId() }),
    result: posted(),
  },
  'message.react': {
    what: 'Adds a reaction, or takes it back.',
    when: 'after login',
    params: v.strictObject({
      conversation: conversation(),
      target: target(),
      id: messageId(),
      emoji: emoji(),
      on: flag('false takes it back'),
    }),
    result: posted(),
  },
  'message.pin': {
    what: 'Pins a message, or takes the pin away; in a room its owner and moderators may.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation(), target: target(), id: messageId(), on: flag('false takes it away') }),
    result: posted(),
  },
  'message.history': {
    what: 'Entries of a conversation, oldest first: those just before a place, or just after one; by default the newest.',
    when: 'after login',
    reads: true,
    params: v.strictObject({
      conversation: conversation(),
      before: v.optional(sequence('those before this one')),
      after: v.optional(sequence('those after this one; not together with before')),
      max: page(),
      pinned: v.optional(flag('true: only messages that are pinned')),
    }),
    result: v.object({ entries: entries(), more: more() }),
  },
  'message.search': {
    what: 'Messages whose text has all these words, newest first, in what this account may see. Counts as ten requests.',
    when: 'after login',
    cost: 10,
    params: v.strictObject({
      text: v.pipe(text(200, 'words'), v.minLength(1)),
      conversation: v.optional(conversation()),
      before: v.optional(count('older than this moment, milliseconds since 1970')),
      place: v.optional(
        v.pipe(
          v.strictObject({ conversation: conversation(), seq: sequence('its place there') }),
          v.description('with before: also what of that moment comes behind this entry, the last of a page'),
        ),
      ),
      max: page(),
    }),
    result: v.object({
      entries: entries(),
      more: more(),
      upTo: count('everything stored before this moment was searched, milliseconds since 1970'),
    }),
  },
  'inbox.open': {
    what: 'From now on inbox.entry brings what this device has not stored yet, in order, and then what comes. Needs a session of a device. A place behind the end is refused (conflict). Counts as ten requests.',
    when: 'after login',
    cost: 10,
    params: v.strictObject({ after: v.optional(count('what the device has stored up to; default: what it has acknowledged')) }),
    result: v.object({
      lastSeq: count('of the newest in the inbox'),
      ackedSeq: count('what the device has acknowledged'),
      lostSeq: v.optional(count('entries up to here left the inbox before they were acknowledged: message.history has them')),
    }),
  },
  'inbox.ack': {
    what: 'This device has stored everything up to here: it leaves the inbox. A place behind the end is refused (conflict).',
    when: 'after login',
    paced: false,
    params: v.strictObject({ seq: count('of the inbox') }),
    result: v.object(nothing),
  },
  'mark.read': {
    what: 'The account has read a conversation up to here. Never goes back.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation(), seq: sequence('the last one read') }),
    result: v.object({ readSeq: sequence('what is true now') }),
  },
  'presence.typing': {
    what: 'Tells those who are here that this account is typing. Nothing is stored.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation() }),
    result: v.object(nothing),
  },
  'account.privacy': {
    what: 'Tells, and with parameters changes, what others learn of this account.',
    when: 'after login',
    params: v.strictObject({
      presence: v.optional(flag('whether it is here')),
      typing: v.optional(flag('that it is typing')),
      delivered: v.optional(flag('that a device of it has stored a message')),
      read: v.optional(flag('what it has read')),
    }),
    result: v.object({
      presence: flag('default true'),
      typing: flag('default true'),
      delivered: flag('default true'),
      read: flag('default true'),
    }),
  },
} as const satisfies Record<string, MethodRow>

/** Parameters of message.send that say these three and nothing else, as its schema has them, whose bounds these are. */
function plainMessage(params: unknown): { readonly conversation: number; readonly id: Uint8Array; readonly body: Uint8Array } | undefined {
  if (typeof params !== 'object' || params === null || Object.getPrototypeOf(params) !== Object.prototype) return undefined
  if (Reflect.ownKeys(params).length !== 3 || !('conversation' in params && 'id' in params && 'body' in params)) return undefined
  const { conversation: number, id, body } = params
  const isNumbered = typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
  const isNamed = id instanceof Uint8Array && id.length === messageIdBytes
  const isSaid = body instanceof Uint8Array && body.length <= messageBodyBytesMax
  return isNumbered && isNamed && isSaid ? { conversation: number, id, body } : undefined
}
