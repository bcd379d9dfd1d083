// Checkpoints and receipts. Their readers ask for the signature first, so most inputs are payloads that are signed here: what a
// server would have to sign to hurt a client. Signing and verifying cost more than everything else together: few inputs are these.

import { createPrivateKey, createHash } from 'node:crypto'
import { leafHash } from '../../../src/domain/merkle.ts'
import { makeCheckpoint, openCheckpoint } from '../../../src/pki/checkpoint.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { rawPublicKey } from '../../../src/pki/ed25519.ts'
import { makeReceipt, verifyReceipt } from '../../../src/pki/receipt.ts'
import { type CborValue, encodeCbor } from '../../../src/protocol/contract/cbor.ts'
import { checkpointPurpose, receiptPurpose } from '../../../src/protocol/contract/cose.ts'
import { orderPurposes } from '../../../src/protocol/contract/order.ts'
import { Chance } from '../chance.ts'
import { wrongValue } from '../schema-values.ts'
import { type Behaviour, must, refusedAs } from '../target.ts'
import type { PaymentReader } from './payments.ts'

/** Four readers: payloads of checkpoints, payloads of receipts, rows of postings in a receipt that is true, and whole receipts. */
export function readers(signing: () => void): readonly PaymentReader[] {
  const signed =
    (what: string, verify: (input: Uint8Array) => unknown) =>
    (input: Uint8Array): Behaviour => {
      signing()
      return verified(what, () => verify(input))
    }
  return [
    {
      generate: checkpointFields,
      read: signed('checkpoint', (payload) => openCheckpoint(signCose(payload, checkpointPurpose, key), publicKey)),
    },
    { generate: receiptFields, read: signed('receipt', (payload) => verifyReceipt(signCose(payload, receiptPurpose, key), publicKey)) },
    { generate: rowOf, read: signed('row', (row) => verifyReceipt(receiptOf(row), publicKey)) },
    {
      generate: () => receipt,
      read: (input) =>
        verified('whole receipt', () => {
          verifyReceipt(input, publicKey)
          must(Buffer.compare(input, receipt) === 0, 'nothing is a receipt but what was signed')
        }),
    },
  ]
}

function verified(what: string, verify: () => unknown): Behaviour {
  try {
    verify()
    return `+${what}`
  } catch (reason) {
    return `-${what}: ${refusedAs(reason, codes).sentence}`
  }
}

function checkpointFields(chance: Chance): Uint8Array {
  return oneWrong(chance, [server, chance.below(1_000), chance.bytes(32), 1_800_000_000_000])
}

function receiptFields(chance: Chance): Uint8Array {
  const row = rowOf(chance)
  const hash = sha256(previous, row)
  const root = leafHash(sha256, hash)
  return oneWrong(chance, [server, row, 1, hash, previous, chance.oneIn(4) ? [chance.bytes(32)] : [], 1, root, checkpointOf(root)])
}

/** Version, number, time, kind, unit, decimals, legs, settles, signer, id, order, memo. */
function rowOf(chance: Chance): Uint8Array {
  const isSigned = chance.oneIn(2)
  const id = new Uint8Array(16).fill(5)
  const sum = isSigned ? amount : chance.between(1, 100)
  const legs: CborValue = [
    [1, isSigned ? 7 : 0, -sum],
    [2, 8, chance.oneIn(8) ? sum + 1 : sum],
  ]
  const [kind, order] = isSigned ? (['pay', signedPay] as const) : (['mint', null] as const)
  return oneWrong(chance, [
    1,
    1,
    1_800_000_000_000,
    kind,
    'chips',
    2,
    legs,
    null,
    isSigned ? 7 : 0,
    id,
    order,
    chance.oneIn(isSigned ? 8 : 2) ? 'for tea' : null,
  ])
}

function oneWrong(chance: Chance, fields: readonly CborValue[]): Uint8Array {
  return encodeCbor(chance.oneIn(3) ? fields.toSpliced(chance.below(fields.length), chance.below(2), wrongValue(chance)) : fields)
}

/** A receipt that is true in everything but, perhaps, the row: the ledger has no other posting. */
function receiptOf(row: Uint8Array): Uint8Array {
  const hash = sha256(previous, row)
  const root = leafHash(sha256, hash)
  const checkpoint = { size: 1n, root, cose: checkpointOf(root) }
  return makeReceipt({ server, posting: { seq: 1n, row, hash, previous }, path: [], checkpoint }, ledger)
}

function checkpointOf(root: Uint8Array): Uint8Array {
  return makeCheckpoint({ server, size: 1n, root, at: 1_800_000_000_000n }, ledger)
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

const codes = new Set(['receipt_invalid'])
const server = new Uint8Array(16).fill(1)
const previous = new Uint8Array(32)
/** PKCS #8 of an Ed25519 key whose 32 bytes are all the same. */
const keyOf = (byte: number) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]),
    format: 'der',
    type: 'pkcs8',
  })
const key = keyOf(1)
const publicKey = rawPublicKey(key)
const ledger = { sign: (payload: Uint8Array, purpose: string) => signCose(payload, purpose, key) }
const amount = 50
const pay = encodeCbor([server, 7, 8, 'chips', amount, new Uint8Array(16).fill(5), 1_800_000_000_001, new Uint8Array(32)])
const signedPay = signCose(pay, orderPurposes.pay, keyOf(2))
const receipt = receiptOf(rowOf(new Chance(3)))
