// Load of durable messages over the contract and TLS: SENDERS accounts, each of which says 64 bytes at a time to one other
// account (or, as `room`, to a room of MEMBERS), with DEPTH message.send that have no result yet. Everybody has an open inbox
// and acknowledges it, after 50 entries or 100 ms. IDLE further accounts are here and say nothing.
//
//   node bin/bun.mjs bench/durable-load.ts PORT SERVER_PID SENDERS DEPTH SECONDS [MEMBERS [IDLE]]
//
// bench/durable.ts starts a server and this. While they talk the clients send frames made beforehand, into which only the id of
// the message is put; the certificate of the server is not looked at. Where it can be built, bench/native/contract_load.cpp does the
// talking of pairs, which costs a fourth of this: on two cores the load takes from the server what it uses itself.

import { randomFillSync } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { frameTrailerBytes, type Packet } from '../src/protocol/index.ts'
import { contractCommands, parseFault } from '../src/protocol/contract/index.ts'
import { Counts, fail, measure, storeWarmUpMs } from './load.ts'
import { dial, inSteps, LoadClient, newId, requestFrame, unsignedAt } from './load-client.ts'
import { nativeLoad, play } from './native.ts'
import { ackRequestId, encodePlan } from './plan.ts'

const [port = 0, serverPid = 0, senders = 0, depth = 0, seconds = 0, members = 0, idle = 0] = process.argv.slice(2).map(Number)
if (!(seconds > 0)) fail('usage: durable-load.ts PORT SERVER_PID SENDERS DEPTH SECONDS [MEMBERS [IDLE]]')

const bodyBytes = 64
const ackEntries = 50
const ackMs = 100
const counts = new Counts()
/** `["inbox.entry", {"seq": …`: where the number is. */
const entryHead = Buffer.from('\x82\x6binbox.entry\xa2\x63seq', 'latin1')
/** Version and variant, a counter, and what is random once: unique in this process, and by chance beside others. */
const idTail = randomFillSync(Buffer.alloc(10))
idTail[0] = 0x70
idTail[2] = 0x80

class Client extends LoadClient {
  readonly sentAt: number[] = []
  /** Whose messages arrive here. */
  from: Client | undefined
  #says: readonly Buffer[] = []
  #said = 0
  #unanswered: number[] = []
  #storedSeq = 0
  #ackedSeq = 0

  talk(conversation: number): void {
    this.#says = Array.from({ length: depth }, (_, at) => messageFrame(at, conversation))
    for (let open = 0; open < depth; open++) this.#say()
  }

