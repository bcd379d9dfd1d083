import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type AuditParts, auditLedger } from '../../../src/client/home/audit.ts'
import { readCheckpoints } from '../../../src/client/home/checkpoint-list.ts'
import { SeenCheckpoints } from '../../../src/client/home/checkpoints.ts'
import { Home } from '../../../src/client/home/home.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { SignedCheckpoint } from '../../../src/pki/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { PaperLedger, paperServer } from '../../support/paper-ledger.ts'
import { rejectionOf } from '../../support/refusal.ts'

class Auditor implements Disposable {
  readonly home = new Home(mkdtempSync(join(tmpdir(), 'sealwire-auditor-')))
  readonly seen: SeenCheckpoints
  asked = 0

  constructor(key: Uint8Array) {
    this.seen = new SeenCheckpoints(this.home, key, systemClock)
  }

  /** What the audit finds at a server that answers so. */
  async audit(answer: AuditParts['ask'], shown: readonly SignedCheckpoint[] = []): Promise<string> {
    this.asked = 0
    const ask: AuditParts['ask'] = (params) => {
      this.asked++
      return answer(params)
    }
    const { newest, extended } = await auditLedger({ seen: this.seen, server: paperServer, ask }, shown)
    return `${newest.size} extends ${extended.map(({ size }) => size).join(' ')}`
  }

  /** Sizes in the proof that is kept. */
  get evidence(): readonly bigint[] {
    const file = this.home.pathOf(`checkpoints/${Buffer.from(this.seen.key.subarray(0, 8)).toString('hex')}.forked`)
    return readCheckpoints(readFileSync(file), this.seen.key).map(({ size }) => size)
  }

  [Symbol.dispose](): void {
    rmSync(this.home.path, { recursive: true, force: true })
  }
}

/** A server with this ledger, as it is when it is asked, or as it was with `size` postings. */
function serverOf(ledger: PaperLedger, size?: () => number): AuditParts['ask'] {
  return async ({ from }) => {
    const checkpoint = ledger.checkpoint(size?.())
    if (from === undefined) return { checkpoint: checkpoint.cose }
    if (BigInt(from) > checkpoint.size) throw new SealwireError('not_found', 'the ledger never was that long')
    return { checkpoint: checkpoint.cose, proof: [...ledger.proof(BigInt(from), checkpoint.size)] }
  }
}

/** The same as the first `size` postings of another, and then another. */
function forkOf(ledger: PaperLedger, size: number, more: number): PaperLedger {
  const fork = new PaperLedger(0, ledger.key)
  for (const { row } of ledger.postings.slice(0, size)) fork.add(row)
  for (let at = 0; at < more; at++) fork.pay((row) => row.with(11, 'another'))
  return fork
}

