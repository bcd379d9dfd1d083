// An order is signed by the device and carried out, and what the server answers is what was ordered.

import { SealwireError } from '../../protocol/index.ts'
import type { Params, Result } from '../../protocol/contract/index.ts'
import { encodeOrder, type Order, orderPurposes } from '../../protocol/contract/order.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import type { CallOptions } from '../calls.ts'
import type { Made } from './orders.ts'
import { readTransfer, type Transfer } from './results.ts'

/** Signs with the Ed25519 key of the device: a COSE_Sign1 of the payload for this purpose. */
export type OrderSigner = (payload: Uint8Array, purpose: string) => Promise<Uint8Array>

export interface SigningParts {
  readonly sign: OrderSigner
  /** Carries out an order, or says why not. */
  readonly order: (params: Params<'payment.order'>, options: CallOptions, made: Made) => Promise<Result<'payment.order'>>
}

/**
 * Signs an order when it is made, and carries it out.
 * @throws {SealwireError} what it cannot be made or signed for: then nothing was sent; what `order` throws; `unexpected` when the server
 * answers something else.
 */
export async function signed(making: Promise<Made>, { sign, order: carryOut }: SigningParts, options: CallOptions): Promise<Transfer> {
  const made = await nothingSent(making)
  const { order, beside } = made
  const { kind } = order
  const bytes = await sign(encodeOrder(order), orderPurposes[kind])
  const answer = await carryOut({ kind, order: bytes, ...beside }, options, made)
  const transfer = readTransfer(answer)
  if (isAnswer(order, answer.id, transfer)) return transfer
  throw new SealwireError('unexpected', 'the server answered an order with something else')
}

/** While an order is made the server is only asked: not to know its answer leaves no doubt about money. */
async function nothingSent(making: Promise<Made>): Promise<Made> {
  try {
    return await making
  } catch (reason) {
    if (!SealwireError.is(reason) || reason.code !== 'unknown_outcome') throw reason
    throw new SealwireError('unreachable', 'nothing was ordered: the server did not say what an order needs', { cause: reason })
  }
}

/** Whether this is what was ordered, and done: a hold may have been captured or void since. */
function isAnswer(order: Order, id: Uint8Array, { kind, status, minor }: Transfer): boolean {
  if (kind !== order.kind || !sameBytes(id, order.id)) return false
  return (order.kind === 'void' || minor === totalOf(order)) && (kind === 'hold' || status === 'posted')
}

function totalOf(order: Exclude<Order, { readonly kind: 'void' }>): bigint {
  return order.kind === 'split' ? order.parts.reduce((sum, { amount }) => sum + amount, 0n) : order.amount
}
