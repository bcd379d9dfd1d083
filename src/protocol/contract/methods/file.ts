// file.*: files in a conversation, in chunks over the same connection. Each chunk is a request: what else is asked for goes
// between two of them.

import * as v from 'valibot'
import { conversation, fileNameCharactersMax, fileSchema, messageId } from '../entry.ts'
import { bytes, count, exactBytes, text } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'

/** The largest chunk of a file. */
export const fileChunkBytesMax = 60_000
/** The largest file: 5 GB. */
export const fileBytesMax = 5_000_000_000

export const fileMethods = {
  'file.begin': {
    what: 'Announces a file for a conversation, or finds out how far one got. Repeating it with the same id goes on where it stopped.',
    when: 'after login',
    params: v.strictObject({
      id: messageId('UUIDv7 made by the client'),
      conversation: conversation(),
      name: v.pipe(text(fileNameCharactersMax, 'for people'), v.minLength(1)),
      size: count('bytes', fileBytesMax),
      sha256: exactBytes(32, 'of the whole content'),
    }),
    result: v.object({ offset: count('how much is there already') }),
  },
  'file.put': {
    what: 'The next chunk. The result means that the server took it; whether the whole is sound says file.end.',
    when: 'after login',
    paced: false,
    apart: true,
    params: v.strictObject({
      id: messageId('of the file'),
      offset: count('where it belongs: exactly behind what is there'),
      data: bytes(fileChunkBytesMax, 'the next bytes'),
    }),
    result: v.object({ offset: count('how much is there now') }),
  },
  'file.end': {
    what: 'The file is whole: it is checked, made durable, and can be sent with message.send.',
    when: 'after login',
    apart: true,
    params: v.strictObject({ id: messageId('of the file') }),
    result: v.object({}),
  },
  'file.abandon': {
    what: 'Removes an own file that no message was sent with.',
    when: 'after login',
    params: v.strictObject({ id: messageId('of the file') }),
    result: v.object({}),
  },
  'file.find': {
    what: 'What is known of a file in a conversation that this account may see.',
    when: 'after login',
    params: v.strictObject({ id: messageId('of the file') }),
    result: fileSchema,
  },
  'file.get': {
    what: 'A chunk of a file.',
    when: 'after login',
    paced: false,
    apart: true,
    params: v.strictObject({
      id: messageId('of the file'),
      offset: count('where to begin'),
      length: v.pipe(count('how much at most', fileChunkBytesMax), v.minValue(1)),
    }),
    result: v.object({ data: bytes(fileChunkBytesMax, 'fewer bytes only at the end') }),
  },
} as const satisfies Record<string, MethodRow>
