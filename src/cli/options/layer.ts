// Flags, environment and configuration file say the same things in three forms. A layer makes one of them readable in
// the same way: the texts given for an option, and where they stand.

import { commandLine, type Origin } from './origin.ts'
import { type ServeOptionName, serveOptions } from '../serve/options.ts'

export interface Layer {
  /** What this source says of an option, in order; `undefined` when it says nothing. */
  texts(name: ServeOptionName): readonly string[] | undefined
  /** Where the text at `index` was written. */
  origin(name: ServeOptionName, index: number): Origin
}

/** The flags of `serve` as they were parsed, under the names of their rows. */
export type Flags = Readonly<Partial<Record<ServeOptionName, readonly string[]>>>

/** The command line: flags, and the positional `PORT` that stands for `--listen 127.0.0.1:PORT`. */
export function flagsLayer(flags: Flags): Layer {
  return {
    texts: (name) => flags[name],
    origin: (name) => commandLine(flagName(name)),
  }
}

/** The environment. A variable that is set to nothing counts as not set; lists are separated by commas. */
export function environmentLayer(environment: NodeJS.ProcessEnv): Layer {
  return {
    texts(name) {
      const { variable, many } = serveOptions[name]
      const text = environment[variable]
      if (text === undefined || text === '') return undefined
      return many ? text.split(',').map((part) => part.trim()) : [text]
    },
    origin: (name) => ({ label: serveOptions[name].variable, code: 'config_invalid' }),
  }
}

function flagName(name: ServeOptionName): string {
  return serveOptions[name].flag.split(' ')[0] ?? name
}
