// Ids of entries that the server makes, because whoever causes them gives none: UUIDs of version 7, as clients make theirs.

import { randomFillSync } from 'node:crypto'
import { messageIdBytes } from '../protocol/contract/index.ts'

/** A UUID of version 7 (RFC 9562 §5.7) of this moment, milliseconds since 1970. */
export function newEntryId(now: number): Uint8Array {
  const id = Buffer.alloc(messageIdBytes)
  randomFillSync(id, 6)
  id.writeUIntBE(now, 0, 6)
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x70, 6)
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8)
  return new Uint8Array(id)
}
