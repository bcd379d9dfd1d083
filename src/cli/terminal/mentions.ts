// Who is meant by a message in a room: `@bob` in its words.

import type { ReadEntry } from '../../client/index.ts'
import { nameKey } from '../../domain/case-fold.ts'
import { mentionsMax } from '../../protocol/contract/index.ts'
import { limitTable } from '../../protocol/limits.ts'

/** The names behind an @, each once, at most {@link mentionsMax} and no more than goes with a message. Nobody asks who they are: who is not in the room hears nothing. */
export function mentionsIn(text: string): readonly string[] {
  const names = new Map<string, string>()
  let bytes = 0
  for (const [, word = ''] of text.matchAll(mention)) {
    // The end of a sentence.
    const name = word.replace(/[.-]+$/, '')
    if (name === '' || name.length > nameMax || names.size >= mentionsMax) continue
    const [key, size] = [nameKey(name), Buffer.byteLength(name) + headBytes]
    if (names.has(key) || bytes + size > bytesMax) continue
    names.set(key, name)
    bytes += size
  }
  return [...names.values()]
}

/** Whether a message means somebody. */
export function isMeant({ mentions = [] }: Pick<ReadEntry, 'mentions'>, own: string): boolean {
  return mentions.some((name) => nameKey(name) === nameKey(own))
}

/** Behind a letter it is part of an address. */
const mention = /(?<![\p{L}\p{M}\p{N}._@-])@([\p{L}\p{M}\p{N}._-]+)/gu
const nameMax = limitTable.nameCharactersMax.value
/** Of a name in CBOR, and what else goes with a message there. */
const [headBytes, otherBytes] = [3, 64]
const bytesMax = limitTable.messageDataBytesMax.value - otherBytes
