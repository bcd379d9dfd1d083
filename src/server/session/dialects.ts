// Which dialect a connection speaks: its first frame says. The contract is always answered, classic when the operator asked
// for it; who begins with classic on a server without it is told so in classic.

import { contractCommandFirst, SealwireError } from '../../protocol/index.ts'
import { ClassicDialect, classicError } from '../classic.ts'
import type { ServerContext } from '../context.ts'
import { ContractDialect, contractFault } from '../contract.ts'
import type { Dialect, Speaker } from './dialect.ts'

/** The dialect of a session whose first frame has this command. */
export function chooseDialect(command: number, speaker: Speaker, server: ServerContext): Dialect {
  if (command >= contractCommandFirst) return new ContractDialect(speaker, server)
  return server.classic && !speaker.joinOnly ? new ClassicDialect(speaker, server) : noClassic
}

/** Why a connection ends whose first frame never came, or was none. */
export function undecidedLastWord(error: SealwireError, { classic }: Pick<ServerContext, 'classic'>): Uint8Array {
  return classic ? classicError(error.code) : contractFault(null, error)
}

const noClassic: Dialect = {
  name: 'none',
  dispatch() {
    throw new SealwireError('dialect_unavailable', 'this server does not speak that dialect')
  },
  lastWord: ({ code }) => classicError(code),
  closed() {},
}
