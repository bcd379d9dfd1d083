// What two devices may ask of each other on a direct link, declared once, as the contract's methods are. The frames and their
// bodies are those of the contract; a server has none of these methods.

import * as v from 'valibot'
import { conversation, mentionsMax, messageBodyBytesMax, messageId, sequence } from '../contract/entry.ts'
import { bytes, contentType, count, exactBytes, name, text, word } from '../contract/fields.ts'
import type { ParamsIn, ResultIn } from '../contract/method-table.ts'
import { directTokenBytes } from '../contract/methods/direct.ts'
import { fileBytesMax, fileChunkBytesMax } from '../contract/methods/file.ts'
import { memoCharactersMax, orderBytesMax, receiptBytesMax, transferSchema } from '../contract/methods/payment.ts'

/** The version of what is said on a direct link that this code speaks. */
export const peerVersion = 1

/** One method. Parameters that a device does not know are refused; result fields that it does not know are ignored. */
export interface PeerMethodRow {
  readonly what: string
  readonly params: v.GenericSchema<unknown, object>
  readonly result: v.GenericSchema<unknown, object>
}

const version = (description: string) => count(description, 65_535)

/** The methods. Either side may call all of them, but for the first: that is for who has dialled, and for nobody twice. */
export const peerMethods = {
  'direct.hello': {
    what: 'Begins the link: the first request of who has dialled. Nothing else is taken before it is answered.',
    params: v.strictObject({
      versions: v.pipe(v.array(version('a version')), v.minLength(1), v.maxLength(16), v.description('what the dialling device speaks')),
      token: exactBytes(directTokenBytes, 'of the offers before it'),
    }),
    result: v.object({ version: version('the version chosen, the highest that both speak') }),
  },
  'direct.ping': {
    what: 'Answered at once.',
    params: v.strictObject({}),
    result: v.object({}),
  },
  'direct.say': {
    what: 'A message that goes to the server too, under the same id. Answered when the program there has done with it and its id is kept; left unanswered while it is held.',
    params: v.strictObject({
      conversation: conversation(),
      id: messageId('under which the server gets it'),
      type: v.optional(contentType('of the body; default text/plain')),
      body: bytes(messageBodyBytesMax, 'of the message'),
      replyTo: v.optional(sequence('the entry that it answers')),
      mentions: v.optional(v.pipe(v.array(name('of an account')), v.maxLength(mentionsMax), v.description('who is meant'))),
      at: count('when it was said, by the clock of its sender, milliseconds since 1970'),
      behind: v.pipe(
        v.strictObject({
          seq: sequence(
            'highest place in the conversation that the sender knows of an entry of neither device, or of its own not said over this link; 0: none',
          ),
          id: v.optional(messageId('of the last message that it said over this link')),
        }),
        v.description('what has to come before it'),
      ),
    }),
    result: v.object({}),
  },
  'direct.pay': {
    what: 'Hands over a signed payment to the account of the other device, which brings it to the server.',
    params: v.strictObject({
      order: bytes(orderBytesMax, 'COSE_Sign1: payments.md says what is signed'),
      memo: v.optional(text(memoCharactersMax, 'what it is for')),
    }),
    result: v.variant('state', [
      v.object({
        state: word(['settled'], 'it is done; then also'),
        transfer: v.pipe(transferSchema, v.description('as the server told it, without a balance')),
        receipt: bytes(receiptBytesMax, 'COSE_Sign1 of the server: receipts.md says what is in it'),
      }),
      v.object({ state: word(['held'], 'or: it is kept, and worth nothing until it is settled') }),
    ]),
  },
  'direct.file': {
    what: 'A chunk of a file that the other device has put into the conversation of the two.',
    params: v.strictObject({
      id: messageId('of the file'),
      offset: count('where to begin', fileBytesMax),
      length: v.pipe(count('how much', fileChunkBytesMax), v.minValue(1)),
    }),
    result: v.object({ data: bytes(fileChunkBytesMax, 'exactly as much') }),
  },
} as const satisfies Record<string, PeerMethodRow>

/** The table, for what takes any. */
export type PeerMethods = typeof peerMethods
/** The name of a method. */
export type PeerMethod = keyof PeerMethods
/** What a method is given. */
export type PeerParams<M extends PeerMethod> = ParamsIn<PeerMethods, M>
/** What it answers. */
export type PeerResult<M extends PeerMethod> = ResultIn<PeerMethods, M>
