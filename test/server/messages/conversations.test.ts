import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Conversations, type ConversationsParts } from '../../../src/server/messages/conversations.ts'
import { settle } from '../../support/manual-clock.ts'
import { rejectionOf } from '../../support/refusal.ts'

/** Searches in a store that answers when it is told to. */
class Scene {
  /** The accounts whose searches the store has, and what lets it answer each. */
  readonly begun: { readonly accountId: bigint; readonly answer: () => void }[] = []
  readonly #conversations: Conversations

  constructor(limits: { searchesAtOnceMax: number; searchQueueMax: number }) {
    const run = async (_name: string, { accountId }: { accountId: bigint }) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.begun.push({ accountId, answer: resolve })
      await promise
      return { entries: [], more: false, upTo: 0n }
    }
    const parts = { store: { run }, clock: { now: () => 1 }, limits: { ...resolveLimits(), ...limits } }
    this.#conversations = new Conversations(parts as unknown as ConversationsParts)
  }

  search(id: bigint, signal?: AbortSignal) {
    return this.#conversations.search({ id } as Parameters<Conversations['search']>[0], { text: 'x', max: 1n, bytesMax: 1n }, { signal })
  }

  get accounts(): readonly bigint[] {
    return this.begun.map(({ accountId }) => accountId)
  }
}

describe('search', () => {
  test('is carried out one at a time for an account, and few at a time for all', async () => {
    const scene = new Scene({ searchesAtOnceMax: 2, searchQueueMax: 9 })
    const all = [1n, 1n, 2n, 3n].map((id) => scene.search(id))
    await settle()
    expect(scene.accounts).toEqual([1n, 2n])
    for (let each = 0; each < 4; each++) {
      scene.begun[each]?.answer()
      await settle()
    }
    expect(new Set(scene.accounts)).toEqual(new Set([1n, 2n, 3n]))
    expect(scene.accounts).toHaveLength(4)
    await Promise.all(all)
  })

  test('is refused when too many wait, and given up when its connection ends', async () => {
    const scene = new Scene({ searchesAtOnceMax: 1, searchQueueMax: 1 })
    const hangUp = new AbortController()
    const first = scene.search(1n)
    const given = rejectionOf(scene.search(2n, hangUp.signal))
    await settle()
    expect(await rejectionOf(scene.search(3n))).toBe('busy')
    hangUp.abort()
    expect(await given).toBe('connection_lost')
    const next = scene.search(3n)
    scene.begun[0]?.answer()
    await first
    await settle()
    expect(scene.accounts).toEqual([1n, 3n])
    scene.begun[1]?.answer()
    await next
  })
})
