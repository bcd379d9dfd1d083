import { describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { SealwireError } from '../../../src/protocol/index.ts'
import { requireWholeLog } from '../../../src/store/sqlite/log-damage.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const frameBytes = 24 + 4096
const transactions = 12

/** The log of so many transactions of three pages and more, as a process leaves it that is killed. */
function leftLog(folder: StoreFolder, { restarted = false } = {}): Uint8Array {
  using connection = new DatabaseSync(folder.database)
  connection.exec('pragma journal_mode = wal; create table thing (id integer primary key, what blob)')
  const insert = connection.prepare('insert into thing (what) values (zeroblob(9000))')
  if (restarted) {
    for (let at = 0; at < 4 * transactions; at++) insert.run()
    // What comes now is written over the beginning of the log.
    connection.exec('pragma wal_checkpoint(restart)')
  }
  for (let at = 0; at < transactions; at++) insert.run()
  return new Uint8Array(readFileSync(`${folder.database}-wal`))
}

/** The code with which a log is refused. */
function refusal(folder: StoreFolder, log: Uint8Array): string | undefined {
  writeFileSync(`${folder.database}-wal`, log)
  try {
    requireWholeLog(folder.database)
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}

function flipped(log: Uint8Array, at: number): Uint8Array {
  return log.with(at, (log[at] ?? 0) ^ 1)
}

/** Where the frames begin that end a transaction. */
function commits(log: Uint8Array): readonly number[] {
  const view = new DataView(log.buffer, log.byteOffset, log.length)
  const frames = Array.from({ length: (log.length - 32) / frameBytes }, (_, at) => 32 + at * frameBytes)
  return frames.filter((at) => view.getUint32(at + 4) !== 0)
}

describe('requireWholeLog', () => {
  test.each([false, true])('takes a log that was cut off at any byte, also one that was begun again: %p', (restarted) => {
    using folder = new StoreFolder()
    const log = leftLog(folder, { restarted })
    for (let length = 0; length <= log.length; length += 997)
      expect([length, refusal(folder, log.slice(0, length))]).toEqual([length, undefined])
    expect(refusal(folder, log)).toBeUndefined()
  })

  test('takes one whose last transaction the disk has only in part', () => {
    using folder = new StoreFolder()
    const log = leftLog(folder)
    const before = (commits(log).at(-2) ?? 0) + frameBytes
    for (let at = before; at < log.length; at += frameBytes) expect(refusal(folder, log.slice().fill(0, at, at + 4096))).toBeUndefined()
  })

  test('takes what two power cuts have left, one in a transaction over the pieces of the one before', () => {
    using folder = new StoreFolder()
    const log = leftLog(folder)
    const [third = 0, second = 0] = commits(log).slice(-3)
    expect(refusal(folder, log.slice(0, log.length).fill(0, third + frameBytes, third + frameBytes + 100))).toBeUndefined()
    expect(second).toBeGreaterThan(third)
  })

  test('refuses one that is damaged further in front: in a page, in the head of a frame, in its own head', () => {
    using folder = new StoreFolder()
    const log = leftLog(folder)
    const last = commits(log).at(-4) ?? 0
    for (let at = 0; at < last; at += 211) expect([at, refusal(folder, flipped(log, at))]).toEqual([at, 'data_unusable'])
  })

  test('asks nothing of a database that has none', () => {
    using folder = new StoreFolder()
    expect(() => requireWholeLog(folder.database)).not.toThrow()
  })
})
