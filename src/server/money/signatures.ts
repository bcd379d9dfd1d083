// Signatures of orders, checked away from the event loop, which does nothing but start and end each check: the runtime's own
// threads do the work, as many at once as it has. How many are under way and how many wait is bounded.

import type { KeyObject } from 'node:crypto'
import { readCose, type UnverifiedCose, verifyCoseApart } from '../../pki/cose-sign1.ts'
import { ed25519Key } from '../../pki/ed25519.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import { Recent } from '../../domain/recent.ts'
import { type Queue, Turns, type WaitOptions } from '../turns.ts'

/** The bounds of checking. */
export type SignatureLimits = Pick<Limits, 'peersRememberedMax' | 'signaturesAtOnceMax' | 'signaturesWaitingMax'>

/** Checks a signature with the key of its signer. @throws {SealwireError} `enrolment_invalid` for a wrong one. */
export type VerifySignature = typeof verifyCoseApart

export class Signatures {
  readonly #turns: Turns
  readonly #verify: VerifySignature
  /** Those that have passed, by their bytes as characters. */
  readonly #keys: Recent<string, KeyObject>

  /** `verify`: default away from the event loop. */
  constructor(
    { peersRememberedMax, signaturesAtOnceMax: width, signaturesWaitingMax: waitingMax }: SignatureLimits,
    verify: VerifySignature = verifyCoseApart,
  ) {
    this.#verify = verify
    this.#keys = new Recent(peersRememberedMax)
    this.#turns = new Turns({ width, waitingMax })
  }

  /** Its queue, for who looks how long that is. */
  get queue(): Queue {
    return this.#turns
  }

  /**
   * Resolves when the signature of a message is that of the key which it names.
   * @throws {SealwireError} `signature_invalid` when it is not, and for a key of small order; `busy` when too many wait;
   * `connection_lost` when the signal aborts the wait.
   */
  verify(signed: UnverifiedCose, purpose: string, options: WaitOptions = {}): Promise<void> {
    return this.#turns.run(() => this.#check(signed, purpose), options)
  }

  async #check(signed: UnverifiedCose, purpose: string): Promise<void> {
    try {
      await this.#verify(signed, purpose, this.#keyOf(signed.signer))
    } catch (cause) {
      throw signatureInvalid(cause)
    }
  }

  #keyOf(signer: Uint8Array): KeyObject {
    const name = Buffer.from(signer).toString('latin1')
    const known = this.#keys.find(name)
    if (known !== undefined) return known
    const key = ed25519Key(signer)
    this.#keys.add(name, key)
    return key
  }
}

/** The parts of a COSE_Sign1, its signature not yet checked. @throws {SealwireError} `signature_invalid` for another form. */
export function readSigned(message: Uint8Array): UnverifiedCose {
  try {
    return readCose(message)
  } catch (cause) {
    throw signatureInvalid(cause)
  }
}

function signatureInvalid(cause: unknown): SealwireError {
  const error = SealwireError.from(cause)
  return error.code === 'enrolment_invalid'
    ? new SealwireError('signature_invalid', error.sentence.replace('statement', 'order'), { cause })
    : error
}
