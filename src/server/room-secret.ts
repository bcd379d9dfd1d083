// The secret of a link to a room: 16 random bytes, of which the store keeps the hash only.

import { type Randomness, systemRandomness } from '../domain/index.ts'
import { roomSecretBytes } from '../protocol/contract/index.ts'

/** A secret that nobody can guess. Clients write it as a word of base64url, and a word that begins with `-` reads as an option. */
export function newRoomSecret(fill: Randomness = systemRandomness): Uint8Array {
  for (;;) {
    const secret = fill(new Uint8Array(roomSecretBytes))
    if (!Buffer.from(secret).toString('base64url').startsWith('-')) return secret
  }
}
