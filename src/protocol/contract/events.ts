// What a server tells a client unasked, declared once, like the methods.

import * as v from 'valibot'
import { conversation, entrySchema, sequence } from './entry.ts'
import { count, flag, name } from './fields.ts'
import { directOffered, directRevoked } from './methods/direct.ts'
import { paymentRequestSchema, transferSchema } from './methods/payment.ts'

/** One event. Fields a client does not know are ignored. */
export interface EventRow {
  readonly what: string
  readonly data: v.GenericSchema<unknown, object>
}

/** The events. All of them come after login only. */
export const events = {
  'inbox.entry': {
    what: 'Something that this device has to store, then acknowledge with inbox.ack. Seq has no gaps.',
    data: v.object({ seq: count('its place in the inbox'), entry: v.pipe(entrySchema, v.description('an entry of a conversation')) }),
  },
  'mark.changed': {
    what: 'Somebody has stored or read up to here; also what the own account has read on another device.',
    data: v.object({
      conversation: conversation(),
      name: name('of a member'),
      deliveredSeq: v.optional(sequence('stored on one of their devices')),
      readSeq: v.optional(sequence('read')),
    }),
  },
  'payment.changed': {
    what: 'A transfer or a request of the own account is new, or has become something else. One of both.',
    data: v.object({
      transfer: v.optional(v.pipe(transferSchema, v.description('as it is now'))),
      request: v.optional(v.pipe(paymentRequestSchema, v.description('as it is now'))),
    }),
  },
  'presence.changed': {
    what: 'A contact has come or gone.',
    data: v.object({ name: name('of a contact'), here: flag('whether they are here now') }),
  },
  'direct.offered': {
    what: 'An accepted contact offers a direct link: nothing that has to be answered.',
    data: directOffered(),
  },
  'direct.revoked': {
    what: 'A device that direct.devices told of may make no direct links any more: it was revoked, its account was banned, or the two are contacts no more, or one of them blocks the other.',
    data: directRevoked(),
  },
  'presence.typing': {
    what: 'Somebody is typing.',
    data: v.object({ conversation: conversation(), name: name('of a member') }),
  },
} as const satisfies Record<string, EventRow>

/** The name of an event. */
export type EventName = keyof typeof events
/** What an event tells. */
export type EventData<E extends EventName> = v.InferOutput<(typeof events)[E]['data']>

/** True for the name of an event; own properties only. */
export function isEvent(word: string): word is EventName {
  return Object.hasOwn(events, word)
}
