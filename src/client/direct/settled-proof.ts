// What a payee hands back when a payment is settled is not believed: what the payer takes from it is the receipt alone, signed by
// the ledger of the server, with the order in it as it was signed.

import { formatAmount } from '../../domain/money.ts'
import { type Receipt, verifyReceipt } from '../../pki/index.ts'
import type { PayOrder, Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'

/** A payment that was handed over. */
export interface HandedOver {
  readonly order: PayOrder
  /** COSE_Sign1. */
  readonly signed: Uint8Array
  readonly memo?: string | undefined
  /** Names, as their owners write them. */
  readonly payer: string
  readonly payee: string
}

/**
 * The transfer that a receipt proves, as its payer sees it, without a balance. `key`: that of the ledger, as the home keeps it.
 * @throws {SealwireError} `untrusted` when it proves something else, or nothing.
 */
export function provenTransfer(paid: HandedOver, receipt: Uint8Array, key: Uint8Array | undefined): Result<'payment.order'> {
  const { order, signed, memo, payer, payee } = paid
  const { server, posting } = opened(receipt, key, payee)
  const isIts = posting.kind === 'pay' && posting.signed !== undefined && sameBytes(posting.signed, signed)
  if (!isIts || !sameBytes(server, order.server)) throw untrusted(payee, 'it is of another payment')
  return {
    ...{ id: order.id, kind: 'pay', status: 'posted', unit: order.unit, amount: formatAmount(order.amount, posting.decimals) },
    ...{ payer, payee, signer: payer, posting: Number(posting.seq), at: Number(posting.at), ...(memo === undefined ? {} : { memo }) },
  }
}

function opened(receipt: Uint8Array, key: Uint8Array | undefined, payee: string): Receipt {
  if (key === undefined) throw untrusted(payee, 'the key of the ledger is not known here')
  try {
    return verifyReceipt(receipt, key)
  } catch (cause) {
    throw untrusted(payee, SealwireError.from(cause).sentence, cause)
  }
}

function untrusted(payee: string, why: string, cause?: unknown): SealwireError {
  return new SealwireError(
    'untrusted',
    `the receipt that ${payee} has handed back is not good: ${why}; the order may have been carried out`,
    {
      cause,
      hint: 'order the same under the same id when the server is there, or ask what became of it',
    },
  )
}
