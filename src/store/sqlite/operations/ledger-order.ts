// Carries out signed orders. First of all it is asked whether the order was carried out before: then its answer is what it was,
// whatever has changed since, and nothing else is looked at.

import { type Order, orderSigner } from '../../../protocol/contract/order.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { LedgerOrder, Ordered, PaymentRequest, Transfer } from '../../ledger.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { capture, voidHold } from './ledger-holds.ts'
import { postMessages } from './ledger-messages.ts'
import { LedgerMemo, nameOf } from './ledger-memo.ts'
import { pay, split } from './ledger-pay.ts'
import { refund } from './ledger-refund.ts'
import { sha256 } from './ledger-row.ts'
import { balanceAfter, repeatedOrder } from './ledger-transfer.ts'
import type { Steps } from './step.ts'

export const ledgerOrderSteps: Pick<Steps, 'ledger.order'> = {
  'ledger.order': { kind: 'write', run: carryOut },
}

/** An order of one kind, with what came beside it. */
export type OrderOf<K extends Order['kind']> = Omit<LedgerOrder, 'order'> & {
  readonly order: Extract<Order, { kind: K }>
  /** SHA-256 of the signed bytes. */
  readonly digest: Uint8Array
}

/** What an order made. */
export interface Made {
  readonly transfer: Transfer
  readonly balance?: bigint
  readonly changed?: Transfer
  readonly request?: PaymentRequest
}

function carryOut(database: Database, input: LedgerOrder, limits: StoreLimits): Ordered {
  const { order, signed, messages, device, at } = input
  const signerId = orderSigner(order)
  const { viewerId = signerId } = input
  const digest = sha256(signed)
  const repeated = repeatedOrder(database, { signerId, id: order.id, digest, request: input.request }, viewerId)
  if (repeated !== undefined) return repeated
  requireSigner(database, LedgerMemo.begin(database, limits), signerId, input.key)
  const made = make(database, { ...input, digest })
  const { transfer, changed, request } = made
  const known = viewerId === signerId ? made.balance : undefined
  const balance = known ?? balanceAfter(database, viewerId, transfer.unit, transfer.posting)
  const said = { authorId: signerId, device, at, settles: settling.has(order.kind) }
  const posted = messages === undefined ? [] : postMessages(database, said, messages, limits)
  return { transfer, balance, repeated: false, posted, changed, request }
}

function make(database: Database, input: LedgerOrder & { readonly digest: Uint8Array }): Made {
  const { order } = input
  switch (order.kind) {
    case 'pay':
    case 'hold':
      return pay(database, { ...input, order })
    case 'split':
      return split(database, { ...input, order })
    case 'capture':
      return capture(database, { ...input, order })
    case 'void':
      return voidHold(database, { ...input, order })
    case 'refund':
      return refund(database, { ...input, order })
  }
}

/** Asked here and not only before: a device that was revoked meanwhile moves nothing. */
function requireSigner(database: Database, { signers }: LedgerMemo, signerId: bigint, key: Uint8Array): void {
  const signer = `${signerId} ${nameOf(key)}`
  if (signers.has(signer)) return
  const row = database
    .prepare(
      `select banned_at from device join account on account.id = account_id
       where ed25519 = :key and account_id = :signerId and revoked_at is null`,
    )
    .row({ key, signerId })
  if (row === undefined) throw new SealwireError('signature_invalid', 'the order is not signed by a device of the account')
  if (row['banned_at'] !== null) throw new SealwireError('account_banned', 'the account is banned')
  signers.add(signer)
}

const settling: ReadonlySet<string> = new Set<Order['kind']>(['capture', 'void', 'refund'])
