// A word of a command that is shown to be run again.

/** As a shell takes it: in quotes where it would read it otherwise. */
export function shellWord(word: string): string {
  return /^[\w.,:=@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
