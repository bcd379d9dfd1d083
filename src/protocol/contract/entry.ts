// What a conversation is made of, on the wire: entries, each with its place in the one order that the server made.

import * as v from 'valibot'
import { bytes, contentType, count, exactBytes, flag, name, text, word } from './fields.ts'

/** Bytes of the id of a message: a UUID of version 7, made by the client (RFC 9562 §5.7). */
export const messageIdBytes = 16
/** The largest body of a message: with its envelope it fits one frame. */
export const messageBodyBytesMax = 60_000
/** The longest text that goes with a request to talk. */
export const requestTextBytesMax = 1_000
/** The most accounts that one message mentions. */
export const mentionsMax = 50
/** The longest title and topic of a room. */
export const roomTitleCharactersMax = 80
export const roomTopicCharactersMax = 400
/** The longest name of a file. */
export const fileNameCharactersMax = 255

/** The content type of what a conversation says of money (payments.md). Only the server says it, together with the ledger. */
export const paymentType = 'application/vnd.sealwire.payment+cbor'

/** What an entry is. */
export const entryKinds = ['message', 'edit', 'delete', 'reaction', 'pin', 'contact', 'member', 'room'] as const
/** What somebody may do in a room. */
export const roles = ['owner', 'moderator', 'member'] as const
/** What became of a request to talk, and of a member of a room. */
export const happenings = ['requested', 'accepted', 'declined', 'withdrawn', 'invited', 'joined', 'left', 'removed', 'role'] as const

/** The number of a conversation. */
export const conversation = () => count('number of a conversation')
/** A UUID of version 7. */
export const messageId = (description = 'UUIDv7 made by the client: repeating it repeats nothing') =>
  exactBytes(messageIdBytes, description)
/** A place in a conversation. */
export const sequence = (description: string) => count(description)
/** A role in a room. */
export const role = () => word(roles, 'what a member may do')
/** A reaction. */
export const emoji = () => v.pipe(text(32, 'of the reaction'), v.minLength(1))

/** A file that goes with a message. */
export const fileSchema = v.object({
  id: messageId('of the file'),
  name: text(fileNameCharactersMax, 'what its sender calls it; for people, never a path'),
  size: count('bytes'),
  sha256: exactBytes(32, 'of its content'),
})

/** One entry, as events and pages carry it. */
export const entrySchema = v.object({
  conversation: conversation(),
  seq: sequence('its place in the conversation, from 1'),
  kind: word(entryKinds, 'what it is'),
  id: messageId('of the message, or of the change'),
  from: name('who made it'),
  device: v.optional(text(32, 'on which device')),
  at: count('when the server stored it, milliseconds since 1970'),
  type: v.optional(contentType('of the body; message and edit')),
  body: v.optional(bytes(messageBodyBytesMax, 'opaque to the server; missing once it is deleted')),
  target: v.optional(sequence('the entry that an edit, delete, reaction or pin is about')),
  replyTo: v.optional(sequence('the entry that a message answers')),
  mentions: v.optional(v.pipe(v.array(name('of an account')), v.description('who is meant'))),
  emoji: v.optional(emoji()),
  on: v.optional(flag('of a reaction or pin: set or taken back')),
  what: v.optional(word(happenings, 'of contact and member: what happened')),
  about: v.optional(name('of member: to whom')),
  role: v.optional(role()),
  title: v.optional(text(roomTitleCharactersMax, 'of a room')),
  topic: v.optional(text(roomTopicCharactersMax, 'of a room')),
  announcement: v.optional(flag('of a room: only owner and moderators speak')),
  file: v.optional(v.pipe(fileSchema, v.description('that goes with a message'))),
  edited: v.optional(count('when the body was last changed')),
  deleted: v.optional(flag('body and all that was said about it are gone')),
})

/** One entry of a conversation. */
export type Entry = v.InferOutput<typeof entrySchema>
