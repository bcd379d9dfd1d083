// Entries of a conversation, as a chat is told of them.

import type { Heard } from '../../../src/cli/chat/news.ts'
import type { ReadEntry } from '../../../src/client/index.ts'
import { parseMessageId } from '../../../src/client/outbox/message-id.ts'
import type { PaymentSaid } from '../../../src/client/payments/message.ts'
import { encodeCbor, paymentType } from '../../../src/protocol/contract/index.ts'

/** An entry of bob's, number 3 in conversation 7. */
export function entry(more: Partial<ReadEntry> = {}): ReadEntry {
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
export function said(text: string | Uint8Array, more: Partial<ReadEntry> = {}, room?: string) {
  return { event: 'said', ...heard({ text: typeof text === 'string' ? text : undefined, body: Buffer.from(text), ...more }, room) } as const
}

/** What a message says of money, as the server writes it. */
export function moneySaid({ kind, from, to, unit, amount, memo = '', id, status }: PaymentSaid): Pick<ReadEntry, 'type' | 'body'> {
  return { type: paymentType, body: encodeCbor([kind, from, to, unit, amount, memo, 7, parseMessageId(id), status]) }
}

/** Something else that bob did. */
export function changed(more: Partial<ReadEntry>, about?: string, room?: string) {
  return { event: 'changed', ...heard(more, room), about } as const
}

function heard(more: Partial<ReadEntry>, room: string | undefined): Heard {
  const one = entry(more)
  return { entry: one, place: room === undefined ? { conversation: 7, peer: one.from } : { conversation: 7, room } }
}
