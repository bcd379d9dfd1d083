// The beginning of a connection: Hello, and Welcome or the Fault that says why not. Whoever is made of the Welcome takes
// the connection over in the middle of a read, so that it misses nothing that came behind.

import { type Packet, SealwireError } from '../protocol/index.ts'
import { contractCommands, contractVersion, parseFault, parseWelcome, type Welcome } from '../protocol/contract/index.ts'
import type { ConnectionUser } from './connection.ts'
import { serverError } from './server-error.ts'

export class Greeting<T> implements ConnectionUser {
  readonly #welcomed: (welcome: Welcome) => T
  readonly #done = Promise.withResolvers<T>()

  constructor(welcomed: (welcome: Welcome) => T) {
    this.#welcomed = welcomed
  }

  /** Rejects with the reason for which the connection ended instead. */
  get done(): Promise<T> {
    return this.#done.promise
  }

  packet({ command, body }: Packet): void {
    if (command === contractCommands.fault) throw serverError(parseFault(body))
    if (command !== contractCommands.welcome) throw new SealwireError('unexpected', 'the server did not begin with a welcome', { hint })
    const welcome = parseWelcome(body)
    if (welcome.version !== contractVersion) throw new SealwireError('version_unsupported', 'the server chose a version unknown here')
    this.#done.resolve(this.#welcomed(welcome))
  }

  reading(): void {}

  drained(): void {}

  ended(reason: SealwireError | undefined): void {
    this.#done.reject(reason ?? new SealwireError('connection_lost', 'the connection is closed'))
  }
}

const hint = 'check that it is a Sealwire server, and which version it has'
