// What moves money, and what proves that it moved: signed orders, checkpoints and receipts, amounts, and what a conversation says of
// them. What is read has one form, or it is refused.

import { parseAmount } from '../../../src/domain/money.ts'
import { encodeCbor } from '../../../src/protocol/contract/cbor.ts'
import { decodeOrder, orderKinds } from '../../../src/protocol/contract/order.ts'
import type { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import { type Behaviour, count, type FuzzTarget, wordsOf } from '../target.ts'
import { type AmountReader, amountOf, readAmount } from './amounts.ts'
import { orderFields, type OrderReader, readOrder, readSignedOrder, readToldPayment, signedOrder, toldPayment } from './orders.ts'
import { readers as proofReaders } from './proofs.ts'

/** What is under test. */
export interface PaymentsSubject {
  readonly decodeOrder: OrderReader
  readonly parseAmount: AmountReader
}

/** One kind of input. */
export interface PaymentReader {
  generate(chance: Chance): Uint8Array
  read(input: Uint8Array): Behaviour
}

/** Inputs are a byte that says what they are, and the rest. Few bytes stand for what costs much. */
export function paymentsTarget(subject: PaymentsSubject = { decodeOrder, parseAmount }): FuzzTarget {
  const reached = new Map<string, number>()
  const cheap: readonly PaymentReader[] = [
    ...orderKinds.map((kind) => ({
      generate: (chance: Chance) => encodeCbor(orderFields(kind, chance)),
      read: (input: Uint8Array) => readOrder(subject.decodeOrder, kind, input),
    })),
    { generate: signedOrder, read: (input) => readSignedOrder(subject.decodeOrder, input) },
    { generate: toldPayment, read: readToldPayment },
    { generate: amountOf, read: (input) => readAmount(subject.parseAmount, input) },
  ]
  const costly = proofReaders(() => count(reached, 'signatures'))
  const readerOf = (kind: number): PaymentReader => (costly[kind - cheap.length] ?? cheap[kind % cheap.length]) as PaymentReader
  return {
    name: 'payments',
    words: [
      ...wordsOf(['chips', '0', '.', '-', 'pay', 'mint', '1000000000000000', '\u0660']),
      Uint8Array.of(0x1b, 0, 3, 0x8d, 0x7e, 0xa4, 0xc6, 0x80, 0),
      Uint8Array.of(0xf6),
      Uint8Array.of(0x80),
    ],
    bytesMax: 2_048,
    reached,
    generate: (chance) => {
      const kind = chance.oneIn(64) ? cheap.length + chance.below(costly.length) : chance.below(cheap.length)
      return joined(Uint8Array.of(kind), readerOf(kind).generate(chance))
    },
    run: (input) => readerOf(input[0] ?? 0).read(input.slice(1)),
  }
}
