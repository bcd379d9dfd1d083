// Orders that the device of a home signs, for a server whose ledger has the key that the home knows. Another key stops what
// moves money, and nothing else: messages need no ledger.

import type { KeyObject } from 'node:crypto'
import { signCose } from '../../pki/cose-sign1.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Welcome } from '../../protocol/contract/index.ts'
import type { OrderSigner } from '../payments/signed.ts'
import { refuseForked } from './checkpoints.ts'
import { readDevice } from './device-files.ts'
import type { Home } from './home.ts'
import { keepLedgerKey } from './ledger-key.ts'
import type { Profile } from './profile.ts'

export class HomeSigner {
  readonly #home: Home
  /** Why this server gets no orders. */
  #refusal: SealwireError | undefined

  constructor(home: Home) {
    this.#home = home
  }

  /** A server has said who it is. */
  welcomed(welcome: Pick<Welcome, 'server' | 'ledger'>, profile: Profile): void {
    try {
      keepLedgerKey(this.#home, welcome, profile)
      this.#refusal = undefined
    } catch (reason) {
      this.#refusal = SealwireError.from(reason)
    }
  }

  /**
   * Rejects with `untrusted` for a ledger of another key, `ledger_forked` after an audit found two histories, `device_required` where the
   * home is no device, and what its files are refused with.
   */
  readonly sign: OrderSigner = async (payload, purpose) => {
    if (this.#refusal !== undefined) throw this.#refusal
    refuseForked(this.#home)
    return signCose(payload, purpose, readOrderKey(this.#home))
  }
}

/** The key that signs orders. @throws {SealwireError} `device_required` where the home is no device; what its files are refused with. */
export function readOrderKey(home: Home): KeyObject {
  const key = readDevice(home)?.keys.ed25519
  if (key === undefined) throw deviceRequired()
  return key
}

export function deviceRequired(): SealwireError {
  return new SealwireError('device_required', 'money is moved by the signature of a device, and this home is none', {
    hint: 'join again from another home, at a server that takes devices',
  })
}
