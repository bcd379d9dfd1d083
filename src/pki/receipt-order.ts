// Whether a posting is what was ordered (receipts.md, step 5). The key of the ledger is the server's: what an account has signed is
// worth more than what the row says.

import { decodeOrder, type Order, type OrderKind, orderKinds, orderPurposes, orderSigner } from '../protocol/contract/order.ts'
import { sameBytes } from '../protocol/same-bytes.ts'
import { receiptInvalid } from './checkpoint.ts'
import { openCose } from './cose-sign1.ts'
import { amountOf, type ReceiptPosting } from './receipt-row.ts'

/** What the order in a posting says beside it. */
export interface Ordered {
  /** The Ed25519 key that has signed it. */
  readonly device: Uint8Array
  /** Of a hold: the number of the account for which it is put aside. The posting has it nowhere. */
  readonly heldFor: bigint | undefined
}

/**
 * What was ordered; `undefined` for a kind that nobody signs.
 * @throws {SealwireError} `receipt_invalid` when the order is missing or not signed, or when the posting says something else.
 */
export function verifyOrdered(posting: ReceiptPosting, server: Uint8Array): Ordered | undefined {
  const { kind, signed, at } = posting
  const moved = amountOf(posting)
  if (!isOrdered(kind)) {
    if (signed !== undefined) throw receiptInvalid('nobody signs what the posting says')
    requireMoves(posting, moved, unorderedMoves(posting, moved))
    return undefined
  }
  if (signed === undefined) throw receiptInvalid('nobody has signed what the posting says')
  const { device, order } = openOrder(kind, signed)
  const isIts = sameBytes(order.id, posting.id) && sameBytes(order.server, server) && orderSigner(order) === posting.signer
  if (!isIts) throw receiptInvalid('the posting is of another order than the one in it')
  if ('unit' in order && order.unit !== posting.unit) throw receiptInvalid('the posting is in another unit than was ordered')
  if ('expiresAt' in order && order.expiresAt <= at) throw receiptInvalid('the order in the posting was over by then')
  requireMoves(posting, moved, orderedMoves(order, moved))
  return { device, heldFor: order.kind === 'hold' ? order.payee : undefined }
}

function openOrder(kind: OrderKind, signed: Uint8Array): { readonly device: Uint8Array; readonly order: Order } {
  try {
    const { signer: device, payload } = openCose(signed, orderPurposes[kind])
    return { device, order: decodeOrder(kind, payload) }
  } catch (cause) {
    throw receiptInvalid('the order in the posting is not signed', cause)
  }
}

/** Who loses what the posting moves, and who gets how much of it. */
interface Moves {
  readonly from: bigint
  readonly to: readonly (readonly [holder: bigint, amount: bigint])[]
}

/** `moved`: all that the posting moves; where a hold ends that is what was on hold, which its order does not say. */
function orderedMoves(order: Order, moved: bigint): Moves {
  switch (order.kind) {
    case 'pay':
      return { from: order.payer, to: [[order.payee, order.amount]] }
    case 'hold':
      return { from: order.payer, to: [[operator, order.amount]] }
    case 'split':
      return { from: order.payer, to: order.parts.map(({ payee, amount }) => [payee, amount]) }
    case 'refund':
      return { from: order.payee, to: [[order.originalPayer, order.amount]] }
    case 'capture':
      return { from: operator, to: [[order.payee, order.amount], ...rest(order.holdPayer, moved - order.amount)] }
    case 'void':
      return { from: operator, to: [[order.holdPayer, moved]] }
  }
}

function rest(holdPayer: bigint, amount: bigint): Moves['to'] {
  return amount === 0n ? [] : [[holdPayer, amount]]
}

/** Mint and burn are the operator's; an expiry has the signer of its hold. */
function unorderedMoves({ kind, legs, signer }: ReceiptPosting, moved: bigint): Moves {
  if (kind === 'expire') return { from: operator, to: [[signer, moved]] }
  if (signer !== operator) throw receiptInvalid('the posting is by somebody who has not signed it')
  const holder = legs.find((leg) => leg.holder !== operator)?.holder ?? operator
  return kind === 'mint' ? { from: operator, to: [[holder, moved]] } : { from: holder, to: [[operator, moved]] }
}

/** In any order. */
function requireMoves({ legs }: ReceiptPosting, moved: bigint, { from, to }: Moves): void {
  const expected = inOrder([[from, -moved], ...to])
  if (inOrder(legs.map(({ holder, delta }) => [holder, delta])) !== expected) {
    throw receiptInvalid('the posting moves something else than was ordered')
  }
}

function inOrder(moves: Moves['to']): string {
  return moves
    .map(([holder, delta]) => `${holder}:${delta}`)
    .sort()
    .join(' ')
}

function isOrdered(kind: string): kind is OrderKind {
  return orderKinds.some((each) => each === kind)
}

/** The number that the operator's own accounts have. */
const operator = 0n
