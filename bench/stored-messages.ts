// A database with as many messages as one wants: two hundred pairs of accounts, each message in a group with one of every pair.

import { randomBytes } from 'node:crypto'
import { resolveLimits } from '../src/protocol/index.ts'
import { Engine } from '../src/store/sqlite/engine.ts'
import type { Input, OperationName, Output, Request } from '../src/store/store.ts'

/** Pairs, and the messages of a group. */
export const conversations = 200
const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }

export class StoredMessages implements Disposable {
  readonly #engine: Engine
  /** By the number of the author. */
  readonly #conversationIds: bigint[] = []
  #saidInEach = 0n

  /** `location`: the file of the database, which may be there. `count`: how many are stored at first, at least. */
  constructor(location: string, count: number) {
    this.#engine = new Engine(location, limits)
    for (let pair = 0; pair < conversations; pair++) {
      const [a, b] = [`a${pair}`, `b${pair}`].map((each) => this.#arrive(each))
      if (a === undefined || b === undefined) continue
      this.#run('contact.add', { a, b, at: 0n })
      const found = this.#run('conversation.find', { accountId: a, peerId: b })
      if (found !== undefined) this.#conversationIds.push(found.id)
    }
    for (let stored = 0; stored < count; stored += conversations) this.say()
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

/** As a client makes it: the time in front. */
function newId(): Uint8Array {
  const id = randomBytes(16)
  id.writeUIntBE(Date.now(), 0, 6)
  return new Uint8Array(id)
}
