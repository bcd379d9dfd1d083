// Session tokens: 32 random bytes that prove an installation at later connections. The store keeps their SHA-256 only.

import { createHash, getRandomValues } from 'node:crypto'
import { tokenBytes } from '../../protocol/contract/index.ts'
import type { SecretHash } from '../../store/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'

/** A token that nobody can guess. */
export function newToken(): Uint8Array {
  return getRandomValues(new Uint8Array(tokenBytes))
}

/** What the server keeps of it. */
export function tokenHash(token: Uint8Array): SecretHash {
  return new Uint8Array(createHash('sha256').update(token).digest())
}

/** Whether two hashes are of one token; false where one of them is missing. */
export function isSameToken(one: SecretHash | undefined, other: SecretHash | undefined): boolean {
  return one !== undefined && sameBytes(one, other)
}

/** What an installation that has a token and no keys is called where a device has its id: its place in the inbox. */
export function installationOf(hash: SecretHash): string {
  return `t-${Buffer.from(hash.subarray(0, 10)).toString('hex')}`
}
