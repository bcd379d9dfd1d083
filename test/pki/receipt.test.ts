import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { makeReceipt, type ReceiptParts, verifyReceipt } from '../../src/pki/index.ts'
import { decodeCbor, encodeCbor, orderPurposes } from '../../src/protocol/contract/index.ts'
import { PaperLedger, paperServer } from '../support/paper-ledger.ts'
import { pythonWith } from '../support/python.ts'
import { judgeReceipts } from '../support/receipt-judge.ts'
import { refusalOf } from '../support/refusal.ts'
import { skipWithout } from '../support/store-contents.ts'

/** Every one that differs in one bit. */
function* flipped(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) yield bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
}

/** Receipts that are signed by the right key and false nevertheless. */
function* lies(ledger: PaperLedger): Iterable<readonly [what: string, receipt: Uint8Array]> {
  const parts = ledger.partsOf(5)
  const other = ledger.partsOf(6)
  const lie = (change: Partial<ReceiptParts>): Uint8Array => makeReceipt({ ...parts, ...change }, ledger.key)
  const posting = (change: Partial<ReceiptParts['posting']>): Uint8Array => lie({ posting: { ...parts.posting, ...change } })
  yield ['another server', lie({ server: new Uint8Array(16) })]
  yield ['another number', posting({ seq: 6n })]
  yield ['the row of another posting', posting({ row: other.posting.row })]
  yield ['the hash of another posting', posting({ hash: other.posting.hash })]
  yield ['another hash before', posting({ previous: other.posting.previous })]
  yield ['the path of another posting', lie({ path: other.path })]
  yield ['a shorter path', lie({ path: parts.path.slice(1) })]
  yield ['a longer path', lie({ path: [...parts.path, other.posting.hash] })]
  yield ['no path', lie({ path: [] })]
  yield ['the checkpoint of less', lie({ checkpoint: ledger.partsOf(1, 4).checkpoint })]
  yield ['another size', lie({ checkpoint: { ...parts.checkpoint, size: 12n } })]
  yield ['another root', lie({ checkpoint: { ...parts.checkpoint, root: other.posting.hash } })]
  yield ['the checkpoint of another ledger', lie({ checkpoint: new PaperLedger(13).partsOf(5).checkpoint })]
  const rows: readonly (readonly [string, Parameters<PaperLedger['pay']>])[] = [
    [
      'money from nothing',
      [
        (row) =>
          row.with(6, [
            [3, 7, -1250],
            [4, 8, 1251],
          ]),
      ],
    ],
    ['a row of a later version', [(row) => row.with(0, 2)]],
    ['a row with another number', [(row) => row.with(1, 4)]],
    [
      'an amount that is text',
      [
        (row) =>
          row.with(6, [
            [3, 7, '-1250'],
            [4, 8, '1250'],
          ]),
      ],
    ],
    [
      'an account with more than an amount',
      [
        (row) =>
          row.with(6, [
            [3, 7, -1250, 0],
            [4, 8, 1250],
          ]),
      ],
    ],
    ['a row with more', [(row) => [...row, 1]]],
    ['an order of another kind', [(row) => row.with(3, 'hold')]],
    ['a minted order', [(row) => row.with(3, 'mint')]],
    ['an order of somebody else', [(row) => row.with(8, 8)]],
    ['an order with another id', [(row) => row.with(9, new Uint8Array(16))]],
    ['an order for another server', [undefined, { server: new Uint8Array(16) }]],
    ['an order that is a login', [undefined, {}, 'sealwire/login/1']],
    ['an order that is a hold', [undefined, {}, orderPurposes.hold]],
  ]
  for (const [what, args] of rows) {
    const bad = new PaperLedger(2, ledger.key)
    bad.pay(...args)
    yield [what, bad.receipt(3)]
  }
}

/** What comes of moving two postings of a log. */
function reordered(): PaperLedger {
  const ledger = new PaperLedger(13)
  const [fifth, sixth] = ledger.postings.splice(4, 2)
  if (fifth === undefined || sixth === undefined) throw new Error('too few postings')
  ledger.postings.splice(4, 0, sixth, fifth)
  return ledger
}

