// What a group writes: a commit costs by its pages, and that is most of what a durable message costs.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { conversations, StoredMessages } from '../../../bench/stored-messages.ts'
import { StoreFolder } from '../../support/store-folder.ts'

test('messages to as many conversations cost less than a page each', () => {
  using folder = new StoreFolder()
  using messages = new StoredMessages(folder.database, 40 * conversations)
  messages.say()
  const groups = groupsIn(readFileSync(`${folder.database}-wal`))
  expect(groups.length).toBeGreaterThan(1)
  const pages = groups.reduce((sum, each) => sum + each, 0) / groups.length
  expect(pages / conversations).toBeLessThan(1)
}, 60_000)

/** Pages of each commit in a log, back to where SQLite began to write over what it needed no more (https://www.sqlite.org/walformat.html). */
function groupsIn(log: Buffer): readonly number[] {
  const [pageBytes, salt] = [log.readUInt32BE(8), log.subarray(16, 24)]
  const groups: number[] = []
  let pages = 0
  for (let at = 32; at + 24 + pageBytes <= log.length && salt.equals(log.subarray(at + 8, at + 16)); at += 24 + pageBytes) {
    pages++
    if (log.readUInt32BE(at + 4) === 0) continue
    groups.push(pages)
    pages = 0
  }
  return groups
}
