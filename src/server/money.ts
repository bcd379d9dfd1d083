// The services of money, put together.

import type { Clock } from '../domain/index.ts'
import { type Limits, SealwireError } from '../protocol/index.ts'
import type { Store } from '../store/index.ts'
import type { Audience } from './messages/audience.ts'
import { Checkpoints } from './money/checkpoints.ts'
import { LedgerCare } from './money/ledger-care.ts'
import type { LedgerSigner } from './money/ledger-signer.ts'
import type { Log } from './log.ts'
import type { Messages } from './messages.ts'
import { Payments } from './money/payments.ts'
import { Receipts } from './money/receipts.ts'
import { Signatures, type VerifySignature } from './money/signatures.ts'

/** What they work with; whoever made the parts closes them. */
export interface MoneyParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly audience: Audience
  readonly messages: Pick<Messages, 'announce' | 'deliver'>
  readonly serverId: Uint8Array
  readonly signer: LedgerSigner
  /** How signatures of orders are checked. Default: away from the event loop. */
  readonly verify?: VerifySignature | undefined
}

export class Money {
  readonly signer: LedgerSigner
  readonly signatures: Signatures
  readonly checkpoints: Checkpoints
  readonly payments: Payments
  readonly receipts: Receipts
  readonly care: LedgerCare

  constructor({ limits, verify, ...parts }: MoneyParts) {
    const { signer } = parts
    this.signer = signer
    this.signatures = new Signatures(limits, verify)
    this.checkpoints = new Checkpoints({ ...parts, limits })
    const posted = (): void => this.checkpoints.posted()
    this.payments = new Payments({ ...parts, signatures: this.signatures, posted, peersRememberedMax: limits.peersRememberedMax })
    this.receipts = new Receipts({ ...parts, checkpoints: this.checkpoints })
    const { signatures, payments } = this
    this.care = new LedgerCare({ ...parts, limits, signatures, payments, publicKey: signer.publicKey })
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    await Promise.all([this.care.close(), this.checkpoints.close()])
  }
}

/** The services of money of a server that has them. @throws {SealwireError} `unavailable`. */
export function moneyOf({ money }: { readonly money: Money | undefined }): Money {
  if (money !== undefined) return money
  throw new SealwireError('unavailable', 'this server keeps no ledger')
}
