// Load of chats over the contract: PAIRS pairs of clients over TLS, in each of which one says BYTES bytes to the other, with
// DEPTH chat.say that have no result yet. Prints what was delivered (chat.said) and acknowledged (Result) per second, and the
// time from chat.say to chat.said. The first 0.7 s after all pairs are talking are not counted.
//
//   node bin/bun.mjs bench/contract-relay.ts PORT PAIRS BYTES DEPTH SECONDS
//
// The server on 127.0.0.1 needs the limits of a load test: `npm start -- PORT --registration open --config bench/server.toml`.
// While they talk the clients send frames made beforehand, so that this process costs less than the server; its certificate is
// not looked at. Accounts have no password: no hash is computed.

import { crc32 } from 'node:zlib'
import { systemClock } from '../src/domain/index.ts'
import { applicationProtocol, type DialledLink, dialTls, Flusher, type LinkEnd, type LinkReceiver } from '../src/link/index.ts'
import { encodeFrame, FrameDecoder, type Packet, resolveLimits } from '../src/protocol/index.ts'
import {
  contractCommands,
  encodeHello,
  encodeRequest,
  type Method,
  type Params,
  parseEvent,
  parseFault,
} from '../src/protocol/contract/index.ts'

const commandOf = contractCommands
const values = process.argv.slice(2).map(Number)
const [port = 0, pairs = 0, bytes = 0, depth = 0, seconds = 0] = values
if (values.length !== 5 || values.some((value) => !(value > 0))) fail('usage: contract-relay.ts PORT PAIRS BYTES DEPTH SECONDS')

const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }
const checksum = (all: Uint8Array, start: number, end: number): number => crc32(all.subarray(start, end))
/** One for each place in the window; an id is used again once it is answered. */
const says = Array.from({ length: depth }, (_, id) => requestFrame(id, 'chat.say', { body: new Uint8Array(bytes).fill(0x6d) }))
const tally = { delivered: 0, acknowledged: 0, refused: 0, latencies: [] as number[], talking: 0 }
const everybodyTalks = Promise.withResolvers<void>()

/** One of a pair: logs in, the caller asks and the other accepts, and then the caller talks. */
class Talker implements LinkReceiver {
  readonly name: string
  readonly isCaller: boolean
  peer: Talker | undefined
  isReady = false
  readonly #link: DialledLink
  readonly #decoder = new FrameDecoder({ checksum })
  readonly #sentAt: number[] = []
  #said = 0
  #isTalking = false

  constructor(link: DialledLink, name: string, isCaller: boolean) {
    this.#link = link
    this.name = name
    this.isCaller = isCaller
    link.attach(this)
    link.send(encodeFrame(commandOf.hello, encodeHello({ versions: [1], client: 'contract-relay' })))
    link.send(requestFrame(0, 'account.register', { name }))
  }

  received(read: Uint8Array): void {
    this.#decoder.push(read)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#packet(packet)
  }

  drained(): void {}

  closed(end: LinkEnd): void {
    fail(`the connection of ${this.name} is over: ${end}`)
  }

  call(): void {
    this.#link.send(requestFrame(0, 'chat.request', { name: this.peer?.name ?? '' }))
  }

  /** When what the other side has just been told was said. */
  takeSentAt(): number {
    return this.#sentAt.shift() ?? fail('a message arrived twice')
  }

  #packet(packet: Packet): void {
    if (packet.command === commandOf.fault) return this.#refused(packet)
    if (this.#isTalking) return packet.command === commandOf.event ? this.#delivered(packet) : this.#acknowledged()
    if (packet.command === commandOf.event) return this.#prepared(parseEvent(packet.body)?.event)
    if (packet.command === commandOf.result && !this.isReady) this.#loggedIn()
  }

  #loggedIn(): void {
    this.isReady = true
    const { peer } = this
    if (peer?.isReady === true) (this.isCaller ? this : peer).call()
  }

  #prepared(event: string | undefined): void {
    if (event === 'chat.requested') this.#link.send(requestFrame(0, 'chat.accept', {}))
    if (event !== 'chat.begun') return
    // The other side has yet to hear the result of chat.accept.
    this.#isTalking = true
    if (++tally.talking === 2 * pairs) everybodyTalks.resolve()
    if (this.isCaller) for (let open = 0; open < depth; open++) this.#say()
  }

  #say(): void {
    this.#link.send(says[this.#said++ % depth] ?? fail('no frame'))
    this.#sentAt.push(performance.now())
  }

  #delivered({ body }: Packet): void {
    if (body.length < bytes || this.peer === undefined) fail('something else than what was said arrived')
    tally.delivered++
    tally.latencies.push(performance.now() - this.peer.takeSentAt())
  }

  #acknowledged(): void {
    if (!this.isCaller) return
    tally.acknowledged++
    this.#say()
  }

  #refused({ body }: Packet): void {
    const { code, sentence } = parseFault(body)
    if (++tally.refused > 3) fail(`refused: ${code}: ${sentence}`)
    console.error(`${this.name} was refused: ${code}: ${sentence}`)
  }
}

await connectAll()
await everybodyTalks.promise
await pause(700)
Object.assign(tally, { delivered: 0, acknowledged: 0, latencies: [] })
const startedAt = performance.now()
await pause(seconds * 1000)
report((performance.now() - startedAt) / 1000)
process.exit()

async function connectAll(): Promise<void> {
  const run = Math.floor(Date.now() % 0x100_0000).toString(36)
  for (let at = 0; at < pairs; at += 25)
    await Promise.all(Array.from({ length: Math.min(25, pairs - at) }, (_, index) => pair(at + index, run)))
}

async function pair(index: number, run: string): Promise<void> {
  const [near, far] = await Promise.all([dial(), dial()])
  const caller = new Talker(near, `a${index}x${run}`, true)
  const callee = new Talker(far, `b${index}x${run}`, false)
  caller.peer = callee
  callee.peer = caller
}

function dial(): Promise<DialledLink> {
  const options = { host: '127.0.0.1', port, timeoutMs: 60_000, applicationProtocol, dangerouslySkipVerification: true }
  return dialTls(options, context)
}

function requestFrame<M extends Method>(id: number, method: M, params: Params<M>): Uint8Array {
  return encodeFrame(commandOf.request, encodeRequest(id, method, params))
}

function report(counted: number): void {
  const latencies = Float64Array.from(tally.latencies).sort()
  const percentile = (share: number) => ((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000).toFixed(0)
  const perSecond = (count: number) => (count / counted).toFixed(0)
  console.log(
    `delivered/s=${perSecond(tally.delivered)} acked/s=${perSecond(tally.acknowledged)} ` +
      `p50us=${percentile(0.5)} p99us=${percentile(0.99)} refused=${tally.refused}`,
  )
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function fail(why: string): never {
  console.error(`contract-relay: ${why}`)
  process.exit(1)
}
