// An entry as it is told: what it says of money is what the server says of the transfer, because whoever writes a message can
// write anything into it.

import type { ReadEntry } from '../client/index.ts'
import { parseMessageId } from '../client/message-id.ts'
import { type PaymentSaid, readPayment } from '../client/payment-message.ts'
import type { Result } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'

/** An entry, with what it says of money where that is true. */
export interface ToldEntry extends ReadEntry {
  readonly payment?: PaymentSaid
}

/** What the server says of a transfer. */
export type KnownTransfer = Pick<Result<'payment.transfer'>, 'kind' | 'status' | 'unit' | 'amount' | 'payer' | 'payee' | 'memo' | 'at'> & {
  readonly parts?: readonly { readonly payee: string; readonly amount: string; readonly memo?: string | undefined }[] | undefined
}

/** Asks the server what became of an order of `signer`. */
export type AskTransfer = (id: Uint8Array, signer: string) => Promise<KnownTransfer>

/**
 * An entry as it is told. What it says of a transfer is left out when there is no such transfer, or when it was said at another
 * moment than that in which the money moved: the server stores both in one step, and an old payment must not look like a new one.
 * What it says of a request is left out when that is somebody else's; a request moves nothing.
 * @throws {SealwireError} why the server did not answer.
 */
export async function toldEntry(entry: ReadEntry, ask: AskTransfer): Promise<ToldEntry> {
  const said = readPayment(entry)
  if (said === undefined) return entry
  if (said.kind === 'request') return said.to === entry.from ? { ...entry, payment: said } : entry
  const transfer = await found(said.id, entry.from, ask)
  if (transfer?.kind !== said.kind || transfer.at !== entry.at) return entry
  return { ...entry, payment: paymentOf(said, transfer) }
}

async function found(id: string, signer: string, ask: AskTransfer): Promise<KnownTransfer | undefined> {
  const bytes = idOf(id)
  if (bytes === undefined) return undefined
  try {
    return await ask(bytes, signer)
  } catch (reason) {
    if (SealwireError.from(reason).code === 'not_found') return undefined
    throw reason
  }
}

function idOf(id: string): Uint8Array | undefined {
  try {
    return parseMessageId(id)
  } catch {
    return undefined
  }
}

/** Of a split its payer is told the part that the message is about. */
function paymentOf({ id, from, to, kind }: PaymentSaid, transfer: KnownTransfer): PaymentSaid {
  const { unit, status, payer = from, payee = to, parts } = transfer
  const part = parts?.find((each) => each.payee === payee)
  const { amount, memo } = part ?? transfer
  const known = { kind, from: payer, to: payee, amount, unit, id, status }
  return memo === undefined || memo === '' ? known : { ...known, memo }
}