describe('verifyReceipt', () => {
  test('is good for every posting below every checkpoint', () => {
    const ledger = new PaperLedger(17)
    for (let size = 1; size <= 17; size++) {
      for (let seq = 1; seq <= size; seq++) {
        const { posting, checkpoint } = verifyReceipt(ledger.receipt(seq, size), ledger.key.publicKey)
        expect([posting.seq, checkpoint.size]).toEqual([BigInt(seq), BigInt(size)])
      }
    }
  })

  test('tells what the posting says, and which device has signed it', () => {
    const ledger = new PaperLedger(3)
    const { server, posting, device, hash } = verifyReceipt(ledger.receipt(2), ledger.key.publicKey)
    expect([server, hash]).toEqual([paperServer, ledger.postings[1]?.hash ?? new Uint8Array()])
    expect(posting).toMatchObject({ seq: 2n, kind: 'pay', unit: 'credits', decimals: 2n, signer: 7n, ref: undefined, memo: undefined })
    expect(posting.legs).toEqual([
      { ledgerAccount: 3n, holder: 7n, delta: -1250n },
      { ledgerAccount: 4n, holder: 8n, delta: 1250n },
    ])
    expect(device?.length).toBe(32)
  })

  test('has the same bytes each time', () => {
    const ledger = new PaperLedger(9)
    expect(ledger.receipt(4)).toEqual(ledger.receipt(4))
  })

  test('fails with any bit changed, with more and with less', () => {
    const ledger = new PaperLedger(5)
    const receipt = ledger.receipt(3)
    const { publicKey } = ledger.key
    expect(verifyReceipt(receipt, publicKey).posting.seq).toBe(3n)
    for (const bad of flipped(receipt)) expect(refusalOf(() => verifyReceipt(bad, publicKey))).toBe('receipt_invalid')
    expect(refusalOf(() => verifyReceipt(Uint8Array.of(...receipt, 0), publicKey))).toBe('receipt_invalid')
    for (let length = 0; length < receipt.length; length += 7) {
      expect(refusalOf(() => verifyReceipt(receipt.slice(0, length), publicKey))).toBe('receipt_invalid')
    }
  })

  test('fails with another key', () => {
    expect(refusalOf(() => verifyReceipt(new PaperLedger(2).receipt(1), new PaperLedger(1).key.publicKey))).toBe('receipt_invalid')
  })

  test('fails for what the right key has signed and is false', () => {
    const ledger = new PaperLedger(13)
    for (const [what, receipt] of lies(ledger)) {
      expect([what, refusalOf(() => verifyReceipt(receipt, ledger.key.publicKey))]).toEqual([what, 'receipt_invalid'])
    }
  })

  test('fails for every posting that was moved in the log', () => {
    const ledger = reordered()
    const { publicKey } = ledger.key
    for (const seq of [5, 6]) expect(refusalOf(() => verifyReceipt(ledger.receipt(seq), publicKey))).toBe('receipt_invalid')
    // Whoever kept a receipt from before has a root that the log of now does not have.
    const before = new PaperLedger(13)
    expect(reordered().partsOf(1).checkpoint.root).not.toEqual(before.partsOf(1).checkpoint.root)
  })

  test('fails for a receipt whose bytes are another form of the same', () => {
    const ledger = new PaperLedger(2)
    const receipt = ledger.receipt(1)
    const [header, , payload, signature] = decodeCbor(receipt) as [Uint8Array, unknown, Uint8Array, Uint8Array]
    const tagged = Uint8Array.of(0xd2, ...receipt)
    const unprotected = encodeCbor([header, { x: 1 }, payload, signature])
    for (const other of [tagged, unprotected]) expect(refusalOf(() => verifyReceipt(other, ledger.key.publicKey))).toBe('receipt_invalid')
  })
})

describe('verify_receipt.py', () => {
  const canJudge = spawnSync(pythonWith('cryptography'), ['-c', 'import cryptography']).status === 0

  test.skipIf(skipWithout('python3-cryptography', canJudge))(
    'agrees on good ones, changed bits, lies and moved postings',
    async () => {
      const judge = (ledger: PaperLedger, receipts: readonly Uint8Array[]) => judgeReceipts(ledger.key.publicKey, receipts)
      const ledger = new PaperLedger(7)
      const receipt = ledger.receipt(3)
      const bad = [...flipped(receipt), Uint8Array.of(...receipt, 0), new Uint8Array(5_000).fill(0x81)]
      const good = Array.from({ length: 7 }, (_, at) => ledger.receipt(at + 1))
      const verdicts = await judge(ledger, [...good, ...bad])
      expect(verdicts.slice(0, 7)).toEqual(good.map(() => 'good'))
      expect(verdicts.length).toBe(7 + bad.length)
      expect(verdicts.slice(7).filter((verdict) => !verdict.startsWith('bad: '))).toEqual([])
      const moved = reordered()
      expect((await judge(moved, [moved.receipt(5), moved.receipt(6)])).map((verdict) => verdict.slice(0, 3))).toEqual(['bad', 'bad'])
      const liar = new PaperLedger(13)
      const all = [...lies(liar)]
      const judged = await judge(
        liar,
        all.map(([, lie]) => lie),
      )
      expect(all.map(([what], at) => [what, judged[at]?.slice(0, 3)])).toEqual(all.map(([what]) => [what, 'bad']))
    },
    60_000,
  )
})
