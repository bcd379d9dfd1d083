// Argon2id off the event loop, a few at a time. A name that nobody has costs the same as a wrong password: there is a hash
// that no password fits, made with the parameters in force. While a stored hash still has others (the operator changed
// them, and its owner has not logged in since), its account can be told apart by time; logging in replaces the hash.

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { assert, type Limits } from '../../protocol/index.ts'
import { type Argon2id, loadArgon2id } from './argon2id.ts'
import { encodePhc, type Phc, parsePhc } from './phc.ts'
import { type Queue, Turns, type WaitOptions } from '../turns.ts'

/** The bounds of hashing. */
export type PasswordHashLimits = Pick<
  Limits,
  'passwordHashMemoryKiB' | 'passwordHashPasses' | 'passwordHashConcurrencyMax' | 'passwordHashQueueMax'
>

/** Makes and checks password hashes. */
export class PasswordHasher {
  readonly #argon2id: Argon2id
  readonly #turns: Turns
  readonly #parameters: Pick<Phc, 'memoryKiB' | 'passes' | 'parallelism'>
  /** No password fits it: its tag is random. */
  readonly #nobody: string

  /** @throws {SealwireError} those of {@link loadArgon2id}. */
  constructor(limits: PasswordHashLimits) {
    this.#argon2id = loadArgon2id()
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
    const tag = await this.#turns.run(() => this.#argon2id(password, { ...settings, tagLength: tagBytes }), options)
    return encodePhc({ ...settings, tag })
  }

  /**
   * Whether `phc` was made from this password. Without one, of an account that does not exist: the same work, and false.
   * @throws {SealwireError} as {@link hash}; `internal` when the stored hash is malformed.
   */
  async verify(password: string, phc: string | undefined, options: WaitOptions = {}): Promise<boolean> {
    const stored = parsePhc(phc ?? this.#nobody)
    assert(stored !== undefined, 'a stored password hash is malformed')
    const tag = await this.#turns.run(() => this.#argon2id(password, { ...stored, tagLength: stored.tag.length }), options)
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

const saltBytes = 16
const tagBytes = 32