describe('auditLedger', () => {
  test('proves each once: afterwards the newest stands for all', async () => {
    const ledger = new PaperLedger(20)
    using auditor = new Auditor(ledger.key.publicKey)
    expect(await auditor.audit(serverOf(ledger, () => 6))).toBe('6 extends ')
    await auditor.seen.note([3, 9, 12].map((size) => ledger.checkpoint(size)))
    expect(await auditor.audit(serverOf(ledger, () => 14))).toBe('14 extends 3 6 9 12')
    expect(auditor.asked).toBe(5)
    expect(await auditor.audit(serverOf(ledger, () => 14))).toBe('14 extends 14')
    expect(await auditor.audit(serverOf(ledger), [ledger.checkpoint(1), ledger.checkpoint(17)])).toBe('20 extends 1 14 17')
    expect(await auditor.audit(serverOf(ledger))).toBe('20 extends 20')
    expect(auditor.asked).toBe(2)
  })

  test('follows a ledger that grows under it', async () => {
    const ledger = new PaperLedger(40)
    using auditor = new Auditor(ledger.key.publicKey)
    await auditor.seen.note([2, 5, 8].map((size) => ledger.checkpoint(size)))
    let size = 8
    expect(
      await auditor.audit(
        serverOf(ledger, () => (size += size < 14 ? 1 : 0)),
        [],
      ),
    ).toBe('14 extends 2 5 8')
    expect(auditor.seen.list().every(({ isProved, checkpoint }) => isProved || checkpoint.size > 8n)).toBe(true)
  })

  test('gives up on one that shows another checkpoint each time', async () => {
    const ledger = new PaperLedger(2)
    using auditor = new Auditor(ledger.key.publicKey)
    await auditor.seen.note([ledger.checkpoint(1)])
    let at = 1_800_000_000_001n
    const answer: AuditParts['ask'] = async ({ from }) => ({
      checkpoint: ledger.checkpoint(2, { at: at++ }).cose,
      proof: from === undefined ? [] : [...ledger.proof(BigInt(from))],
    })
    expect(await rejectionOf(auditor.audit(answer))).toBe('unavailable')
    expect(auditor.asked).toBe(limitTable.auditProofsMax.value + 1)
  }, 60_000)

  test('catches every fork, whatever was seen and however long it is now', async () => {
    const check = fc.asyncProperty(
      fc.integer({ min: 1, max: 24 }),
      fc.nat(23),
      fc.integer({ min: 1, max: 12 }),
      async (saw, same, more) => {
        fc.pre(same < saw)
        const ledger = new PaperLedger(saw)
        using auditor = new Auditor(ledger.key.publicKey)
        expect(await auditor.audit(serverOf(ledger))).toBe(`${saw} extends `)
        expect(await rejectionOf(auditor.audit(serverOf(forkOf(ledger, same, more))))).toBe('ledger_forked')
        expect(auditor.evidence).toContain(BigInt(saw))
        expect(auditor.evidence).toHaveLength(2)
      },
    )
    await fc.assert(check, { numRuns: 40 })
  }, 60_000)

  test('catches a ledger that is shorter than it was, or gone', async () => {
    const ledger = new PaperLedger(9)
    const answers: readonly (readonly [AuditParts['ask'], readonly bigint[]])[] = [
      [serverOf(ledger, () => 5), [9n, 5n]],
      [async () => Promise.reject(new SealwireError('not_found', 'nothing was ever paid here')), [9n]],
      [async ({ from }) => serverOf(ledger, () => (from === undefined ? 9 : 4))({}), [4n, 9n]],
    ]
    for (const [answer, evidence] of answers) {
      using auditor = new Auditor(ledger.key.publicKey)
      await auditor.audit(serverOf(ledger))
      expect(await rejectionOf(auditor.audit(answer))).toBe('ledger_forked')
      expect(new Set(auditor.evidence)).toEqual(new Set(evidence))
    }
  })

  test('catches what somebody else was shown', async () => {
    const ledger = new PaperLedger(12)
    const other = forkOf(ledger, 4, 3)
    for (const size of [5, 7]) {
      using auditor = new Auditor(ledger.key.publicKey)
      await auditor.audit(serverOf(ledger))
      expect(await auditor.audit(serverOf(ledger), [other.checkpoint(4)])).toBe('12 extends 4 12')
      expect(await rejectionOf(auditor.audit(serverOf(ledger), [other.checkpoint(size)]))).toBe('ledger_forked')
      expect(new Set(auditor.evidence)).toEqual(new Set([12n, BigInt(size)]))
    }
  })

  test('believes no proof that is missing, of something else, or longer', async () => {
    const ledger = new PaperLedger(11)
    const lies: readonly ((proof: readonly Uint8Array[]) => Uint8Array[] | undefined)[] = [
      () => undefined,
      () => [],
      (proof) => proof.slice(1),
      (proof) => [...proof, new Uint8Array(32)],
      (proof) => proof.toReversed(),
    ]
    for (const lie of lies) {
      using auditor = new Auditor(ledger.key.publicKey)
      await auditor.audit(serverOf(ledger, () => 6))
      const answer: AuditParts['ask'] = async (params) => {
        const { checkpoint, proof = [] } = await serverOf(ledger)(params)
        const lied = lie(proof)
        return lied === undefined ? { checkpoint } : { checkpoint, proof: lied }
      }
      expect(await rejectionOf(auditor.audit(answer))).toBe('ledger_forked')
    }
  })

  test('takes nothing for a proof of two histories that the key has not signed, or of another server', async () => {
    const ledger = new PaperLedger(6)
    using auditor = new Auditor(ledger.key.publicKey)
    await auditor.audit(serverOf(ledger))
    const flipped = ledger.checkpoint().cose
    flipped.set([(flipped.at(-1) ?? 0) ^ 1], flipped.length - 1)
    const bad = [
      new PaperLedger(6).checkpoint().cose,
      flipped,
      ledger.checkpoint(6, { server: new Uint8Array(16) }).cose,
      ledger.receipt(2),
    ]
    for (const checkpoint of bad) {
      using fresh = new Auditor(ledger.key.publicKey)
      for (const each of [auditor, fresh]) expect(await rejectionOf(each.audit(async () => ({ checkpoint })))).toBe('receipt_invalid')
      expect(fresh.seen.list()).toEqual([])
    }
    expect(await rejectionOf(auditor.audit(async () => Promise.reject(new SealwireError('connection_lost', 'gone'))))).toBe(
      'connection_lost',
    )
    expect(await auditor.audit(serverOf(ledger))).toBe('6 extends 6')
  })

  test('has nothing to say where nothing was ever paid', async () => {
    const ledger = new PaperLedger(1)
    using auditor = new Auditor(ledger.key.publicKey)
    expect(await rejectionOf(auditor.audit(async () => Promise.reject(new SealwireError('not_found', 'nothing'))))).toBe('not_found')
  })
})
