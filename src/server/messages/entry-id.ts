// Ids of entries that the server makes, because whoever causes them gives none: UUIDs of version 7, as clients make theirs.

import { type Randomness, stampUuid7, systemRandomness } from '../../domain/index.ts'
import { messageIdBytes } from '../../protocol/contract/index.ts'

/** A UUID of version 7 of this moment, milliseconds since 1970. */
export function newEntryId(now: number, fill: Randomness = systemRandomness): Uint8Array {
  return stampUuid7(fill(new Uint8Array(messageIdBytes)), now)
}
