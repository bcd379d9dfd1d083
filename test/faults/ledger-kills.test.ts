// A store that works on its ledger is killed exactly where it synchronizes or writes for the nth time: by the system call itself,
// before it is carried out. The short form tries some of the first 200 of each, the long one all of them.

import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { skipWithout } from '../support/store-contents.ts'
import { deedAccounts } from '../support/ledger-deeds.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { StoreProcess } from '../support/store-process.ts'
import { form, isLong } from './form.ts'
import { examine } from './ledger-examination.ts'
import { below, type Random, randomOf, seedOf } from './random.ts'

const first = 200
const some = 10
const lanes = 6
const program = fileURLToPath(new URL('../support/ledger-program.ts', import.meta.url))
const skip = skipWithout('strace, which kills at a system call', spawnSync('strace', ['-V']).status === 0)

/** Most of the first writes of a new store make its schema; those of one with accounts move money. */
const kinds = [['fsync', 'a new'], ['pwrite64', 'a filled'], ...(isLong ? ([['pwrite64', 'a new']] as const) : [])] as const

describe.skipIf(skip)('kill -9', () => {
  test.each(kinds)(
    `at ${form(`${some} of `, '')}the first ${first} calls of %s of %s store loses nothing that was acknowledged, and doubles nothing`,
    async (call, whose) => {
      const what = `kills at ${call} of ${whose} store`
      const numbers = isLong ? Array.from({ length: first }, (_, at) => at + 1) : choose(randomOf(seedOf(what)))
      const figures = { kills: 0, acknowledged: 0, postings: 0, untold: 0 }
      for (const place of numbers) {
        const { acknowledged, postings, untold } = await killAt(call, place, whose)
        figures.kills++
        figures.acknowledged += acknowledged
        figures.postings += postings
        figures.untold += untold
      }
      console.log(`${what}:`, JSON.stringify(figures))
      expect(figures.kills).toBe(form(some, first))
      // There was something to lose, but where a new store is still made.
      if (whose === 'a filled' || call === 'fsync') expect(figures.acknowledged).toBeGreaterThan(figures.kills)
    },
    form(120_000, 1_800_000),
  )
})

describe('examine', () => {
  test.each([
    ['nothing is wrong', [], '', []],
    ['something was told that is not there', ['0:9:17:1'], '', ['0:9 was acknowledged as posting 17 and is not there']],
    ['another place was told', ['mint:1:2:1000000'], '', ['mint:1 was acknowledged as posting 2 and is not there']],
    ['another balance was told', ['mint:1:1:1'], '', ['mint:1 is answered otherwise when it is asked again']],
    [
      'somebody has more',
      [],
      'update ledger_account set balance = balance + 1 where holder_id = 2',
      ['account 4 has another balance', 'the total is 1', 'account 4: its balance is not what its postings make'],
    ],
    ['a posting is gone', [], 'drop trigger posting_stays; delete from posting where seq = 3', ['posting 3: it is missing']],
  ] as const)('finds it when %s', async (_, told, sql, found) => {
    using folder = new StoreFolder()
    await fill(folder)
    const connection = new DatabaseSync(folder.database)
    connection.exec(sql)
    connection.close()
    const { wrong } = await examine(folder.path, told, 1)
    expect(wrong).toEqual(expect.arrayContaining([...found]))
    expect(wrong.length > 0).toBe(found.length > 0)
  })
})

/** Different ones, the last two thirds of which come when money moves. */
function choose(random: Random): readonly number[] {
  const places = new Set<number>([1 + below(random, first / 3)])
  while (places.size < some) places.add(1 + first / 4 + below(random, (first * 3) / 4))
  return [...places]
}

/** Ends the program at this call of its database, and looks at what it has left. */
async function killAt(call: 'fsync' | 'pwrite64', place: number, whose: 'a new' | 'a filled') {
  using folder = new StoreFolder()
  if (whose === 'a filled') await fill(folder)
  using traces = new StoreFolder()
  const trace = join(traces.path, 'trace')
  await using worker = new StoreProcess(folder.path, { prefix: '-', concurrency: lanes, program, under: under(folder, trace, call, place) })
  expect([place, await worker.ended()]).toEqual([place, 'SIGKILL'])
  // It was killed there and nowhere else.
  expect([place, Math.max(...callsByThread(readFileSync(trace, 'utf8'), call))]).toEqual([place, place])
  expect([...worker.refused]).toEqual([])
  const { postings, untold, wrong } = await examine(folder.path, worker.acknowledged, lanes)
  expect([place, wrong.slice(0, 5)]).toEqual([place, []])
  return { acknowledged: worker.acknowledged.length, postings, untold }
}

/** Accounts, their devices, and money: one run that is ended in order. */
async function fill(folder: StoreFolder): Promise<void> {
  await using worker = new StoreProcess(folder.path, { prefix: '-', concurrency: 0, program })
  await worker.end()
  expect(worker.acknowledged.length).toBe(deedAccounts.length)
}

/** How often each thread has made a call, as strace counts it. */
function callsByThread(trace: string, call: string): readonly number[] {
  const counts = new Map<string, number>()
  for (const [, thread = ''] of trace.matchAll(new RegExp(`^(\\d+) +${call}\\(`, 'gm'))) counts.set(thread, (counts.get(thread) ?? 0) + 1)
  return [...counts.values()]
}

/** Counted are calls on the files of the database alone; they all come from the thread of the store. */
function under({ path, database }: StoreFolder, trace: string, call: string, place: number): readonly string[] {
  const files = [path, database, `${database}-wal`, `${database}-journal`].flatMap((each) => ['-P', each])
  return ['strace', '-f', '-qq', '-o', trace, ...files, '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${place}`]
}
