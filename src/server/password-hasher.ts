// Argon2id off the event loop, a few at a time. A name that nobody has costs the same as a wrong password: there is a hash
// that no password fits, made with the parameters in force. While a stored hash still has others (the operator changed
// them, and its owner has not logged in since), its account can be told apart by time; logging in replaces the hash.

import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { assert, type Limits } from '../protocol/index.ts'
import { encodePhc, type Phc, parsePhc } from './phc.ts'
import { type Queue, Turns, type WaitOptions } from './turns.ts'

/** The bounds of hashing. */
export type PasswordHashLimits = Pick<
  Limits,
  'passwordHashMemoryKiB' | 'passwordHashPasses' | 'passwordHashConcurrencyMax' | 'passwordHashQueueMax'
>

/** Makes and checks password hashes. */
export class PasswordHasher {
  readonly #turns: Turns
  readonly #parameters: Pick<Phc, 'memoryKiB' | 'passes' | 'parallelism'>
  /** No password fits it: its tag is random. */
  readonly #nobody: string

  constructor(limits: PasswordHashLimits) {
    this.#turns = new Turns({ width: limits.passwordHashConcurrencyMax, waitingMax: limits.passwordHashQueueMax })
    // One lane, so that one login cannot take all cores.
    this.#parameters = { memoryKiB: limits.passwordHashMemoryKiB, passes: limits.passwordHashPasses, parallelism: 1 }
    this.#nobody = encodePhc({ ...this.#parameters, salt: randomBytes(saltBytes), tag: randomBytes(tagBytes) })
  }

  /** Its queue, for who looks how long that is. */
  get queue(): Queue {
    return this.#turns
  }

  /**
   * A PHC string with a fresh salt and the parameters in force.
   * @throws {SealwireError} `busy` when `passwordHashQueueMax` wait; `connection_lost` when the signal aborts the wait.
   */
  async hash(password: string, options: WaitOptions = {}): Promise<string> {
    const settings = { ...this.#parameters, salt: randomBytes(saltBytes) }
    const tag = await this.#turns.run(() => derive(password, settings, tagBytes), options)
    return encodePhc({ ...settings, tag })
  }

  /**
   * Whether `phc` was made from this password. Without one, of an account that does not exist: the same work, and false.
   * @throws {SealwireError} as {@link hash}; `internal` when the stored hash is malformed.
   */
  async verify(password: string, phc: string | undefined, options: WaitOptions = {}): Promise<boolean> {
    const stored = parsePhc(phc ?? this.#nobody)
    assert(stored !== undefined, 'a stored password hash is malformed')
    const tag = await this.#turns.run(() => derive(password, stored, stored.tag.length), options)
    const isEqual = timingSafeEqual(tag, stored.tag)
    tag.fill(0)
    return isEqual && phc !== undefined
  }

  /** True when a hash is weaker than the parameters in force in any of them. */
  needsRehash(phc: string): boolean {
    const stored = parsePhc(phc)
    if (stored === undefined) return true
    const { memoryKiB, passes } = this.#parameters
    return stored.memoryKiB < memoryKiB || stored.passes < passes || stored.salt.length < saltBytes || stored.tag.length < tagBytes
  }
}

/** Argon2id; what it leaves of the password in memory is filled with zeros (the string itself cannot be). */
async function derive(password: string, settings: Omit<Phc, 'tag'>, tagLength: number): Promise<Buffer> {
  const { memoryKiB: memory, passes, parallelism, salt: nonce } = settings
  const message = Buffer.from(password, 'utf8')
  try {
    return await new Promise((resolve, reject) => {
      argon2('argon2id', { message, nonce, parallelism, tagLength, memory, passes }, (error, tag) => {
        if (error) reject(error)
        else resolve(tag)
      })
    })
  } finally {
    message.fill(0)
  }
}

const saltBytes = 16
const tagBytes = 32
