// Orders that stand next to each other in a group share what they read. Whether they do must not show: what a play ordered one
// at a time, carried out again in groups of any size, has the same answers and leaves the same rows.

import { cpSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'bun:test'
import { type Limits, resolveLimits } from '../../../../src/protocol/index.ts'
import { Engine } from '../../../../src/store/sqlite/engine.ts'
import type { Outcome, Request } from '../../../../src/store/store.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { Play } from './ledger-play.ts'
import { LedgerStage } from './ledger-stage.ts'

const limits: Limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const steps = 1_500
/** Of a group; the play has about as many refusals as orders, each of which has its group carried out again one by one. */
const sizes = [2, 3, 5, 1, 40, 7]

for (const seed of [1, 2]) {
  test(`a play carried out again in groups is the same (seed ${seed})`, () => {
    using folder = new StoreFolder()
    using copy = new StoreFolder()
    const play = new Play(seed, folder.path)
    using _stage = play.stage
    cpSync(folder.path, copy.path, { recursive: true })
    const told = recorded(play, () => {
      for (let step = 0; step < steps; step++) play.step()
    })
    using engine = new Engine(copy.database, limits)
    const again: unknown[] = []
    for (let at = 0, turn = 0; at < told.length; turn++) {
      const group = told.slice(at, at + (sizes[turn % sizes.length] ?? 1))
      again.push(...engine.execute(group.map(({ request }) => request)).map(answerOf))
      at += group.length
    }
    expect(again).toEqual(told.map(({ answer }) => answer))
    expect(rowsOf(copy.database)).toEqual(rowsOf(folder.database))
  }, 120_000)
}

test('what is decided between two orders of a group counts for the second one', () => {
  using folder = new StoreFolder()
  const at = 1_000n
  const stage = new LedgerStage(2, 500n, { folder: folder.path })
  const pay = (amount: bigint, request?: Uint8Array): Request => ({
    name: 'ledger.order',
    input: { ...stage.pay(1n, 2n, amount), at, request },
  })
  stage[Symbol.dispose]()
  using engine = new Engine(folder.database, limits)
  const freeze = (frozen: boolean): Request => ({ name: 'ledger.freeze', input: { accountId: 1n, frozen, at } })
  const bound = (dayMax: bigint | null): Request => ({ name: 'ledger.limits', input: { unit: 'credits', accountId: 1n, dayMax } })
  const revoke: Request = { name: 'device.revoke', input: { id: 'k1.1', at } }
  const codesOf = (...group: readonly Request[]): readonly string[] =>
    engine.execute(group).map((outcome) => ('error' in outcome ? outcome.error.code : 'done'))
  // Nothing here is refused after it has written, but for the bounds: what is has its group carried out one by one.
  expect(codesOf(pay(10n), freeze(true), pay(10n), freeze(false), pay(10n))).toEqual(['done', 'done', 'frozen', 'done', 'done'])
  expect(codesOf(pay(1n), pay(10n, new Uint8Array(16)), pay(1n))).toEqual(['done', 'not_found', 'done'])
  expect(codesOf(pay(1n), bound(25n), pay(2n), pay(1n))).toEqual(['done', 'done', 'done', 'limit_exceeded'])
  expect(codesOf(bound(null), pay(1n), revoke, pay(1n))).toEqual(['done', 'done', 'done', 'signature_invalid'])
  using connection = new DatabaseSync(folder.database, { readOnly: true })
  expect(
    connection
      .prepare('select amount from spent')
      .all()
      .map(({ amount }) => amount),
  ).toEqual([26])
})

test('what is remembered from one group to the next is no more than what is so', () => {
  using folder = new StoreFolder()
  const stage = new LedgerStage(3, 500n, { folder: folder.path })
  const pay = (payer: bigint, payee: bigint): Request => ({ name: 'ledger.order', input: { ...stage.pay(payer, payee, 1n), at: 1_000n } })
  stage[Symbol.dispose]()
  using engine = new Engine(folder.database, limits)
  const codeOf = (request: Request): string =>
    engine.execute([request]).map((outcome) => ('error' in outcome ? outcome.error.code : 'done'))[0] ?? ''
  const at = 1_000n
  const [revoke, freeze]: readonly [Request, Request] = [
    { name: 'device.revoke', input: { id: 'k1.1', at } },
    { name: 'ledger.freeze', input: { accountId: 2n, frozen: true, at } },
  ]
  expect([codeOf(pay(1n, 2n)), codeOf(pay(2n, 1n)), codeOf(pay(3n, 1n))]).toEqual(['done', 'done', 'done'])
  expect([codeOf(revoke), codeOf(pay(1n, 2n)), codeOf(pay(3n, 1n))]).toEqual(['done', 'signature_invalid', 'done'])
  expect([codeOf(freeze), codeOf(pay(3n, 2n)), codeOf(pay(3n, 1n))]).toEqual(['done', 'frozen', 'done'])
  damage(folder.database, 'update ledger_account set balance = balance + 100 where holder_id = 3')
  expect(codeOf(pay(3n, 1n))).toBe('ledger_broken')
  damage(folder.database, 'update ledger_account set balance = balance - 100 where holder_id = 3')
  expect(codeOf(pay(3n, 1n))).toBe('done')
  damage(
    folder.database,
    'update leg_end set posting = posting + 9 where ledger_account_id = (select id from ledger_account where holder_id = 1)',
  )
  expect(codeOf(pay(3n, 1n))).toBe('ledger_broken')
})

/** As a hand at the file does it, beside the engine. */
function damage(database: string, sql: string): void {
  using connection = new DatabaseSync(database)
  connection.exec(sql)
}

/** What the play asked of the store, and what it was answered. */
function recorded({ stage: { store } }: Play, action: () => void): readonly { readonly request: Request; readonly answer: unknown }[] {
  const told: { readonly request: Request; readonly answer: unknown }[] = []
  const run = store.run.bind(store)
  Object.assign(store, {
    run: (...[name, input]: Parameters<typeof run>) => {
      const request = structuredClone({ name, input }) as Request
      try {
        const value = run(name, input)
        told.push({ request, answer: structuredClone(value) })
        return value
      } catch (reason) {
        told.push({ request, answer: (reason as { code: string }).code })
        throw reason
      }
    },
  })
  action()
  return told
}

function answerOf(outcome: Outcome): unknown {
  return 'error' in outcome ? outcome.error.code : outcome.value
}

/** Every row of what orders touch. */
function rowsOf(database: string): unknown {
  using connection = new DatabaseSync(database, { readOnly: true })
  const tables = ['ledger_account', 'posting', 'leg', 'transfer', 'split_part', 'spent', 'payment_request', 'subtree']
  return tables.map((table) => connection.prepare(`select * from ${table} order by 1, 2, 3`).all())
}
