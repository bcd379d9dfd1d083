// Orders: their payloads, their signed messages as a server takes them apart before it asks for the signature, and what the other
// side of a payment is told of it.

import { isDeepStrictEqual } from 'node:util'
import { readPayment } from '../../../src/client/payments/message.ts'
import { coseHeader, coseMessage } from '../../../src/protocol/contract/cose.ts'
import { type CborValue, encodeCbor } from '../../../src/protocol/contract/cbor.ts'
import { encodeOrder, type Order, orderAmountMax, type OrderKind, orderKinds } from '../../../src/protocol/contract/order.ts'
import { paymentType } from '../../../src/protocol/contract/entry.ts'
import { readSigned } from '../../../src/server/money/signatures.ts'
import type { Chance } from '../chance.ts'
import { plainOrder } from '../plain-order.ts'
import { wrongValue } from '../schema-values.ts'
import { type Behaviour, must, refusedAs } from '../target.ts'

/** What reads the payload of an order. */
export type OrderReader = (kind: OrderKind, payload: Uint8Array) => Order

/** The items of an order of a kind, now and then with one that is wrong, missing, or too many. */
export function orderFields(kind: OrderKind, chance: Chance): CborValue {
  const items = rightFields(kind, chance)
  const at = chance.below(items.length)
  if (chance.oneIn(8)) return items.toSpliced(at, 1)
  if (chance.oneIn(8)) return items.toSpliced(at, chance.below(2), wrongValue(chance))
  return items
}

export function readOrder(read: OrderReader, kind: OrderKind, payload: Uint8Array): Behaviour {
  const expected = plainOrder(kind, payload)
  let order: Order
  try {
    order = read(kind, payload.slice())
  } catch (reason) {
    const { code, sentence } = refusedAs(reason, orderCodes)
    must(expected === undefined, `what says what a ${kind} says is one`)
    return `-${kind}: ${code} ${sentence}`
  }
  must(expected !== undefined, `a ${kind} says what it has to say`)
  must(isDeepStrictEqual(order, expected), `a ${kind} is read as it is written`)
  must(Buffer.compare(encodeOrder(order), payload) === 0, 'an order has one form')
  return `+${kind}`
}

/** COSE_Sign1 as a device makes it, but for the signature. */
export function signedOrder(chance: Chance): Uint8Array {
  const kind = chance.pick(orderKinds)
  const header = coseHeader(chance.bytes(32))
  return coseMessage(header, encodeCbor(orderFields(kind, chance)), new Uint8Array(chance.oneIn(8) ? chance.below(70) : 64))
}

export function readSignedOrder(read: OrderReader, message: Uint8Array): Behaviour {
  let payload: Uint8Array
  try {
    const signed = readSigned(message.slice())
    payload = signed.payload
    must(Buffer.compare(coseMessage(signed.header, payload, signed.signature), message) === 0, 'a signed order has one form')
  } catch (reason) {
    return `-signed: ${refusedAs(reason, signedCodes).sentence}`
  }
  const kinds = orderKinds.filter((kind) => readOrder(read, kind, payload)[0] === '+')
  // What is a pay is a hold too, which is why they are signed for different purposes.
  must(kinds.length <= 2, 'an order is of one kind')
  return kinds.length === 0 ? '-signed: no order' : `+signed ${kinds.join(' or ')}`
}

/** The body of an entry of the type that only a server writes. */
export function toldPayment(chance: Chance): Uint8Array {
  const [kind, amount, status] = [
    chance.pick([...orderKinds, 'request']),
    chance.pick(['12.50', '5', '05', '-1']),
    chance.pick(['posted', 'open']),
  ]
  const fields: CborValue[] = [
    kind,
    'alice',
    'bob',
    'chips',
    amount,
    chance.oneIn(2) ? '' : 'for tea',
    chance.below(9),
    chance.bytes(16),
    status,
  ]
  return encodeCbor(chance.oneIn(4) ? fields.toSpliced(chance.below(9), chance.below(2), wrongValue(chance)) : fields)
}

/** A client shows what it can read, and what it cannot as any other message: nothing is thrown. */
export function readToldPayment(body: Uint8Array): Behaviour {
  const said = readPayment({ kind: 'message', type: paymentType, body })
  if (said === undefined) return '-told: nothing of money'
  must(
    [said.from, said.to, said.unit, said.status].every((word) => word.length > 0),
    'what is told names everybody',
  )
  must(/^\d+(\.\d+)?$/.test(said.amount), 'an amount is decimal text')
  return `+told ${said.kind}`
}

function rightFields(kind: OrderKind, chance: Chance): readonly CborValue[] {
  const [server, signer, other, id] = [chance.bytes(16), accountOf(chance), accountOf(chance), chance.bytes(16)]
  const expiresAt = chance.pick([0, 1_800_000_000_000, 2 ** 53 - 1])
  if (kind === 'split') return [server, signer, 'chips', id, expiresAt, partsOf(chance)]
  if (kind === 'void') return [server, signer, other, chance.bytes(16), id]
  if (kind === 'capture') return [server, signer, other, chance.bytes(16), minorOf(chance), id]
  if (kind === 'refund') return [server, signer, other, chance.bytes(16), minorOf(chance), id, chance.bytes(32)]
  return [
    server,
    signer,
    other,
    chance.pick(['chips', 'eur', 'EUR', '', 'a0123456789abcde', 'a0123456789abcdef']),
    minorOf(chance),
    id,
    expiresAt,
    chance.bytes(32),
  ]
}

function partsOf(chance: Chance): CborValue {
  const count = chance.oneIn(20) ? chance.pick([0, 1, 50, 51]) : chance.between(2, 4)
  return Array.from({ length: count }, (_, at) => [chance.oneIn(20) ? 1 : at + 1, minorOf(chance), chance.bytes(32)])
}

function accountOf(chance: Chance): number {
  return chance.oneIn(20) ? chance.pick([0, -1, 2 ** 53 - 1]) : chance.between(1, 300)
}

/** Mostly an amount; else an edge of one, or what is none. */
function minorOf(chance: Chance): CborValue {
  return chance.oneIn(8) ? chance.pick(edges) : chance.between(1, 100_000)
}

const edges: readonly CborValue[] = [
  0,
  1,
  -1,
  orderAmountMax - 1n,
  orderAmountMax,
  orderAmountMax + 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
  -(2n ** 63n),
  '1',
]
const orderCodes = new Set(['malformed', 'amount_invalid'])
const signedCodes = new Set(['signature_invalid'])
