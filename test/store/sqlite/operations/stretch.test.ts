// What stands next to each other in a group shares reads and writes. Whether it does must not show: the same requests carried
// out one at a time have the same answers and leave the same rows, whatever stands between them.

import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'bun:test'
import { paymentType } from '../../../../src/protocol/contract/index.ts'
import { type Limits, resolveLimits } from '../../../../src/protocol/index.ts'
import { Engine } from '../../../../src/store/sqlite/engine.ts'
import type { Outcome, Request } from '../../../../src/store/store.ts'
import { newAccount } from '../../../compliance/store-subject.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { below, type Random, randomOf } from '../../../faults/random.ts'

const accounts = [1n, 2n, 3n, 4n] as const
/** So tight that refusals and dropped entries come again and again: of one kind with one seed, of another with the next. */
const tight: readonly Partial<Limits>[] = [
  { inboxEntriesMax: 40, inboxEntriesPerSenderMax: 8 },
  { inboxEntriesMax: 12 },
  { inboxBytesMax: 300 },
  { storedBytesPerAccountMax: 2_000 },
]

describe('messages that stand next to each other in a group', () => {
  for (const [seed, limits] of tight.entries()) {
    test(`are what they are one at a time (seed ${seed})`, () => {
      using grouped = new Subject(limits)
      using single = new Subject(limits)
      const random = randomOf(seed)
      for (let group = 0; group < 30; group++) {
        const requests = Array.from({ length: 1 + below(random, 40) }, () => requestOf(random)).flatMap(repeated(random))
        const together = grouped.engine.execute(requests).map(said)
        const apart = requests.flatMap((request) => single.engine.execute([request])).map(said)
        expect(together).toEqual(apart)
      }
      expect(grouped.rows()).toEqual(single.rows())
    })
  }

  test('are refused one by one: a conflict and a full inbox leave the others where they are', () => {
    using subject = new Subject({ inboxEntriesPerSenderMax: 3 })
    const other = { ...post(1n, 2n, 1), input: { ...post(1n, 2n, 1).input, body: new Uint8Array([9]) } } as Request
    const outcomes = subject.engine.execute([
      post(1n, 2n, 1),
      post(1n, 2n, 1),
      other,
      post(1n, 2n, 2),
      post(1n, 2n, 3),
      post(1n, 2n, 4),
      post(1n, 2n, 2),
    ])
    expect(outcomes.map(said).map(seqOf)).toEqual([1, 1, 'conflict', 2, 3, 'quota_exceeded', 2])
  })

  test('are refused where only the server may say it, at the beginning and behind others', () => {
    using subject = new Subject({})
    const money = (number: number): Request => {
      const { name, input } = post(1n, 2n, number)
      return { name, input: { ...input, type: paymentType } }
    }
    const outcomes = subject.engine.execute([money(1), post(1n, 2n, 2), money(3), post(1n, 2n, 4)])
    expect(outcomes.map(said).map(seqOf)).toEqual(['not_permitted', 1, 'not_permitted', 2])
  })
})

class Subject implements Disposable {
  readonly #folder = new StoreFolder()
  readonly engine: Engine

  constructor(limits: Partial<Limits>) {
    this.engine = new Engine(this.#folder.database, { ...resolveLimits(), diskBytesFreeMin: 0, ...limits })
    for (const account of accounts) {
      this.#must({ name: 'account.create', input: newAccount(`a${account}`) })
      this.#must({ name: 'inbox.open', input: { accountId: account, device: `d${account}`, at: 0n } })
    }
    // The first has a second device, which lacks what is said on the first one.
    this.#must({ name: 'inbox.open', input: { accountId: 1n, device: 'other', at: 0n } })
    for (const a of accounts) for (const b of accounts) if (a < b) this.#must({ name: 'contact.add', input: { a, b, at: 0n } })
  }

  /** Every row of what messages touch. */
  rows(): unknown {
    using connection = new DatabaseSync(this.#folder.database, { readOnly: true })
    const tables = ['conversation', 'member', 'entry', 'inbox', 'inbox_entry', 'inbox_device']
    return tables.map((table) => connection.prepare(`select * from ${table} order by 1, 2`).all())
  }

  [Symbol.dispose](): void {
    this.engine.close()
    this.#folder[Symbol.dispose]()
  }

  #must(request: Request): void {
    const [outcome] = this.engine.execute([request])
    if (outcome === undefined || 'error' in outcome) throw outcome?.error ?? new TypeError('no outcome')
  }
}

function requestOf(random: Random): Request {
  const accountId = accounts[below(random, accounts.length)] ?? 1n
  const other = accounts[(Number(accountId) + below(random, 2)) % accounts.length] ?? 2n
  const at = 1n
  switch (below(random, 12)) {
    case 0:
      return { name: 'inbox.ack', input: { accountId, device: `d${accountId}`, seq: BigInt(below(random, 200)), at } }
    case 1:
      return { name: 'inbox.read', input: { accountId, after: 0n, max: 100n, bytesMax: 100_000n } }
    case 2:
      return { name: 'block.add', input: { accountId, blockedId: other, at } }
    case 3:
      return { name: 'block.remove', input: { accountId, blockedId: other } }
    case 4:
      return { name: 'search.index', input: { max: 20n } }
    default:
      return post(accountId, other, below(random, 400), below(random, 60))
  }
}

/** The same device goes on in the same conversation, for a while. */
function repeated(random: Random): (request: Request) => readonly Request[] {
  return (request) => {
    if (request.name !== 'entry.post') return [request]
    const { accountId, peerId = 0n } = request.input
    return Array.from({ length: 1 + below(random, 6) }, () => {
      const { name, input } = post(accountId, peerId, below(random, 400), below(random, 60))
      return { name, input: { ...input, device: below(random, 9) === 0 ? 'other' : input.device } }
    })
  }
}

/** The same number is the same message of this author, unless it has another length. */
function post(accountId: bigint, peerId: bigint, number: number, length = 5): Request<'entry.post'> {
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint16(14, number)
  const body = new Uint8Array(length).fill(0x61)
  const input = { accountId, peerId, device: `d${accountId}`, at: 1n, kind: 'message', id, type: 'text/plain', body } as const
  return { name: 'entry.post', input }
}

/** What it answers: the code of a refusal, or the value. */
function said(outcome: Outcome): unknown {
  return 'error' in outcome ? outcome.error.code : outcome.value
}

function seqOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'seq' in value ? Number(value.seq) : value
}
