// Content of files for tests: bytes that no two places have in common, and what their upload says of them.

import { createHash, randomBytes } from 'node:crypto'

/** Bytes that follow from their number: cheap, and no part looks like another. */
export function fileBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count)
  const words = new Uint32Array(bytes.buffer, 0, count >> 2)
  for (let at = 0, word = 0x9e3779b9; at < words.length; at++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    words[at] = word
  }
  return bytes
}

export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

export function newFileId(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(16))
}
