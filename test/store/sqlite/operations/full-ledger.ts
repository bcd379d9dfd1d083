// A ledger with everything in it, and what people are told of their money by it.

import { expect } from 'bun:test'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { openInProcessStore } from '../../../../src/store/index.ts'
import type { SynchronousStore } from '../../../../src/store/store.ts'
import type { StoreFolder } from '../../../support/store-folder.ts'
import { LedgerStage } from './ledger-stage.ts'

export const fullLedgerAccounts = 6n

/** Fills an empty folder and closes the store. */
export function fillLedger(folder: StoreFolder, rounds = 40): void {
  using stage = new LedgerStage(Number(fullLedgerAccounts), 100_000n, { folder: folder.path, limits: { checkpointPostingsMax: 50 } })
  stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
  stage.mint(1n, 500n, { unit: 'gold' })
  for (let round = 0; round < rounds; round++) playRound(stage, round)
  stage.run('ledger.expireHolds', { at: stage.at + 55_000n, max: 1_000n })
  expect(stage.verify({ deep: true }).fault).toBeUndefined()
}

/** Of each kind of order at least one, between two accounts that the number of the round chooses. */
export function playRound(stage: LedgerStage, round: number): void {
  const [payer, payee] = [BigInt(1 + (round % 6)), BigInt(1 + ((round + 1 + (round % 5)) % 6))]
  if (payer === payee) return
  const paid = stage.pay(payer, payee, 50n, { memo: `round ${round}` })
  stage.order(paid)
  stage.order(stage.refund(payee, paid, 20n))
  const [first, second, third] = [1, 2, 3].map(() => stage.hold(payer, payee, 10n))
  for (const hold of [first, second, third]) if (hold) stage.order(hold)
  if (first) stage.order(stage.capture(payee, first, 7n))
  if (second && round % 2 === 0) stage.order(stage.void(payee, second))
  stage.order(
    stage.split(
      payer,
      [1n, 2n, 3n].map((at) => [((payer + at - 1n) % fullLedgerAccounts) + 1n, at * 5n] as const),
    ),
  )
  const { id } = stage.run('ledger.request', {
    ...{ id: stage.id(), fromId: payee, toId: payer, unit: 'credits', amount: 9n, expiresAt: stage.at + 9n, at: stage.at },
  }).request
  stage.order(stage.pay(payer, payee, 4n, { request: id }))
  const needed = stage.run('ledger.checkpointNeeded', { at: stage.at })
  if (needed) stage.run('ledger.checkpointStore', { ...needed, at: stage.at, cose: new Uint8Array(100) })
  stage.at += 1_000n
}

export function openLedger(folder: StoreFolder): SynchronousStore {
  return openInProcessStore(folder.path, { ...resolveLimits(), diskBytesFreeMin: 0 })
}

/** The balances of everybody, in every unit. */
export function balancesOf(store: SynchronousStore): unknown {
  return everybody((accountId) => store.run('ledger.balance', { accountId }))
}

/** The statements of everybody, without the names of other people: those are not the ledger's. */
export function statementsOf(store: SynchronousStore): unknown {
  return everybody((accountId) =>
    store.run('ledger.statement', { accountId, max: 10_000n }).lines.map(({ transfer, ...line }) => ({
      ...line,
      transfer: { ...transfer, payer: transfer.payer?.id, payee: transfer.payee?.id, parts: transfer.parts.map(withoutName) },
    })),
  )
}

/** The row that is wrong; undefined when nothing is. */
export function faultOf(store: SynchronousStore, deep = true): string | undefined {
  let step = store.run('ledger.verify', { max: 200n, deep })
  while (step.next !== undefined) step = store.run('ledger.verify', { max: 200n, place: step.next })
  return step.fault && `${step.fault.row}: ${step.fault.what}`
}

function everybody(told: (accountId: bigint) => unknown): readonly unknown[] {
  return Array.from({ length: Number(fullLedgerAccounts) }, (_, at) => told(BigInt(at + 1)))
}

function withoutName({ payee, ...part }: { readonly payee: { readonly id: bigint } }): unknown {
  return { ...part, payee: payee.id }
}
