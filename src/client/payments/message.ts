// What a conversation says of money (payments.md, "What is told of it"): the message that comes with a transfer, or with a request
// to pay. The server writes it in the step in which the money moves, and takes it from nobody: it is as true as a balance.

import { decodeCbor, orderKinds, paymentType } from '../../protocol/contract/index.ts'
import type { ReadEntry } from '../content.ts'
import { formatMessageId } from '../outbox/message-id.ts'

/** What a message says of money. Amounts are decimal text. */
export interface PaymentSaid {
  /** The kind of the order, or `request`. */
  readonly kind: (typeof kinds)[number]
  /** Whose money it is; of a request: who is asked. */
  readonly from: string
  /** Who gets it; of a request: who asks. */
  readonly to: string
  readonly amount: string
  readonly unit: string
  /** Missing where there is none. */
  readonly memo?: string
  /** Of the order, or of the request: a UUID. With who signed it, who is the author of the message, it names it. */
  readonly id: string
  /** When it was said: `posted`, or `pending` for what is on hold; `open` for a request. */
  readonly status: string
}

/** What a message says of money; `undefined` for every other message, and for one that is not what it claims to be. */
export function readPayment({ kind, type, body, deleted }: Pick<ReadEntry, 'kind' | 'type' | 'body' | 'deleted'>): PaymentSaid | undefined {
  if (kind !== 'message' || type !== paymentType || body === undefined || deleted === true) return undefined
  const fields = fieldsOf(body)
  if (fields?.length !== 9) return undefined
  const [what, from, to, unit, amount, memo, signer, id, status] = fields
  if (!isKind(what) || !(id instanceof Uint8Array) || id.length !== 16 || typeof signer !== 'number') return undefined
  const words = [from, to, unit, amount, memo, status]
  if (!words.every((word) => typeof word === 'string' && word.length <= wordMax)) return undefined
  const [payer, payee, code, sum, text, state] = words as string[]
  if (!payer || !payee || !code || !state || !/^(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(sum ?? '')) return undefined
  const said = { kind: what, from: payer, to: payee, amount: sum ?? '', unit: code, id: formatMessageId(id), status: state }
  return text ? { ...said, memo: text } : said
}

function fieldsOf(body: Uint8Array): readonly unknown[] | undefined {
  try {
    const value = decodeCbor(body)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isKind(word: unknown): word is PaymentSaid['kind'] {
  return kinds.some((kind) => kind === word)
}

const kinds = [...orderKinds, 'request'] as const
/** Longer than any name or memo. */
const wordMax = 1_024
