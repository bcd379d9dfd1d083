// contact.*: consent. Somebody is asked, with one short text; nothing more arrives until they accept.

import * as v from 'valibot'
import { conversation, messageId, requestTextBytesMax } from '../entry.ts'
import { bytes, count, flag, name, word } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'

export const contactMethods = {
  'contact.request': {
    what: 'Asks somebody to talk. Whether they have blocked the account that asks cannot be told from the result. Who was asked by them before accepts with it.',
    when: 'after login',
    params: v.strictObject({
      name: name('whom to ask'),
      id: messageId(),
      text: v.optional(bytes(requestTextBytesMax, 'UTF-8: what goes with the request; nothing more is delivered before they accept')),
    }),
    result: v.object({ conversation: conversation(), accepted: flag('whether they talk already') }),
  },
  'contact.accept': {
    what: 'Accepts what somebody asked: from now on both are contacts.',
    when: 'after login',
    params: v.strictObject({ name: name('who asked') }),
    result: v.object({ conversation: conversation() }),
  },
  'contact.decline': {
    what: 'Declines what somebody asked. They may ask again after a day.',
    when: 'after login',
    params: v.strictObject({ name: name('who asked') }),
    result: v.object({}),
  },
  'contact.remove': {
    what: 'Ends what there is with somebody: a contact is none any more, or what this account asked is taken back. The other one is told. They may ask again a day after they were removed, and who has taken back what they asked as well.',
    when: 'after login',
    params: v.strictObject({ name: name('of a contact, or of who was asked') }),
    result: v.object({}),
  },
  'contact.list': {
    what: 'Contacts and open requests, by name.',
    when: 'after login',
    reads: true,
    params: v.strictObject({ after: v.optional(name('go on behind this one')) }),
    result: v.object({
      contacts: v.pipe(
        v.array(
          v.object({
            name: name('of an account'),
            state: word(['accepted', 'asked', 'asking'], 'a contact; was asked by this account; asks this account'),
            conversation: v.optional(conversation()),
            since: count('milliseconds since 1970'),
            here: v.optional(flag('whether they are here; missing where they do not show it')),
          }),
        ),
        v.description('ordered by name'),
      ),
      more: flag('whether there are more'),
    }),
  },
} as const satisfies Record<string, MethodRow>
