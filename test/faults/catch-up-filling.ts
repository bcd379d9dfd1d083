// A long past for one account, written into a database that no server has open: direct conversations and a room in which others,
// and now and then the account itself, have spoken by turns. What was said follows from its number alone, so that a reader needs
// nothing of the store to know what there has to be.

import { createHash, randomUUID } from 'node:crypto'
import { resolveLimits } from '../../src/protocol/index.ts'
import type { Act } from '../../src/store/delivery.ts'
import { databaseLocation } from '../../src/store/sqlite/database.ts'
import { Engine } from '../../src/store/sqlite/engine.ts'
import type { Input, OperationName, Output, Request } from '../../src/store/store.ts'
import { newAccount } from '../compliance/store-subject.ts'
import { messageId } from '../support/device-client.ts'

/** What is to be said, and to whom. */
export interface PastOptions {
  /** Key of the account, which is there. */
  readonly account: string
  /** Its only device, which is there. */
  readonly device: string
  /** What others have said: all of it waits for the device. */
  readonly messages: number
}

/** Something that was said. */
export interface Said {
  readonly conversation: number
  readonly isOwn: boolean
  readonly text: string
}

const peers = 8
/** Of the room, beside the account. */
const talkersInRoom = 3
/** The account itself says something after so many things that others have said. */
const ownEvery = 20
const groupMax = 500

/** Fills the database of a data folder; answers everything that was said, in its order. */
export function fillPast(folder: string, { account, device, messages }: PastOptions): readonly Said[] {
  using store = new Filler(folder)
  const self = store.run('account.find', { key: account })?.id ?? 0n
  const others = Array.from({ length: peers }, (_, index) => store.run('account.create', newAccount(`peer${index}`)).id)
  for (const other of others) store.run('contact.add', { a: self, b: other, at: now() })
  const direct = others.map((peerId) => store.run('conversation.find', { accountId: self, peerId })?.id ?? 0n)
  const room = openRoom(store, others.slice(0, talkersInRoom), { accountId: self, device })
  const all: Said[] = []
  const say = (accountId: bigint, conversationId: bigint): void => {
    const text = textOf(all.length)
    const isOwn = accountId === self
    const by = isOwn ? { accountId, device } : { accountId }
    const body = new TextEncoder().encode(text)
    store.post({ ...by, conversationId, at: now(), kind: 'message', id: messageId(), type: 'text/plain', body })
    all.push({ conversation: Number(conversationId), isOwn, text })
  }
  for (let index = 0; index < messages; index++) {
    const turn = Math.floor(index / 2)
    const peer = turn % (index % 2 === 0 ? talkersInRoom : peers)
    const conversation = (index % 2 === 0 ? room : direct[peer]) ?? 0n
    say(others[peer] ?? 0n, conversation)
    if (index % ownEvery === ownEvery - 1) say(self, turn % 2 === 0 ? room : conversation)
  }
  store.flush()
  return all
}

/** From 40 bytes to 240, its number first. */
function textOf(number: number): string {
  return `${number} `.padEnd(40 + ((number * 37) % 201), 'x')
}

/** The account comes last, and from its device: so its inbox has nothing but messages. */
function openRoom(store: Filler, [first = 0n, ...others]: readonly bigint[], self: Pick<Act, 'accountId' | 'device'>): bigint {
  const act = (who: Pick<Act, 'accountId' | 'device'>) => ({ ...who, at: now(), id: messageId() })
  const owner = { accountId: first }
  const room = { title: 'everybody', topic: '', announcement: false, history: 'all' } as const
  const { conversationId } = store.run('room.create', { ...act(owner), ...room })
  const joining = [...others.map((accountId) => ({ accountId })), self]
  const hash = new Uint8Array(createHash('sha256').update(randomUUID()).digest())
  store.run('room.link', { ...act(owner), conversationId, hash, uses: BigInt(joining.length), expiresAt: now() + 60_000n })
  for (const each of joining) store.run('room.join', { ...act(each), hash })
  return conversationId
}

function now(): bigint {
  return BigInt(Date.now())
}

/** A store that says many things in one transaction. */
class Filler implements Disposable {
  readonly #engine: Engine
  readonly #group: Request[] = []

  constructor(folder: string) {
    this.#engine = new Engine(databaseLocation(folder), { ...resolveLimits(), diskBytesFreeMin: 0 }, { presence: 'must-exist' })
  }

  run<N extends OperationName>(name: N, input: Input<N>): Output<N> {
    return this.#execute([{ name, input } as Request])[0] as Output<N>
  }

  post(input: Input<'entry.post'>): void {
    this.#group.push({ name: 'entry.post', input })
    if (this.#group.length >= groupMax) this.flush()
  }

  flush(): void {
    this.#execute(this.#group.splice(0))
  }

  [Symbol.dispose](): void {
    this.#engine.close()
  }

  #execute(group: readonly Request[]): readonly unknown[] {
    return this.#engine.execute(group).map((outcome) => {
      if ('error' in outcome) throw outcome.error
      return outcome.value
    })
  }
}
