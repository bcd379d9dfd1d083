// What a server tells a client unasked, declared once, like the methods.

import * as v from 'valibot'
import { bytes, contentType, name } from './fields.ts'
import { chatBodyBytesMax } from './methods.ts'

/** One event. Fields a client does not know are ignored. */
export interface EventRow {
  readonly what: string
  readonly data: v.GenericSchema<unknown, object>
}

const nothing = {}

/** The events. All of them come after login only. */
export const events = {
  'chat.requested': { what: 'Somebody asks for a chat: accept or decline.', data: v.object({ name: name('who asks') }) },
  'chat.begun': { what: 'The chat has begun, for both sides.', data: v.object({ name: name('the other side') }) },
  'chat.declined': { what: 'The own request was declined, or nobody answered in time.', data: v.object(nothing) },
  'chat.left': { what: 'The other side left the chat, or took its request back.', data: v.object(nothing) },
  'chat.said': {
    what: 'The other side said something.',
    data: v.object({
      name: name('who said it'),
      type: contentType('of the body'),
      // A classic peer may send a whole frame.
      body: bytes(chatBodyBytesMax + 535, 'as it was sent'),
    }),
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
