// Receipts (receipts.md): signed when asked for, over what the store proves. The same posting brings the same bytes each time:
// the oldest checkpoint that covers it is the one that is used, and signing adds no chance.

import { makeReceipt } from '../../pki/receipt.ts'
import { SealwireError } from '../../protocol/index.ts'
import type { ProofMaterial, Store } from '../../store/index.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { LedgerSigner } from './ledger-signer.ts'

/** What receipts work with. */
export interface ReceiptsParts {
  readonly store: Pick<Store, 'run'>
  readonly serverId: Uint8Array
  readonly signer: LedgerSigner
  readonly checkpoints: Pick<Checkpoints, 'cover'>
}

/** Which posting: that of an order, or by its number. */
export type ReceiptOf = { readonly signerId: bigint; readonly id: Uint8Array } | { readonly posting: bigint }

export class Receipts {
  readonly #parts: ReceiptsParts

  constructor(parts: ReceiptsParts) {
    this.#parts = parts
  }

  /**
   * The receipt of a posting that moved something of this account, or that its order was about. Of a split it shows all parts.
   * @throws {SealwireError} `not_found`; `unavailable` while the server stops; those of the store.
   */
  async receipt(accountId: bigint, of: ReceiptOf): Promise<Uint8Array> {
    const { serverId: server, signer } = this.#parts
    const number = 'posting' in of ? await this.#ownPosting(accountId, of.posting) : await this.#postingOf(accountId, of)
    const { posting, path, checkpoint } = await this.#materialOf(number)
    return makeReceipt({ server, posting, path, checkpoint }, signer)
  }

  /** By its number anybody's could be asked for. */
  async #ownPosting(accountId: bigint, posting: bigint): Promise<bigint> {
    const [found] = posting === 0n ? [] : await this.#parts.store.run('ledger.export', { after: posting - 1n, max: 1n })
    if (found === undefined || found.legs.every(({ holderId }) => holderId !== accountId)) throw notFound()
    return posting
  }

  async #postingOf(accountId: bigint, order: { readonly signerId: bigint; readonly id: Uint8Array }): Promise<bigint> {
    const found = await this.#parts.store.run('ledger.transfer', { accountId, ...order })
    if (found === undefined) throw notFound()
    return found.transfer.posting
  }

  async #materialOf(posting: bigint): Promise<ProofMaterial> {
    const { store, checkpoints } = this.#parts
    const known = await store.run('ledger.proofMaterial', { posting })
    if (known !== undefined) return known
    await checkpoints.cover(posting)
    const made = await store.run('ledger.proofMaterial', { posting })
    if (made === undefined) throw notFound()
    return made
  }
}

function notFound(): SealwireError {
  return new SealwireError('not_found', 'there is no such payment of this account')
}
