// Where a value was written, so that a refusal points there: `--listen`, `SEALWIRE_LISTEN`, `server.toml:3: listen`.

import { SealwireError } from '../../protocol/errors.ts'
import { quote } from '../terminal/escape.ts'

export interface Origin {
  readonly label: string
  /** `usage` for the command line, `config_invalid` for the environment and the file. */
  readonly code: 'usage' | 'config_invalid'
}

/** An origin on the command line: a flag such as `--listen` or an argument such as `PORT`. */
export function commandLine(label: string): Origin {
  return { label, code: 'usage' }
}

/** The error for a value that cannot be used: `ORIGIN "VALUE" PREDICATE`, and what to do instead. */
export function refuse(origin: Origin, value: string, predicate: string, hint: string): SealwireError {
  return new SealwireError(origin.code, `${origin.label} ${quote(value)} ${predicate}`, { hint })
}
