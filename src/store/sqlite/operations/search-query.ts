// What somebody looks for, as FTS5 wants it. Nothing of it is syntax of theirs: only letters, digits and marks stay, and every
// word stands in quotes. Words are whole ones: looking for all that begin with some letters would read what everybody on the
// server has said with them.

import { SealwireError } from '../../../protocol/errors.ts'

/**
 * The different words of a text, each a query of its own; all of them together, with spaces between, are one for what has them
 * all. Empty when there is no word in the text. @throws {SealwireError} `malformed` for more than `max`.
 */
export function searchWords(text: string, max: number): readonly string[] {
  const words = new Set(text.split(notOfWords).filter((word) => hasToken.test(word)))
  if (words.size > max) throw new SealwireError('malformed', `a search takes at most ${max} different words`)
  return Array.from(words, (word) => `"${word}"`)
}

/** The index splits at about the same characters; what it splits further it finds as a phrase. */
const notOfWords = /[^\p{L}\p{N}\p{M}\p{Co}]+/u
/** Marks alone are nothing to the index. */
const hasToken = /[\p{L}\p{N}\p{Co}]/u
