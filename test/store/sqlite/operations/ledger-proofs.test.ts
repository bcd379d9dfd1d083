import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { Frontier, leafHash, verifyConsistency, verifyInclusion } from '../../../../src/domain/index.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { LedgerStage } from './ledger-stage.ts'

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
const cose = new Uint8Array([1])

/** Signs nothing, but stores what is needed now. */
function checkpoint(stage: LedgerStage, covers?: bigint): bigint | undefined {
  const needed = stage.run('ledger.checkpointNeeded', { at: stage.at, covers })
  if (needed === undefined) return undefined
  return stage.run('ledger.checkpointStore', { size: needed.size, root: needed.root, at: stage.at, cose }).size
}

describe('checkpoints', () => {
  test('are due after so many postings, after so long, and when one is asked for', () => {
    using stage = new LedgerStage(2, 0n, { limits: { checkpointPostingsMax: 3, checkpointMs: 1_000 } })
    expect(checkpoint(stage)).toBeUndefined()
    stage.mint(1n, 5n)
    stage.mint(1n, 5n)
    expect([checkpoint(stage), checkpoint(stage, 3n)]).toEqual([undefined, undefined])
    expect([checkpoint(stage, 2n), checkpoint(stage, 1n)]).toEqual([2n, undefined])
    stage.mint(1n, 5n)
    stage.at += 999n
    expect(checkpoint(stage)).toBeUndefined()
    stage.at += 1n
    expect([checkpoint(stage), checkpoint(stage)]).toEqual([3n, undefined])
    for (let index = 0; index < 3; index++) stage.mint(1n, 5n)
    expect(checkpoint(stage)).toBe(6n)
    expect(stage.run('ledger.checkpointFind', { covers: 4n })?.size).toBe(6n)
    expect(stage.run('ledger.checkpointFind', { size: 3n })?.size).toBe(3n)
    expect(stage.run('ledger.checkpointFind', { covers: 7n })).toBeUndefined()
    const root = new Uint8Array(32)
    for (const size of [4n, 6n, 7n])
      expect(stage.codeOf(() => stage.run('ledger.checkpointStore', { size, root, at: 1n, cose }))).toBe('conflict')
    expect(stage.verify()).toMatchObject({ fault: undefined })
    expect(stage.verify().signatures.map(({ row }) => row)).toEqual(['checkpoint 2', 'checkpoint 3', 'checkpoint 6'])
  })

  test('are due at once when the clock has gone back behind a posting', () => {
    using stage = new LedgerStage(1, 0n, { limits: { checkpointPostingsMax: 3, checkpointMs: 1_000 } })
    stage.at += 100_000n
    stage.mint(1n, 5n)
    stage.at -= 50_000n
    expect([checkpoint(stage), checkpoint(stage)]).toEqual([1n, undefined])
    stage.mint(1n, 5n)
    expect(checkpoint(stage)).toBeUndefined()
  })

  test('have the roots of RFC 9162 over the hashes, also where subtrees are kept; every posting and every pair is proved', () => {
    using stage = new LedgerStage(1)
    const frontier = new Frontier(sha256)
    const sizes = new Set([1n, 2n, 255n, 256n, 257n, 511n, 512n, 513n, 700n, 768n, 1_000n])
    const roots = new Map<bigint, Uint8Array>()
    let previous: Uint8Array = new Uint8Array(32)
    for (let seq = 1n; seq <= 1_000n; seq++) {
      stage.mint(1n, seq)
      const [posting] = stage.run('ledger.export', { after: seq - 1n, max: 1n })
      if (posting === undefined) throw new TypeError('no posting')
      expect(posting.previous).toEqual(previous)
      expect(posting.hash).toEqual(sha256(posting.previous, posting.row))
      previous = posting.hash
      frontier.add(posting.hash)
      if (!sizes.has(seq)) continue
      roots.set(seq, frontier.root())
      expect(checkpoint(stage, seq)).toBe(seq)
      expect(stage.run('ledger.checkpointFind', {})?.root).toEqual(frontier.root())
    }
    for (const seq of [1n, 2n, 3n, 100n, 256n, 257n, 500n, 512n, 513n, 699n, 701n, 768n, 999n, 1_000n]) {
      const proof = stage.run('ledger.proofMaterial', { posting: seq })
      if (proof === undefined) throw new TypeError('no proof')
      const { posting, path, checkpoint: covering } = proof
      const leaf = leafHash(sha256, posting.hash)
      expect(verifyInclusion(sha256, { leaf, index: seq - 1n, size: covering.size, path, root: covering.root })).toBe(true)
    }
    expect(stage.run('ledger.proofMaterial', { posting: 1_001n })).toBeUndefined()
    for (const [from, fromRoot] of roots) {
      for (const [to, toRoot] of roots) {
        const proof = stage.run('ledger.consistency', { from, to })
        if (from > to) expect(proof).toBeUndefined()
        else expect(verifyConsistency(sha256, { from, fromRoot, to, toRoot, proof: proof ?? [] })).toBe(true)
      }
    }
    expect(stage.run('ledger.consistency', { from: 1n, to: 1_001n })).toBeUndefined()
    expect(stage.verify({ max: 300n }).fault).toBeUndefined()
  })
})

