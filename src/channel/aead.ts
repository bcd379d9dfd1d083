// AES-256-GCM on the runtime's own code. The length of the tag is always named: Node.js takes shorter ones otherwise.
// A tag is compared by the runtime and nowhere else, and what was not authenticated never leaves this file.

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { channelBroken } from './broken.ts'

/** Bytes of the tag that everything sealed ends with. */
export const tagBytes = 16
/** Bytes of a key. */
export const keyBytes = 32
/** Bytes of a nonce. */
export const nonceBytes = 12

const algorithm = 'aes-256-gcm'
const options = { authTagLength: tagBytes } as const

/** What a sealing needs beside the plaintext; `associated` is authenticated and not encrypted. */
export interface SealParameters {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly associated: Uint8Array
}

/** Writes the ciphertext of all `parts` together and its tag into `output`, from `at` on. */
export function sealInto(
  output: Uint8Array,
  at: number,
  { key, nonce, associated }: SealParameters,
  ...parts: readonly Uint8Array[]
): void {
  const cipher = createCipheriv(algorithm, key, nonce, options)
  cipher.setAAD(associated)
  let end = at
  for (const part of parts) {
    output.set(cipher.update(part), end)
    end += part.length
  }
  cipher.final()
  output.set(cipher.getAuthTag(), end)
}

/** The plaintext, in memory of its own; it may be a Buffer, the slice of which is a view. @throws {SealwireError} `channel_broken`. */
export function open({ key, nonce, associated }: SealParameters, sealed: Uint8Array): Uint8Array {
  const length = sealed.length - tagBytes
  if (length < 0) throw channelBroken()
  const decipher = createDecipheriv(algorithm, key, nonce, options)
  decipher.setAAD(associated)
  decipher.setAuthTag(sealed.subarray(length))
  const plaintext = decipher.update(sealed.subarray(0, length))
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    throw channelBroken()
  }
  return plaintext
}
