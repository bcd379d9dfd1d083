// What was acknowledged reaches the device once and in order, though the server is killed between acknowledgements.

import { expect, test } from 'bun:test'
import type { Client } from '../../src/client/node.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { deviceClient, enrolDevice, type EnrolledDevice, messageId } from '../support/device-client.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'

const kills = process.env['SEALWIRE_LONG'] === '1' ? 25 : 4
const perLife = 60
const limits = { ...liftedRates, messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 }

/** What a device has stored for good, as an application does: what is new, with the place up to which it has all. */
class Device {
  readonly texts: string[] = []
  readonly seqs: number[] = []
  storedSeq = 0

  store(seq: number, place: number, text: string | undefined): void {
    if (seq <= this.storedSeq) return
    this.storedSeq = seq
    if (text === undefined) return
    this.texts.push(text)
    this.seqs.push(place)
  }
}

test(
  `${kills} kills of the server between acknowledgements: every message arrives once, in one order, on every device`,
  async () => {
    using folder = new StoreFolder()
    let server = await ServerProcess.start({ data: folder.path, limits })
    try {
      const alice = await enrolDevice(server, 'alice')
      const bobs = [await enrolDevice(server, 'bob'), await enrolDevice(server, 'bob', false)]
      const stored = bobs.map(() => new Device())
      await introduce(server, alice, bobs)
      const acknowledged: string[] = []
      for (let life = 0; life <= kills; life++) {
        const isLast = life === kills
        const readers = bobs.map((bob, index) => read(server, bob, stored[index] as Device, isLast ? (life + 1) * perLife : Infinity))
        const killing = isLast ? undefined : { server, after: Math.floor(perLife / 2) }
        acknowledged.push(...(await talk(server, alice, `life ${life}`, killing)))
        if (!isLast) {
          await Promise.all(readers)
          server = await ServerProcess.start({ data: folder.path, limits })
          acknowledged.push(...(await talkAgain(server, alice)))
        } else await Promise.all(readers)
      }
      expect(acknowledged.length).toBe((kills + 1) * perLife)
      for (const { texts, seqs } of stored) {
        expect(texts).toEqual(acknowledged)
        expect(seqs).toEqual(seqs.toSorted((one, other) => one - other))
      }
    } finally {
      await server[Symbol.asyncDispose]()
    }
  },
  (kills + 1) * 30_000,
)

/** What was asked for and never answered: it is asked for again, with the same ids. */
const unanswered: { id: Uint8Array; text: string }[] = []

/** Says `perLife` things one after the other; answers those that were acknowledged. In the middle the server is killed. */
async function talk(
  place: ServerProcess,
  device: EnrolledDevice,
  life: string,
  killing?: { server: ServerProcess; after: number },
): Promise<string[]> {
  const client = await deviceClient(place, device)
  const acknowledged: string[] = []
  for (let index = 0; index < perLife; index++) {
    if (index === killing?.after) killing.server.signal('SIGKILL')
    const said = { id: messageId(), text: `${life}, ${index}` }
    if (await say(client, said)) acknowledged.push(said.text)
    else unanswered.push(said)
  }
  client.close()
  return acknowledged
}

async function talkAgain(place: ServerProcess, device: EnrolledDevice): Promise<string[]> {
  const client = await deviceClient(place, device)
  const acknowledged: string[] = []
  for (const said of unanswered.splice(0)) {
    expect(await say(client, said)).toBe(true)
    acknowledged.push(said.text)
  }
  await client.drain()
  return acknowledged
}

async function say(client: Client, { id, text }: { id: Uint8Array; text: string }): Promise<boolean> {
  try {
    await client.request('message.send', { to: 'bob', id, body: Buffer.from(text) })
    return true
  } catch (reason) {
    if (SealwireError.is(reason)) return false
    throw reason
  }
}

/** Stores what comes, and acknowledges some of it, until the connection is lost or `wanted` texts are there. */
async function read(place: ServerProcess, device: EnrolledDevice, stored: Device, wanted: number): Promise<void> {
  const client = await deviceClient(place, device)
  const events = client.events()
  try {
    await client.request('inbox.open', { after: stored.storedSeq })
    while (stored.texts.length < wanted) {
      const { value } = await events.next()
      if (value?.event !== 'inbox.entry') continue
      const { seq, entry } = value.data
      stored.store(seq, entry.seq, entry.kind === 'message' ? Buffer.from(entry.body ?? []).toString() : undefined)
      if (seq % 7 === 0) void client.request('inbox.ack', { seq }).catch(() => {})
    }
    await client.drain()
  } catch (reason) {
    if (!SealwireError.is(reason)) throw reason
  }
}

async function introduce(place: ServerProcess, alice: EnrolledDevice, bobs: readonly EnrolledDevice[]): Promise<void> {
  const one = await deviceClient(place, alice)
  const others = await Promise.all(bobs.map((bob) => deviceClient(place, bob)))
  for (const other of others) await other.request('inbox.open', {})
  await one.request('contact.request', { name: 'bob', id: messageId() })
  await others[0]?.request('contact.accept', { name: 'alice' })
  for (const client of [one, ...others]) await client.drain()
}