test('a broken ledger takes no payment until the operator has looked, also after a restart, and tells no balance; repetitions go on', () => {
  using stage = new LedgerStage(2, 100n)
  const before = stage.pay(1n, 2n, 1n)
  stage.order(before)
  stage.run('ledger.condemn', { row: 'posting 7', what: 'first', at: 1n })
  stage.run('ledger.condemn', { row: 'posting 8', what: 'second', at: 2n })
  expect(stage.run('ledger.state', {})).toEqual({ size: 3n, fault: { row: 'posting 7', what: 'first', at: 1n } })
  expect(stage.refusal(stage.pay(1n, 2n, 1n))).toBe('ledger_broken')
  expect(stage.codeOf(() => stage.mint(1n, 1n))).toBe('ledger_broken')
  expect(stage.order(before).repeated).toBe(true)
  expect(stage.codeOf(() => stage.balance(1n))).toBe('ledger_broken')
  stage.run('ledger.absolve', {})
  expect(stage.balance(1n)).toBe(99n)
  stage.order(stage.pay(1n, 2n, 1n))
  expect(stage.run('ledger.state', {}).fault).toBeUndefined()
})

test('a balance that is not what the ledger says is neither told nor paid from', () => {
  using folder = new StoreFolder()
  const stage = new LedgerStage(3, 100n, { folder: folder.path })
  const pay = (payer: bigint, payee: bigint) => stage.refusal(stage.pay(payer, payee, 1n))
  using other = new DatabaseSync(folder.database)
  other.exec("update ledger_account set balance = balance + 1000 where holder_id = 1 and kind = 'user'")
  expect(stage.codeOf(() => stage.balance(1n))).toBe('ledger_broken')
  expect([pay(1n, 2n), pay(2n, 1n), pay(2n, 3n)]).toEqual(['ledger_broken', 'ledger_broken', undefined])
  expect([stage.balance(2n), stage.balance(3n)]).toEqual([99n, 101n])
  stage[Symbol.dispose]()
})

test('what a device orders in a day is counted as far as any bound reaches, and never fails for being much', () => {
  using stage = new LedgerStage(2, 0n)
  const most = 10n ** 15n
  stage.mint(1n, most)
  // Added up it would be more than the database can count.
  for (let turn = 0; turn < 9_300; turn++) {
    stage.order(stage.pay(1n, 2n, most))
    stage.order(stage.pay(2n, 1n, most))
  }
  expect(stage.balance(1n)).toBe(most)
  stage.run('ledger.limits', { unit: 'credits', accountId: 1n, dayMax: most })
  expect(stage.refusal(stage.pay(1n, 2n, 1n))).toBe('limit_exceeded')
})
