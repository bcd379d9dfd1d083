// The load of durable-load.ts for an MQTT 3.1.1 broker: the same pairs, QoS 1 on both sides, sessions that outlive their
// connection (clean session off), so that the broker has to keep what it has acknowledged.
//
//   node bin/bun.mjs bench/durable-mqtt.ts PORT SERVER_PID SENDERS DEPTH SECONDS [BYTES]

import { systemClock } from '../src/domain/index.ts'
import { type DialledLink, dialTls, Flusher, type LinkEnd, type LinkReceiver } from '../src/link/index.ts'
import { resolveLimits } from '../src/protocol/index.ts'
import { Counts, fail, measure } from './load.ts'

const [port = 0, serverPid = 0, senders = 0, depth = 0, seconds = 0, payloadBytes = 64] = process.argv.slice(2).map(Number)
if (!(seconds > 0)) fail('usage: durable-mqtt.ts PORT SERVER_PID SENDERS DEPTH SECONDS [BYTES]')

const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }
const counts = new Counts()
const payload = Buffer.alloc(payloadBytes, 0x6d)
/** Headers: type and flags (MQTT 3.1.1 §2.2). */
const type = { connect: 0x10, connack: 0x20, publish: 0x32, puback: 0x40, subscribe: 0x82, suback: 0x90 } as const
const packetIdMax = 60_000
const incomplete = { start: 0, end: Number.POSITIVE_INFINITY } as const

class Client implements LinkReceiver {
  readonly name: string
  readonly sentAt: number[] = []
  /** Whose messages arrive here. */
  from: Client | undefined
  readonly #link: DialledLink
  #unread: Buffer = Buffer.alloc(0)
  #answer: (() => void) | undefined
  #unanswered: number[] = []
  #packetId = 0
  #topic = ''

  constructor(link: DialledLink, name: string) {
    this.#link = link
    this.name = name
    link.attach(this)
  }

  received(read: Uint8Array): void {
    this.#unread = this.#unread.length === 0 ? Buffer.from(read) : Buffer.concat([this.#unread, read])
    let at = 0
    for (let body = this.#bodyAt(at); body.end <= this.#unread.length; body = this.#bodyAt(at)) {
      this.#packet(this.#unread.readUInt8(at), this.#unread.subarray(body.start, body.end))
      at = body.end
    }
    this.#unread = this.#unread.subarray(at)
  }

  drained(): void {}

  closed(end: LinkEnd): void {
    fail(`the connection of ${this.name} is over: ${end}`)
  }

  /** Clean session off. */
  connect(): Promise<void> {
    return this.#ask(packet(type.connect, text('MQTT'), Buffer.of(4, 0, 0, 0), text(this.name)))
  }

  subscribe(topic: string): Promise<void> {
    return this.#ask(packet(type.subscribe, Buffer.of(0, 1), text(topic), Buffer.of(1)))
  }

  talk(topic: string): void {
    this.#topic = topic
    for (let open = 0; open < depth; open++) this.#say()
  }

  #ask(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#link.send(bytes)
    })
  }

  /** Where the body of the packet at `at` is. Its length has a byte or two: nothing here is longer than 16 KiB. */
  #bodyAt(at: number): { readonly start: number; readonly end: number } {
    if (at + 2 > this.#unread.length) return incomplete
    const first = this.#unread.readUInt8(at + 1)
    if (first < 128) return { start: at + 2, end: at + 2 + first }
    if (at + 3 > this.#unread.length) return incomplete
    return { start: at + 3, end: at + 3 + (first & 127) + 128 * this.#unread.readUInt8(at + 2) }
  }

  #packet(header: number, body: Buffer): void {
    if (header === type.connack || header === type.suback) this.#answer?.()
    else if (header === type.puback) this.#accepted()
    else if (header >> 4 === type.publish >> 4) this.#delivered(body)
  }

  #say(): void {
    this.#packetId = (this.#packetId % packetIdMax) + 1
    this.#link.send(packet(type.publish, text(this.#topic), Buffer.of(this.#packetId >> 8, this.#packetId & 0xff), payload))
    const now = performance.now()
    this.#unanswered.push(now)
    this.sentAt.push(now)
  }

  #accepted(): void {
    counts.accepted++
    counts.acceptMs.push(performance.now() - (this.#unanswered.shift() ?? fail('an answer too many')))
    this.#say()
  }

  #delivered(body: Buffer): void {
    const topicEnd = 2 + body.readUInt16BE(0)
    this.#link.send(packet(type.puback, body.subarray(topicEnd, topicEnd + 2)))
    counts.delivered++
    counts.deliveryMs.push(performance.now() - (this.from?.sentAt.shift() ?? fail('a message arrived twice')))
  }
}

const run = Math.floor(Date.now() % 0x100_0000).toString(36)
const pairs: { readonly sender: Client; readonly topic: string }[] = []
for (let index = 0; index < senders; index++) pairs.push(await pair(index))
for (const { sender, topic } of pairs) sender.talk(topic)
await measure(counts, serverPid, seconds)

async function pair(index: number): Promise<{ readonly sender: Client; readonly topic: string }> {
  const [sender, receiver] = await Promise.all([arrive(`a${index}x${run}`), arrive(`b${index}x${run}`)])
  const topic = `t/${receiver.name}`
  await receiver.subscribe(topic)
  receiver.from = sender
  return { sender, topic }
}

async function arrive(name: string): Promise<Client> {
  const options = { host: '127.0.0.1', port, timeoutMs: 60_000, dangerouslySkipVerification: true }
  const client = new Client(await dialTls(options, context), name)
  await client.connect()
  return client
}

function packet(header: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7]
  if (body.length >= 128 ** 2) fail('a packet is longer than two bytes say')
  return Buffer.concat([Buffer.of(header, ...length), body])
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(0, value.length), Buffer.from(value)])
}
