// A ledger without a store: postings in a row, hashed and chained as the specification says, to make receipts of.

import { createHash, generateKeyPairSync } from 'node:crypto'
import { consistencyProof, inclusionPath, leafHash, nodeHash, type Subtree, treeRoot } from '../../src/domain/merkle.ts'
import { signCose } from '../../src/pki/cose-sign1.ts'
import {
  type CheckpointClaim,
  LedgerKey,
  makeCheckpoint,
  makeReceipt,
  type ReceiptParts,
  type SignedCheckpoint,
} from '../../src/pki/index.ts'
import {
  type CborValue,
  encodeCbor,
  encodeOrder,
  type Order,
  orderPurposes,
  orderSigner,
  type PayOrder,
} from '../../src/protocol/contract/index.ts'

export const paperServer = new Uint8Array(16).fill(0x5e)
/** When everything in it was posted. */
export const paperTime = 1_800_000_000_000n

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

type Paper = ReceiptParts['posting']
/** The items of a row, others in their place. */
export type RowChange = (row: CborValue[]) => CborValue[]

export class PaperLedger {
  readonly key: LedgerKey
  readonly device = generateKeyPairSync('ed25519').privateKey
  readonly postings: Paper[] = []

  /** With so many payments of 12.50 from account 7 to account 8. */
  constructor(count: number, key = new LedgerKey(generateKeyPairSync('ed25519').privateKey)) {
    this.key = key
    for (let at = 0; at < count; at++) this.pay()
  }

  /** Another payment; `change` makes its row another one. */
  pay(change?: RowChange, order: Partial<PayOrder> = {}, purpose?: string): Paper {
    const accounts = { payer: 7n, payee: 8n, unit: 'credits', amount: 1250n, expiresAt: paperTime + 1n }
    const legs = [
      [3, 7, -1250],
      [4, 8, 1250],
    ]
    return this.order(
      { kind: 'pay', server: paperServer, id: this.nextId(), ...accounts, memoHash: sha256(), ...order },
      legs,
      change,
      purpose,
    )
  }

  /** The posting of an order, with these legs. */
  order(order: Order, legs: CborValue, change: RowChange = (row) => row, purpose = orderPurposes[order.kind]): Paper {
    const { kind, id } = order
    const signed = signCose(encodeOrder(order), purpose, this.device)
    const ref = kind === 'capture' || kind === 'void' || kind === 'refund' ? 1 : null
    const seq = this.postings.length + 1
    return this.add(
      encodeCbor(change([1, seq, Number(paperTime), kind, 'credits', 2, legs, ref, Number(orderSigner(order)), id, signed, null])),
    )
  }

  /** Of the posting after the last one. */
  nextId(): Uint8Array {
    const seq = this.postings.length + 1
    return sha256(Uint8Array.of(seq & 255, seq >> 8)).slice(0, 16)
  }

  /** A posting with this row. */
  add(row: Uint8Array): Paper {
    const previous = this.postings.at(-1)?.hash ?? new Uint8Array(32)
    const posting = { seq: BigInt(this.postings.length + 1), row, previous, hash: sha256(previous, row) }
    this.postings.push(posting)
    return posting
  }

  /** What the receipt of a posting is made of, with a checkpoint of the first `size`. */
  partsOf(seq: number, size = this.postings.length): ReceiptParts {
    const posting = this.postings[seq - 1]
    if (posting === undefined) throw new Error(`there is no posting ${seq}`)
    const path = inclusionPath(sha256, this.#subtree, BigInt(seq - 1), BigInt(size))
    return { server: paperServer, posting, path, checkpoint: this.checkpoint(size) }
  }

  /** A checkpoint of the first `size`, which is one that could be true. */
  checkpoint(size = this.postings.length, { server = paperServer, at = paperTime + 1n }: Partial<CheckpointClaim> = {}): SignedCheckpoint {
    const claim = { server, size: BigInt(size), root: treeRoot(sha256, this.#subtree, BigInt(size)), at }
    return { ...claim, cose: makeCheckpoint(claim, this.key) }
  }

  /** That the first `to` begin with the first `from`. */
  proof(from: bigint, to = BigInt(this.postings.length)): readonly Uint8Array[] {
    return consistencyProof(sha256, this.#subtree, from, to)
  }

  receipt(seq: number, size?: number): Uint8Array {
    return makeReceipt(this.partsOf(seq, size), this.key)
  }

  readonly #subtree: Subtree = (level, place) => {
    const posting = level === 0n ? this.postings[Number(place)] : undefined
    if (posting !== undefined) return leafHash(sha256, posting.hash)
    return nodeHash(sha256, this.#subtree(level - 1n, place * 2n), this.#subtree(level - 1n, place * 2n + 1n))
  }
}
