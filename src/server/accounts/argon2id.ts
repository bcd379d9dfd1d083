// Argon2id by a native library, at less than half of the runtime's own price (docs/decisions/0026). It is loaded when a
// server begins, not with this file: most commands never hash, and where it is missing that is told in one sentence.

import { createRequire } from 'node:module'
import type { hashRaw } from '@node-rs/argon2'
import { SealwireError } from '../../protocol/index.ts'
import type { Phc } from './phc.ts'

/** What is hashed with a password, and how long the tag gets. */
export interface Argon2idInput extends Omit<Phc, 'tag'> {
  /** In bytes. */
  readonly tagLength: number
}

/** Computes the tag of a password, version 0x13, on a thread of the runtime's pool. */
export type Argon2id = (password: string, input: Argon2idInput) => Promise<Buffer>

/**
 * Loads the library; once it is there, that costs nothing.
 * @throws {SealwireError} `runtime_unsupported` when its build for this platform is missing.
 */
export function loadArgon2id(): Argon2id {
  const library = requireLibrary()
  return (password, input) => derive(library, password, input)
}

type Library = Readonly<{ hashRaw: typeof hashRaw }>

function requireLibrary(): Library {
  try {
    return createRequire(import.meta.url)('@node-rs/argon2') as Library
  } catch (reason) {
    const platform = `${process.platform}-${process.arch}`
    throw new SealwireError('runtime_unsupported', `the build of @node-rs/argon2 for ${platform} is missing or does not load`, {
      cause: reason,
      hint: 'install again on this machine with npm ci, without --omit=optional',
    })
  }
}

/**
 * What it leaves of the password in memory is filled with zeros. Two things cannot be: the string itself, and the library's
 * copy, in memory that it uses again for the next ones.
 */
async function derive(library: Library, password: string, input: Argon2idInput): Promise<Buffer> {
  const message = outside(password)
  const { memoryKiB: memoryCost, passes: timeCost, parallelism, salt, tagLength: outputLen } = input
  try {
    return await library.hashRaw(message, { algorithm: argon2id, version: version0x13, memoryCost, timeCost, parallelism, outputLen, salt })
  } finally {
    message.fill(0)
  }
}

/** UTF-8 outside the collected heap: a small buffer inside it is moved out when native code asks for it, and leaves its bytes behind. */
function outside(text: string): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(Buffer.byteLength(text, 'utf8')))
  bytes.write(text, 'utf8')
  return bytes
}

/** The library's numbers; its enums are of a kind that is gone when types are erased. */
const argon2id = 2
const version0x13 = 1
