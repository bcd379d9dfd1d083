// room.*: conversations of more than two.

import * as v from 'valibot'
import { conversation, messageId, role, roomTitleCharactersMax, roomTopicCharactersMax, sequence } from '../entry.ts'
import { count, exactBytes, flag, name, text, word } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'

const nothing = {}
const title = () => v.pipe(text(roomTitleCharactersMax, 'what it is called'), v.minLength(1))
const topic = () => text(roomTopicCharactersMax, 'what it is about')
const announcement = () => flag('only owner and moderators speak')
const history = () => word(['joined', 'all'], 'what new members see of what was before')
const posted = () => v.object({ seq: sequence('of the entry that says so') })

/** Bytes of the secret in a link to a room. */
export const roomSecretBytes = 16

export const roomMethods = {
  'room.create': {
    what: 'Makes a room; who makes it is its owner.',
    when: 'after login',
    params: v.strictObject({
      id: messageId(),
      title: title(),
      topic: v.optional(topic()),
      announcement: v.optional(announcement()),
      history: v.optional(history()),
    }),
    result: v.object({ conversation: conversation() }),
  },
  'room.update': {
    what: 'Changes what is given, one thing at least; owner and moderators may. What is so already is done, without an entry.',
    when: 'after login',
    params: v.strictObject({
      conversation: conversation(),
      title: v.optional(title()),
      topic: v.optional(topic()),
      announcement: v.optional(announcement()),
      history: v.optional(history()),
    }),
    result: posted(),
  },
  'room.invite': {
    what: 'Invites a contact; owner and moderators may. Who is invited joins with room.join.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation(), name: name('a contact') }),
    result: posted(),
  },
  'room.link': {
    what: 'Makes a link with which whoever has it joins; owner and moderators may. A new one takes the place of the one before.',
    when: 'after login',
    params: v.strictObject({
      conversation: conversation(),
      uses: v.optional(v.pipe(count('how many may join with it; default 100', 10_000), v.minValue(1))),
      livesMs: v.optional(v.pipe(count('how long it is good; default 7 days'), v.minValue(1_000))),
    }),
    result: v.object({ secret: exactBytes(roomSecretBytes, 'goes into the link'), expiresAt: count('milliseconds since 1970') }),
  },
  'room.join': {
    what: 'Joins a room that one is invited to, or to which one has a link.',
    when: 'after login',
    params: v.strictObject({
      conversation: v.optional(conversation()),
      secret: v.optional(exactBytes(roomSecretBytes, 'from a link, in place of the number')),
    }),
    result: v.object({ conversation: conversation(), seq: sequence('of the entry that says so') }),
  },
  'room.leave': {
    what: 'Leaves a room, or turns an invitation down. An owner who leaves hands over to the moderator, else the member, who has been there longest. What one is not in is left.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation() }),
    result: v.object(nothing),
  },
  'room.remove': {
    what: 'Removes a member, or takes an invitation back; the owner may, and a moderator where it is no owner or moderator. Who is not there is removed, without an entry.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation(), name: name('of a member') }),
    result: posted(),
  },
  'room.role': {
    what: 'Gives a member another role; the owner may. Who makes somebody else owner is moderator from then on. A role that they have is given, without an entry.',
    when: 'after login',
    params: v.strictObject({ conversation: conversation(), name: name('of a member'), role: role() }),
    result: posted(),
  },
  'room.members': {
    what: 'Who is in a room, by name.',
    when: 'after login',
    reads: true,
    params: v.strictObject({ conversation: conversation(), after: v.optional(name('go on behind this one')) }),
    result: v.object({
      members: v.pipe(
        v.array(
          v.object({
            name: name('of an account'),
            role: role(),
            since: count('when they joined, milliseconds since 1970'),
            invited: v.optional(flag('true: has not joined yet')),
            here: v.optional(flag('whether they are here; missing where they do not show it')),
          }),
        ),
        v.description('ordered by name'),
      ),
      more: flag('whether there are more'),
    }),
  },
} as const satisfies Record<string, MethodRow>
