// What somebody looks for, as FTS5 wants it. Nothing of it is syntax of theirs: only letters, digits and marks stay, and every
// word stands in quotes. Words are whole ones: looking for all that begin with some letters would read what everybody on the
// server has said with them.

/** A query for what has all words. Undefined when there is no word in the text. */
export function searchQuery(text: string): string | undefined {
  const words = text.split(notOfWords).filter((word) => word !== '')
  return words.length === 0 ? undefined : words.map((word) => `"${word}"`).join(' ')
}

/** The index splits at about the same characters; what it splits further it finds as a phrase. */
const notOfWords = /[^\p{L}\p{N}\p{M}\p{Co}]+/u
