// What a durable message costs the store as it grows: CPU time of posting, committing and acknowledging, with FEW and with MANY
// messages stored, in turn. Two databases in this process, on the disk of the temporary folder.
//
//   node bin/bun.mjs bench/stored.ts [FEW [MANY [ROUNDS]]]        default: 1000 1000000 9

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conversations, StoredMessages } from './stored-messages.ts'

const [few = 1_000, many = 1_000_000, rounds = 9] = process.argv.slice(2).map(Number)
const groupsPerRound = 100
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))

try {
  using small = new StoredMessages(join(folder, 'few'), few)
  using large = new StoredMessages(join(folder, 'many'), many)
  const costs = Array.from({ length: rounds }, () => [cost(small), cost(large)] as const)
  const [ofFew, ofMany] = [median(costs.map(([each]) => each)), median(costs.map(([, each]) => each))]
  console.log(
    `${few} stored: ${ofFew.toFixed(1)} µs of CPU a message, ${many} stored: ${ofMany.toFixed(1)}, ratio ${(ofMany / ofFew).toFixed(2)}`,
  )
} finally {
  rmSync(folder, { recursive: true })
}

function cost(subject: StoredMessages): number {
  const before = process.cpuUsage()
  for (let group = 0; group < groupsPerRound; group++) subject.say()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (groupsPerRound * conversations)
}

function median(all: readonly number[]): number {
  return all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0
}
