// One bit of the files of a database is another one, at places all over them: pages of every table and index, the log of what
// was not yet brought into the file. Whatever it is: nobody is told a wrong balance without a word. Either all that people are told
// of their money is right, or what they ask is refused, or the verification names a row, and then payments are refused.

import { describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { SealwireError } from '../../src/protocol/index.ts'
import type { SynchronousStore } from '../../src/store/store.ts'
import { balancesOf, faultOf, fillLedger, openLedger, playRound, statementsOf } from '../store/sqlite/operations/full-ledger.ts'
import { LedgerStage } from '../store/sqlite/operations/ledger-stage.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { form } from './form.ts'
import { below, type Random, randomOf, seedOf } from './random.ts'

const positions = form(50, 1_000)

/** The two files of a database that nobody has open. */
interface Files {
  readonly main: Uint8Array
  readonly log: Uint8Array
}

interface Truth {
  readonly balances: unknown
  readonly statements: unknown
}

describe(`one bit flipped at ${positions} positions`, () => {
  test(
    'of the database file is found, or changes nothing that anybody is told of money',
    () => {
      using folder = new StoreFolder()
      fillLedger(folder, 60)
      const files = { main: readFileSync(folder.database), log: new Uint8Array() }
      const truth = truthOf(folder, files)
      const found = new Map<string, number>()
      for (const bit of places(files.main.length * 8, randomOf(seedOf('bits of the database')))) {
        count(found, judge(folder, { ...files, main: flipped(files.main, bit) }, truth))
      }
      console.log('bits of the database:', JSON.stringify(Object.fromEntries(found)))
      expect(wrongOnes(found)).toEqual([])
      // Most of the file is the ledger, so most is found.
      expect(found.get('named, payments refused') ?? 0).toBeGreaterThan(positions / 4)
    },
    form(60_000, 1_200_000),
  )

  test(
    'of the log that a killed server leaves is found, or undoes no more than the last transactions',
    () => {
      using folder = new StoreFolder()
      const { files, states } = killedServer(folder)
      const truth = truthOf(folder, files)
      const found = new Map<string, number>()
      for (const bit of places(files.log.length * 8, randomOf(seedOf('bits of the log')))) {
        const log = flipped(files.log, bit)
        const result = judge(folder, { ...files, log }, truth)
        // As after a power cut: SQLite takes what is broken at the end for a transaction that was not completed.
        const isLast = result === 'WRONG: another balance' && isStateOf(folder, { ...files, log }, states.slice(-3))
        count(found, isLast ? 'the last transaction undone' : result)
      }
      console.log('bits of the log:', JSON.stringify(Object.fromEntries(found)))
      expect(wrongOnes(found)).toEqual([])
      expect(found.get('refused: data_unusable') ?? 0).toBeGreaterThan(positions / 2)
      expect(found.get('the last transaction undone') ?? 0).toBeLessThan(positions / 10)
    },
    form(60_000, 1_200_000),
  )
})

/** What a server leaves that is killed after it has worked for a while, and what the balances were after each of its commits. */
function killedServer(folder: StoreFolder): { files: Files; states: readonly unknown[] } {
  fillLedger(folder, 10)
  using stage = new LedgerStage(0, 0n, { folder: folder.path, limits: { checkpointPostingsMax: 50 } })
  stage.at = 100_000n
  const states: unknown[] = []
  for (let round = 10; round < 16; round++) {
    playRound(stage, round)
    states.push(balancesOf(stage.store))
  }
  for (let payment = 0; payment < 4; payment++) {
    stage.order(stage.pay(1n, 2n, 1n))
    states.push(balancesOf(stage.store))
  }
  return { files: { main: readFileSync(folder.database), log: readFileSync(`${folder.database}-wal`) }, states }
}

function isStateOf(folder: StoreFolder, files: Files, states: readonly unknown[]): boolean {
  lay(folder, files)
  using store = openLedger(folder)
  const balances = balancesOf(store)
  return states.some((state) => Bun.deepEquals(state, balances))
}

/** Places all over the bits, as many in each part of them. */
function places(bits: number, random: Random): readonly number[] {
  return Array.from({ length: positions }, (_, at) => Math.floor((at / positions) * bits) + below(random, Math.floor(bits / positions)))
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
}

function lay(folder: StoreFolder, { main, log }: Files): void {
  writeFileSync(folder.database, main)
  writeFileSync(`${folder.database}-wal`, log)
  writeFileSync(`${folder.database}-shm`, '')
}

function truthOf(folder: StoreFolder, files: Files): Truth {
  lay(folder, files)
  using store = openLedger(folder)
  expect(faultOf(store)).toBeUndefined()
  return { balances: balancesOf(store), statements: statementsOf(store) }
}

/** What becomes of one flipped bit. */
function judge(folder: StoreFolder, files: Files, truth: Truth): string {
  lay(folder, files)
  try {
    using store = openLedger(folder)
    // What a server looks for by itself after a start; the operator's `ledger verify` looks at the structures of the file too.
    const fault = faultOf(store, false)
    if (fault !== undefined) return refusesPayments(store, fault) ? 'named, payments refused' : 'WRONG: named, and payments go on'
    if (!Bun.deepEquals(balancesOf(store), truth.balances)) return 'WRONG: another balance'
    if (!Bun.deepEquals(statementsOf(store), truth.statements)) return 'WRONG: another statement'
    return faultOf(store) === undefined ? 'nothing that counts' : 'nothing that counts, named by the operator’s verification'
  } catch (reason) {
    return SealwireError.is(reason) ? `refused: ${reason.code}` : 'WRONG: an error of no kind'
  }
}

/** As the server does after a verification that found something. What cannot be written down, or looked up, cannot be paid either. */
function refusesPayments(store: SynchronousStore, what: string): boolean {
  const condemned = refusal(() => store.run('ledger.condemn', { row: 'a row', what, at: 1n }))
  const paid = refusal(() =>
    store.run('ledger.mint', { id: new Uint8Array(16).fill(7), accountId: 1n, unit: 'credits', amount: 1n, at: 1n }),
  )
  const unread = ['internal', 'unavailable', 'unknown_outcome']
  return condemned === undefined ? paid === 'ledger_broken' || unread.includes(paid ?? '') : paid !== undefined
}

/** The code with which something is refused. */
function refusal(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (reason) {
    if (SealwireError.is(reason)) return reason.code
    throw reason
  }
}

function count(found: Map<string, number>, what: string): void {
  found.set(what, (found.get(what) ?? 0) + 1)
}

function wrongOnes(found: ReadonlyMap<string, number>): readonly string[] {
  return [...found.keys()].filter((what) => what.startsWith('WRONG'))
}
