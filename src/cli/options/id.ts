// Ids on the command line. Own ones are UUIDs of version 7: whoever repeats a command under the same id does nothing twice. Those of
// others are whatever UUIDs they have.

import { anyIdBytes, newMessageId, parseMessageId } from '../../client/outbox/message-id.ts'
import { systemClock } from '../../domain/clock.ts'
import { commandLine, refuse } from './origin.ts'

/** An id that nothing else has. */
export function freshId(): Uint8Array {
  return parseMessageId(newMessageId(systemClock.now(), (bytes) => crypto.getRandomValues(bytes)))
}

/** The id that `--id` gives, a UUID of version 7, else a fresh one. @throws {SealwireError} `usage`, with `hint`. */
export function ownId(text: string | undefined, hint: string = fromStatement): Uint8Array {
  if (text === undefined) return freshId()
  return read(parseMessageId, text) ?? wrong(text, '--id', 'is not a UUID of version 7', hint)
}

/**
 * The id of what is there already, as the commands print it: a server takes ids of any version.
 * @throws {SealwireError} `usage`, naming the argument `what`, with `hint` (default: where ids of orders are found).
 */
export function readId(text: string, what: string, hint: string = fromStatement): Uint8Array {
  return read(anyIdBytes, text) ?? wrong(text, what, 'is not a UUID', hint)
}

function read(parse: (text: string) => Uint8Array, text: string): Uint8Array | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function wrong(text: string, what: string, predicate: string, hint: string): never {
  throw refuse(commandLine(what), text, predicate, hint)
}

const fromStatement = 'copy it from sealwire statement'
