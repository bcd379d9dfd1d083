// Ids on the command line: UUIDs of version 7. Whoever repeats a command under the same id does nothing twice.

import { newMessageId, parseMessageId } from '../client/message-id.ts'
import { systemClock } from '../domain/clock.ts'
import { commandLine, refuse } from './origin.ts'

/** An id that nothing else has. */
export function freshId(): Uint8Array {
  return parseMessageId(newMessageId(systemClock.now(), (bytes) => crypto.getRandomValues(bytes)))
}

/** The id that `--id` gives, else a fresh one. @throws {SealwireError} as {@link readId}. */
export function ownId(text: string | undefined, hint?: string): Uint8Array {
  return text === undefined ? freshId() : readId(text, '--id', hint)
}

/**
 * An id, as the commands print it.
 * @throws {SealwireError} `usage`, naming the argument `what`, with `hint` (default: where ids of orders are found).
 */
export function readId(text: string, what: string, hint = 'copy it from sealwire statement'): Uint8Array {
  try {
    return parseMessageId(text)
  } catch {
    throw refuse(commandLine(what), text, 'is not a UUID of version 7', hint)
  }
}
