// Accounts in a store that lives in memory, and what tests of conversations do again and again.

import { createHash } from 'node:crypto'
import { decodeCbor } from '../../../../src/protocol/contract/cbor.ts'
import { type Code, type Limits, resolveLimits } from '../../../../src/protocol/index.ts'
import { inMemory, type OperationName, openInProcessStore } from '../../../../src/store/index.ts'
import type { Input, Output, SynchronousStore } from '../../../../src/store/store.ts'
import { newAccount } from '../../../compliance/store-subject.ts'
import { refusalOf } from '../../../support/refusal.ts'

export class Stage implements Disposable {
  readonly store: SynchronousStore
  /** The moment at which everything happens. */
  at = 1_000n

  /** `accounts` get the numbers from 1 and the names a1, a2, …; each has two devices unless `devices` says otherwise. */
  constructor(
    accounts: number,
    limits: Partial<Limits> = {},
    { folder = inMemory, devices = 2 }: { folder?: string; devices?: number } = {},
  ) {
    this.store = openInProcessStore(folder, { ...resolveLimits(), diskBytesFreeMin: 0, ...limits })
    for (let number = 1; number <= accounts; number++) {
      const { id: accountId } = this.store.run('account.create', newAccount(`a${number}`))
      for (let device = 1; device <= devices; device++) this.run('inbox.open', { accountId, device: `d${number}.${device}`, at: 0n })
    }
  }

  run<N extends OperationName>(name: N, input: Input<N>): Output<N> {
    return this.store.run(name, input)
  }

  /** The code with which it is refused; undefined when it is not. */
  codeOf(action: () => unknown): Code | undefined {
    return refusalOf(action)
  }

  /** Who does it, on which device, when, under a fresh id. */
  act(accountId: bigint): { readonly accountId: bigint; readonly device: string; readonly at: bigint; readonly id: Uint8Array } {
    return { accountId, device: `d${accountId}.1`, at: this.at, id: this.id() }
  }

  /** Fresh, or always the same for a name. */
  id(name: string = crypto.randomUUID()): Uint8Array {
    return new Uint8Array(createHash('sha256').update(name).digest().subarray(0, 16))
  }

  befriend(...pairs: readonly (readonly [bigint, bigint])[]): void {
    for (const [a, b] of pairs) this.run('contact.add', { a, b, at: this.at })
  }

  room(owner: bigint, other: Partial<Input<'room.create'>> = {}): bigint {
    const input = { ...this.act(owner), title: 'room', topic: '', announcement: false, history: 'joined', ...other } as const
    return this.run('room.create', input).conversationId
  }

  /** Lets accounts in by a link that `by` makes. */
  admit(conversationId: bigint, by: bigint, ...accounts: readonly bigint[]): void {
    const hash = crypto.getRandomValues(new Uint8Array(32))
    const uses = BigInt(accounts.length)
    this.run('room.link', { ...this.act(by), conversationId, hash, uses, expiresAt: this.at + 1n })
    for (const accountId of accounts) this.run('room.join', { ...this.act(accountId), hash })
  }

  say(accountId: bigint, conversationId: bigint, words: string, other: Partial<Input<'entry.post'>> = {}): Output<'entry.post'> {
    const body = new TextEncoder().encode(words)
    return this.run('entry.post', { ...this.act(accountId), conversationId, kind: 'message', type: 'text/plain', body, ...other })
  }

  /** What the entries of an inbox say, oldest first. */
  inbox(accountId: bigint): readonly unknown[] {
    const { entries } = this.run('inbox.read', { accountId, after: 0n, max: 1_000n, bytesMax: 10_000_000n })
    return entries.map(({ entry }) => (entry.data === undefined ? entry.kind : decodeCbor(entry.data)))
  }

  /** `name:role` of everybody in a room, `name:invited` of who is not yet. */
  members(accountId: bigint, conversationId: bigint): readonly string[] | undefined {
    const members = this.run('room.members', { accountId, conversationId, after: '', max: 10_000n })
    return members?.map(({ account, role, invited }) => `${account.key}:${invited ? 'invited' : role}`)
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]()
  }
}
