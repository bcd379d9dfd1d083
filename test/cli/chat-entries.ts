// Entries of a conversation, as a chat is told of them.

import type { Heard } from '../../src/cli/chat-news.ts'
import type { ToldEntry } from '../../src/cli/told-entry.ts'

/** An entry of bob's, number 3 in conversation 7. */
export function entry(more: Partial<ToldEntry> = {}): ToldEntry {
  return {
    conversation: 7,
    seq: 3,
    kind: 'message',
    id: '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a',
    answerId: '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5b',
    from: 'bob',
    at: Date.UTC(2030, 0, 2, 3, 4, 5),
    text: undefined,
    ...more,
  }
}

/** Bob's words, to us or in a room. */
export function said(text: string | Uint8Array, more: Partial<ToldEntry> = {}, room?: string) {
  return { event: 'said', ...heard({ text: typeof text === 'string' ? text : undefined, body: Buffer.from(text), ...more }, room) } as const
}

/** Something else that bob did. */
export function changed(more: Partial<ToldEntry>, about?: string, room?: string) {
  return { event: 'changed', ...heard(more, room), about } as const
}

function heard(more: Partial<ToldEntry>, room: string | undefined): Heard {
  const one = entry(more)
  return { entry: one, place: room === undefined ? { conversation: 7, peer: one.from } : { conversation: 7, room } }
}
