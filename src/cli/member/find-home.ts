// Which home folder a command works in.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { Home } from '../../client/home/home.ts'
import { readPath } from '../options/option-value.ts'
import { commandLine } from '../options/origin.ts'

/**
 * The home folder: `--home`, else the variable SEALWIRE_HOME, else `~/.sealwire`.
 * @throws {SealwireError} `usage` or `config_invalid` for what cannot be a path.
 */
export function findHome(flag: string | undefined, environment: NodeJS.ProcessEnv): Home {
  if (flag !== undefined) return new Home(readPath(flag, commandLine('--home')))
  const { SEALWIRE_HOME: variable } = environment
  // A variable that is set to nothing counts as not set, as it does for the server.
  if (variable) return new Home(readPath(variable, { label: 'SEALWIRE_HOME', code: 'config_invalid' }))
  return new Home(join(homedir(), '.sealwire'))
}