  /** Tells the server what was stored since. */
  acknowledge(): void {
    if (this.#storedSeq === this.#ackedSeq) return
    this.#ackedSeq = this.#storedSeq
    this.send(requestFrame(ackRequestId, 'inbox.ack', { seq: this.#ackedSeq }))
  }

  protected packet({ command, body }: Packet): void {
    if (command === contractCommands.event) return this.#event(body)
    if (command === contractCommands.fault) fail(`${this.name} was refused: ${parseFault(body).sentence}`)
    if (unsignedAt(body, 1) !== ackRequestId) this.#accepted()
  }

  #say(): void {
    const frame = this.#says[this.#said++ % depth] ?? fail('no frame')
    putId(frame)
    this.send(frame)
    const now = performance.now()
    this.#unanswered.push(now)
    this.sentAt.push(now)
  }

  #accepted(): void {
    counts.accepted++
    counts.acceptMs.push(performance.now() - (this.#unanswered.shift() ?? fail('an answer too many')))
    this.#say()
  }

  #event(body: Uint8Array): void {
    if (Buffer.compare(body.subarray(0, entryHead.length), entryHead) !== 0) return
    const seq = unsignedAt(body, entryHead.length)
    if (this.#storedSeq > 0 && seq !== this.#storedSeq + 1) fail(`entry ${seq} came after ${this.#storedSeq}`)
    this.#storedSeq = seq
    if (seq - this.#ackedSeq >= ackEntries) this.acknowledge()
    if (this.from === undefined || this.from.sentAt.length === 0) return
    counts.delivered++
    counts.deliveryMs.push(performance.now() - (this.from.sentAt.shift() ?? 0))
  }
}

const run = Math.floor(Date.now() % 0x100_0000).toString(36)
await inSteps(idle, (index) => arrive(`c${index}x${run}`))
const everybody = members > 0 ? await openRoom() : await openPairs()
setInterval(() => {
  for (const client of everybody) client.acknowledge()
}, ackMs)
await measure(counts, serverPid, seconds, storeWarmUpMs)

async function openPairs(): Promise<readonly Client[]> {
  const program = nativeLoad()
  const pairs = await inSteps(senders, async (index) => {
    const [sender, receiver] = await Promise.all([arrive(`a${index}x${run}`), arrive(`b${index}x${run}`)])
    const { conversation } = await sender.request('contact.request', { name: receiver.name, id: newId() })
    await receiver.request('contact.accept', { name: sender.name })
    receiver.from = sender
    return { sender, receiver, conversation }
  })
  if (program !== undefined) await playPairs(program, pairs)
  for (const { sender, conversation } of pairs) sender.talk(conversation)
  return pairs.flatMap(({ sender, receiver }) => [sender, receiver])
}

interface Pair {
  readonly sender: Client
  readonly receiver: Client
  readonly conversation: number
}

/** The same as these pairs would do, by a program that costs less; ends the process. */
async function playPairs(program: string, pairs: readonly Pair[]): Promise<never> {
  const plan = pairs.flatMap(({ sender, receiver, conversation }, index) => {
    const frame = messageFrame(1, conversation)
    return [
      { token: sender.token, opensInbox: true, requests: [frame], idAt: idPlace(frame) },
      { token: receiver.token, opensInbox: true, from: 2 * index },
    ]
  })
  for (const { sender, receiver } of pairs) for (const client of [sender, receiver]) client.leave()
  console.log(await play(program, [port, serverPid, depth, seconds, storeWarmUpMs], encodePlan(plan)))
  process.exit()
}

/** Times of delivery are those of one of the others; they are all alike. */
async function openRoom(): Promise<readonly Client[]> {
  const sender = await arrive(`a0x${run}`)
  const { conversation } = await sender.request('room.create', { id: newId(), title: 'Load' })
  const { secret } = await sender.request('room.link', { conversation, uses: members })
  const others = await inSteps(members - 1, async (index) => {
    const other = await arrive(`b${index}x${run}`)
    await other.request('room.join', { secret })
    return other
  })
  const [first] = others
  if (first !== undefined) first.from = sender
  sender.talk(conversation)
  return [sender, ...others]
}

async function arrive(name: string): Promise<Client> {
  const client = new Client(await dial(port), name)
  await client.enter()
  await client.request('inbox.open', {})
  return client
}

function messageFrame(requestId: number, conversation: number): Buffer {
  const id = Buffer.alloc(16, 0xa5)
  const body = new Uint8Array(bodyBytes).fill(0x6d)
  return Buffer.from(requestFrame(requestId, 'message.send', { conversation, id, body }))
}

/** A fresh UUID of version 7 in the place of the one that is there. The longest keys come last: id is the first parameter. */
function putId(frame: Buffer): void {
  const at = idPlace(frame)
  idTail.writeUInt32BE((idTail.readUInt32BE(6) + 1) >>> 0, 6)
  frame.writeUIntBE(Date.now(), at, 6)
  idTail.copy(frame, at + 6)
  const end = frame.length - frameTrailerBytes
  frame.writeUInt32BE(crc32(frame.subarray(0, end)), end)
}

/** Behind `"id"` and the head of 16 bytes. */
function idPlace(frame: Buffer): number {
  const at = frame.indexOf('\x62id\x50', 0, 'latin1')
  return at < 0 ? fail('a frame without an id') : at + 4
}
