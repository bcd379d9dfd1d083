// What a durable message costs the store as it grows: CPU time of posting, committing and acknowledging, with FEW and with MANY
// messages stored, in turn. Two databases in this process, on the disk of the temporary folder.
//
//   node bin/bun.mjs bench/stored.ts [FEW [MANY [ROUNDS]]]        default: 1000 1000000 9

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveLimits } from '../src/protocol/index.ts'
import { Engine } from '../src/store/sqlite/engine.ts'
import type { Input, OperationName, Output, Request } from '../src/store/store.ts'

const [few = 1_000, many = 1_000_000, rounds = 9] = process.argv.slice(2).map(Number)
const conversations = 200
const groupsPerRound = 100
const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))

class Subject implements Disposable {
  readonly #engine: Engine
  /** By the number of the author. */
  readonly #conversationIds: bigint[] = []
  #saidInEach = 0n

  constructor(name: string) {
    this.#engine = new Engine(join(folder, name), limits)
    for (let pair = 0; pair < conversations; pair++) {
      const [a, b] = [`a${pair}`, `b${pair}`].map((each) => this.#arrive(each))
      if (a === undefined || b === undefined) continue
      this.#run('contact.add', { a, b, at: 0n })
      const found = this.#run('conversation.find', { accountId: a, peerId: b })
      if (found !== undefined) this.#conversationIds.push(found.id)
    }
  }

  /** Each author says one thing, in one group; every fiftieth time everybody acknowledges. */
  say(): void {
    this.#saidInEach++
    const at = BigInt(Date.now())
    const said = this.#conversationIds.map((conversationId, pair): Request => {
      const accountId = BigInt(2 * pair + 1)
      const body = new Uint8Array(64).fill(0x6d)
      const more = { kind: 'message', id: newId(), type: 'text/plain', body } as const
      return { name: 'entry.post', input: { accountId, device: `d${accountId}`, at, conversationId, ...more } }
    })
    this.#execute(said)
    if (this.#saidInEach % 50n === 0n) this.#acknowledge(at)
  }

  [Symbol.dispose](): void {
    this.#engine.close()
  }

  #acknowledge(at: bigint): void {
    const acks = this.#conversationIds.map((_, pair): Request => {
      const accountId = BigInt(2 * pair + 2)
      return { name: 'inbox.ack', input: { accountId, device: `d${accountId}`, seq: this.#saidInEach, at } }
    })
    this.#execute(acks)
  }

  #arrive(name: string): bigint {
    const account = { name, key: name, skeleton: name, passwordHash: undefined, createdAt: 0n }
    const { id } = this.#run('account.create', account)
    this.#run('inbox.open', { accountId: id, device: `d${id}`, at: 0n })
    return id
  }

  #run<N extends OperationName>(name: N, input: Input<N>): Output<N> {
    return this.#execute([{ name, input } as Request])[0] as Output<N>
  }

  #execute(group: readonly Request[]): readonly unknown[] {
    return this.#engine.execute(group).map((outcome) => {
      if ('error' in outcome) throw outcome.error
      return outcome.value
    })
  }
}

try {
  using small = filled('few', few)
  using large = filled('many', many)
  const costs = Array.from({ length: rounds }, () => [cost(small), cost(large)] as const)
  const [ofFew, ofMany] = [median(costs.map(([each]) => each)), median(costs.map(([, each]) => each))]
  console.log(
    `${few} stored: ${ofFew.toFixed(1)} µs of CPU a message, ${many} stored: ${ofMany.toFixed(1)}, ratio ${(ofMany / ofFew).toFixed(2)}`,
  )
} finally {
  rmSync(folder, { recursive: true })
}

function filled(name: string, count: number): Subject {
  const subject = new Subject(name)
  for (let stored = 0; stored < count; stored += conversations) subject.say()
  return subject
}

function cost(subject: Subject): number {
  const before = process.cpuUsage()
  for (let group = 0; group < groupsPerRound; group++) subject.say()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (groupsPerRound * conversations)
}

function median(all: readonly number[]): number {
  return all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0
}

/** As a client makes it: the time in front. */
function newId(): Uint8Array {
  const id = randomBytes(16)
  id.writeUIntBE(Date.now(), 0, 6)
  return new Uint8Array(id)
}
