import { describe, expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import { EntryFrame } from '../../../src/server/messages/entry-frame.ts'
import { FanOut } from '../../../src/server/messages/fan-out.ts'
import type { Delivery } from '../../../src/store/index.ts'
import { ServerStage } from '../../support/server-stage.ts'
import { here, messageId, nextEntries, talker } from '../../support/talkers.ts'
import { storedMessage } from '../stored-message.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const many = (count: number, inboxSeq: bigint): readonly Delivery[] =>
  Array.from({ length: count }, (_, index) => ({ accountId: BigInt(index), inboxSeq }))

describe('a fan-out', () => {
  test('hands out a bounded part in each turn of the loop, to everybody, in the order of the entries', async () => {
    const handed: Delivery[] = []
    const fanOut = new FanOut({ entriesMax: 9, hand: (delivery) => handed.push(delivery) > 0, missed: () => expect.unreachable() })
    const [long, short] = [new EntryFrame(storedMessage(60_000)), new EntryFrame(storedMessage(10))]
    fanOut.push(many(100, 1n), long)
    fanOut.push(many(1_000, 2n), short)
    const first = handed.length
    const turns: number[] = []
    for (let before = 0; handed.length < 1_100; before = handed.length) {
      expect(turns.length).toBeLessThan(1_000)
      await turn()
      turns.push(handed.length - before)
    }
    // Half a mebibyte of the long ones.
    expect(first).toBeGreaterThan(3)
    expect(first).toBeLessThan(20)
    expect(turns.length).toBeGreaterThan(5)
    expect(Math.max(...turns)).toBeLessThan(1_000)
    expect(handed).toEqual([...many(100, 1n), ...many(1_000, 2n)])
  })

  test('spends next to nothing on those who are not here', () => {
    let handed = 0
    const fanOut = new FanOut({ entriesMax: 9, hand: () => handed++ < 0, missed: () => expect.unreachable() })
    fanOut.push(many(5_000, 1n), new EntryFrame(storedMessage(60_000)))
    expect(handed).toBe(5_000)
  })

  test('shares the room of one turn among all entries of it', async () => {
    const handed: bigint[] = []
    const hand = ({ inboxSeq }: Delivery) => handed.push(inboxSeq) > 0
    const fanOut = new FanOut({ entriesMax: 1_000, hand, missed: () => expect.unreachable() })
    for (let seq = 1n; seq <= 500n; seq++) fanOut.push(many(10, seq), new EntryFrame(storedMessage(10_000)))
    expect(handed.length).toBeLessThan(200)
    while (handed.length < 5_000) await turn()
    expect(handed).toEqual(handed.toSorted((one, other) => Number(one - other)))
  })

  test('keeps so many entries and no more, and says afterwards, once, that somebody missed something', async () => {
    const handed: bigint[] = []
    let missed = 0
    const hand = ({ inboxSeq }: Delivery) => handed.push(inboxSeq) > 0
    const fanOut = new FanOut({ entriesMax: 2, hand, missed: () => missed++ })
    for (let seq = 1n; seq <= 5n; seq++) fanOut.push(many(50, seq), new EntryFrame(storedMessage(60_000)))
    expect(missed).toBe(0)
    while (missed === 0) await turn()
    expect(handed).toEqual([...Array<bigint>(50).fill(1n), ...Array<bigint>(50).fill(2n)])
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(missed).toBe(1)
  })
})

describe('a room of many', () => {
  test('is told of a change that was read once, and not by each', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 })
    const { alice, conversation, peers } = await crowd(stage, 20)
    for (const peer of peers) await peer.arrived()
    let reads = 0
    stage.before.set('inbox.read', async () => void reads++)
    await alice.ask('room.update', { conversation, topic: 'new' })
    const last = await Promise.all(peers.map(async (peer) => (await nextEntries(peer, 1))[0]?.entry))
    expect(last.map((entry) => entry?.topic)).toEqual(peers.map(() => 'new'))
    expect(reads).toBe(1)
    // What cannot be read is read again, by each.
    stage.before.set('inbox.read', async () => {
      stage.before.delete('inbox.read')
      throw new SealwireError('unavailable', 'the store has failed')
    })
    await alice.ask('room.update', { conversation, topic: 'newer' })
    const next = await Promise.all(peers.map(async (peer) => (await nextEntries(peer, 1))[0]?.entry))
    expect(next.map((entry) => entry?.topic)).toEqual(peers.map(() => 'newer'))
  })

  for (const fanOutEntriesMax of [64, 1]) {
    test(`brings long messages to everybody once and in order, with room for ${fanOutEntriesMax} on their way`, async () => {
      using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000, fanOutEntriesMax })
      const { alice, conversation, peers } = await crowd(stage, 30)
      await Promise.all(peers.map((peer) => peer.arrived()))
      let reads = 0
      stage.before.set('inbox.read', async () => void reads++)
      // Long and short by turns: what is short must not overtake.
      const sent = Array.from({ length: 12 }, (_, index) => new Uint8Array(index % 2 === 0 ? 50_000 : 5).fill(index + 1))
      for (const body of sent) alice.send('message.send', { conversation, id: messageId(), body })
      await stage.clock.move(10_000)
      for (const peer of peers) {
        const arrived: number[] = []
        while (arrived.length < sent.length) {
          const [next] = await nextEntries(peer, 1)
          const { kind, body } = next?.entry ?? {}
          if (kind !== 'message' || body === undefined) continue
          expect(body.every((byte) => byte === body[0])).toBe(true)
          arrived.push(body[0] ?? 0)
        }
        expect(arrived).toEqual(sent.map((_, index) => index + 1))
      }
      // For what there was no room, they have asked the store.
      expect(reads > 0).toBe(fanOutEntriesMax === 1)
    }, 60_000)
  }
})

/** Alice's room, with so many others who have their inbox open. */
async function crowd(stage: ServerStage, others: number) {
  const alice = await here(stage, talker(stage, 'alice'))
  const { conversation } = await alice.ask('room.create', { id: messageId(), title: 'Crowd' })
  const { secret } = await alice.ask('room.link', { conversation })
  const peers = []
  for (let index = 0; index < others; index++) {
    const peer = await here(stage, talker(stage, `b${index}`))
    await peer.ask('room.join', { secret })
    await peer.ask('inbox.open', {})
    peers.push(peer)
  }
  return { alice, conversation, peers }
}
