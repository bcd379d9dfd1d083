// Alice and Bob, who say numbered messages to each other without a pause, and Bob's desk, a device of his that has no direct link.

import { expect } from 'bun:test'
import type { PeerProcess, Told } from '../support/direct-peer-process.ts'
import type { DirectWorld } from './direct-world.ts'

type Way = 'direct' | 'relayed'

/** What was said, by Alice and by Bob. */
export interface TalkFigures {
  readonly said: readonly number[]
  /** How many of these came directly. */
  readonly direct: readonly number[]
}

export class Talk {
  readonly #speakers: readonly [alice: PeerProcess, bob: PeerProcess]
  readonly #desk: PeerProcess

  private constructor(speakers: readonly [PeerProcess, PeerProcess], desk: PeerProcess) {
    this.#speakers = speakers
    this.#desk = desk
  }

  static async begin(world: DirectWorld): Promise<Talk> {
    const [alice, bob] = await world.pair()
    await world.addDevice('bob', 'desk')
    const talk = new Talk([alice, bob], await world.peer('desk', { direct: false }))
    await alice.ask({ do: 'speak', to: 'bob', prefix: 'alice', everyMs })
    await bob.ask({ do: 'speak', to: 'alice', prefix: 'bob', everyMs })
    return talk
  }

  /** Each of them hears so many more messages that come this way. */
  async heardEach(way: Way, count: number): Promise<void> {
    await this.#each(async (peer, other) => {
      const heard = (): number => peer.messagesOf(other.name).filter((item) => item.way === way).length
      const before = heard()
      await peer.until(`${count} more messages, ${way}`, () => heard() >= before + count)
    })
  }

  /** Cuts something, or restores it: how long until the last of the two says that this is the way, in ms. */
  async after(act: () => Promise<void>, way: Way): Promise<number> {
    const known = this.#speakers.map((peer) => peer.events.length)
    await act()
    const from = Date.now()
    const changes = await this.#each(async (peer, other, index) => {
      const change = (): Told | undefined =>
        peer.events.slice(known[index]).find((told) => told.event === 'way' && told.name === other.name && told.way === way)
      await peer.until(`the way to ${other.name} is ${way}`, () => change() !== undefined)
      return (change()?.at ?? 0) - from
    })
    return Math.max(...changes)
  }

  /** What the desk does not have of what Alice has said to Bob. */
  get missing(): number {
    const [, bob] = this.#speakers
    return bob.messagesOf('alice').length - this.#desk.messagesOf('alice').length
  }

  /** They hush; then everything is everywhere, once and in its order. */
  async end(): Promise<TalkFigures> {
    const said = await this.#each((peer) => peer.ask<number>({ do: 'hush' }))
    expect(await this.#each((peer) => peer.ask({ do: 'settle' }))).toEqual(said.map((stored) => ({ stored, refusals: [] })))
    const [alice, bob] = this.#speakers
    const texts = said.map((count, who) => Array.from({ length: count }, (_, index) => `${who === 0 ? 'alice' : 'bob'} ${index}`))
    const heard: readonly (readonly [PeerProcess, from: string, texts: readonly string[] | undefined])[] = [
      [bob, 'alice', texts[0]],
      [alice, 'bob', texts[1]],
      [this.#desk, 'alice', texts[0]],
      [this.#desk, 'bob', texts[1]],
    ]
    for (const [peer, from, all = []] of heard) {
      const missing = (): readonly string[] => withoutThose(all, peer.messagesOf(from))
      await peer
        .until(`nothing is missing of ${from}`, () => missing().length === 0)
        .catch((reason: unknown) => {
          throw new Error(`${from} has said ${all.length}, and ${peer.name} lacks ${missing().join(', ')}`, { cause: reason })
        })
    }
    const direct = await this.#each((peer, other) => this.#placed(peer, other))
    for (const [peer, from, all] of heard) expect(peer.messagesOf(from).map(({ text }) => text)).toEqual([...(all ?? [])])
    const places = this.#desk.all('item').map(({ seq }) => seq)
    expect(places).toEqual(places.toSorted((one, other) => one - other))
    return { said, direct: direct.toReversed() }
  }

  /** All that came directly has the place that the server has given it. Resolves with how much it was. */
  async #placed(peer: PeerProcess, { name }: PeerProcess): Promise<number> {
    const direct = peer.messagesOf(name).filter(({ way }) => way === 'direct')
    const seqs = (): ReadonlyMap<string, number> => new Map(peer.all('placed').map(({ id, seq }) => [id, seq]))
    await peer.until('all have a place', () => direct.every(({ id }) => seqs().has(id)))
    const places = new Map(this.#desk.messagesOf(name).map(({ id, seq }) => [id, seq]))
    expect(direct.map(({ id }) => seqs().get(id))).toEqual(direct.map(({ id }) => places.get(id)))
    return direct.length
  }

  #each<T>(act: (peer: PeerProcess, other: PeerProcess, index: number) => Promise<T>): Promise<T[]> {
    const [alice, bob] = this.#speakers
    return Promise.all([act(alice, bob, 0), act(bob, alice, 1)])
  }
}

function withoutThose(texts: readonly string[], heard: readonly Told<'item'>[]): readonly string[] {
  const known = new Set(heard.map(({ text }) => text))
  return texts.filter((text) => !known.has(text))
}

const everyMs = 50
