// Words of a command that is shown to be run again.

/** As a shell takes it: in quotes where it would read it otherwise. */
export function shellWord(word: string): string {
  return /^[\w.,:=@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A path as an argument: one that begins with `-` would be taken for an option. */
export function pathArgument(path: string): string {
  return path.startsWith('-') ? `./${path}` : path
}
