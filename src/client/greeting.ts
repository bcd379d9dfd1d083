// The beginning of a connection: the first frame of the other side says what comes of it. Whoever is made of it takes the
// connection over in the middle of a read, so that it misses nothing that came behind.

import { type Packet, SealwireError } from '../protocol/index.ts'
import { contractCommands, contractVersion, parseFault, parseWelcome, type Welcome } from '../protocol/contract/index.ts'
import type { ConnectionUser } from './connection.ts'
import { serverError } from './server-error.ts'

export class Greeting<T> implements ConnectionUser {
  readonly #greeted: (packet: Packet) => T
  readonly #done = Promise.withResolvers<T>()

  /** What `greeted` throws ends the connection. */
  constructor(greeted: (packet: Packet) => T) {
    this.#greeted = greeted
  }

  /** What was made of the first frame. Rejects with the reason for which the connection ended instead. */
  get done(): Promise<T> {
    return this.#done.promise
  }

  packet(packet: Packet): void {
    this.#done.resolve(this.#greeted(packet))
  }

  reading(): void {}

  drained(): void {}

  ended(reason: SealwireError | undefined): void {
    this.#done.reject(reason ?? new SealwireError('connection_lost', 'the connection is closed'))
  }
}

/** What a server says first. @throws {SealwireError} why it lets nobody in, and what is no greeting. */
export function welcomeOf({ command, body }: Packet): Welcome {
  if (command === contractCommands.fault) throw serverError(parseFault(body))
  if (command !== contractCommands.welcome) throw new SealwireError('unexpected', 'the server did not begin with a welcome', { hint })
  const welcome = parseWelcome(body)
  if (welcome.version === contractVersion) return welcome
  throw new SealwireError('version_unsupported', 'the server chose a version unknown here')
}

const hint = 'check that it is a Sealwire server, and which version it has'
