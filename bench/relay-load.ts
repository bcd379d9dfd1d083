// Load of a relay over TLS: PAIRS of two connections each, of which one keeps DEPTH messages of BYTES on their way to the other, and
// the server acknowledges each. `magc`: the classic dialect of Sealwire. `nats`: NATS, verbose. For MQTT there is durable-mqtt.ts.
//
//   node bin/bun.mjs bench/relay-load.ts PORT SERVER_PID magc|nats PAIRS BYTES DEPTH SECONDS

import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import { crc32 } from 'node:zlib'
import { type DialledLink, dialTls, Flusher, type LinkEnd, type LinkReceiver } from '../src/link/index.ts'
import { systemClock } from '../src/domain/index.ts'
import { classicCommands, encodeFrame, FrameDecoder, type Packet, resolveLimits } from '../src/protocol/index.ts'
import { Counts, fail, measure } from './load.ts'

const [port = 0, serverPid = 0, , pairs = 0, bytes = 0, depth = 0, seconds = 0] = process.argv.slice(2).map(Number)
const protocol = process.argv[4]
if (!(seconds > 0)) fail('usage: relay-load.ts PORT SERVER_PID magc|nats PAIRS BYTES DEPTH SECONDS')

const counts = new Counts()
const payload = Buffer.alloc(bytes, 0x6d)
const warmUpMs = 1_500
const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }

/** One end of a pair. The sender says something again for each acknowledgement. */
abstract class Talker {
  #sentAt: number[] = []

  /** Resolves when what this one says arrives at `receiver`. */
  abstract meet(receiver: Talker): Promise<void>

  start(): void {
    for (let open = 0; open < depth; open++) this.#say()
  }

  protected abstract say(): void

  protected acknowledged(): void {
    counts.accepted++
    counts.acceptMs.push(performance.now() - (this.#sentAt.shift() ?? fail('an answer too many')))
    this.#say()
  }

  #say(): void {
    this.#sentAt.push(performance.now())
    this.say()
  }
}

class Classic extends Talker implements LinkReceiver {
  readonly #name: string
  readonly #link: DialledLink
  readonly #decoder = new FrameDecoder({ checksum: (all, start, end) => crc32(all.subarray(start, end)) })
  readonly #frame = encodeFrame(classicCommands.message, payload)
  #answered: (() => void) | undefined

  static async arrive(name: string): Promise<Classic> {
    const options = { host: '127.0.0.1', port, timeoutMs: 60_000, dangerouslySkipVerification: true }
    const talker = new Classic(await dialTls(options, context), name)
    await talker.#ask(classicCommands.register, `${name}:correct-horse-battery`)
    return talker
  }

  constructor(link: DialledLink, name: string) {
    super()
    this.#link = link
    this.#name = name
    link.attach(this)
  }

  async meet(receiver: Classic): Promise<void> {
    await this.#ask(classicCommands.findPeer, receiver.#name)
  }

  received(read: Uint8Array): void {
    this.#decoder.push(read)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#packet(packet)
  }

  drained(): void {}

  closed(end: LinkEnd): void {
    fail(`the connection of ${this.#name} is over: ${end}`)
  }

  protected say(): void {
    this.#link.send(this.#frame)
  }

  #packet({ command, body }: Packet): void {
    if (command === classicCommands.message) counts.delivered++
    else if (command === classicCommands.findPeer) this.#link.send(encodeFrame(classicCommands.ack, empty))
    else if (command === classicCommands.error) fail(`${this.#name} was refused: ${Buffer.from(body).toString()}`)
    else if (this.#answered !== undefined) this.#answered()
    else if (body.length === 2) this.acknowledged() // OK; the one who was called hears CHAT as well.
  }

  async #ask(command: number, text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#answered = resolve
      this.#link.send(encodeFrame(command, Buffer.from(text)))
    })
    this.#answered = undefined
  }
}

class Nats extends Talker {
  readonly #name: string
  readonly #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #peer = ''
  #answered: (() => void) | undefined

  /** The server says INFO in the clear, and speaks TLS from then on. */
  static async arrive(name: string): Promise<Nats> {
    const plain = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(plain, 'data')
    const socket = connectTls({ socket: plain, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const talker = new Nats(socket, name)
    await talker.#ask('CONNECT {"verbose":true,"pedantic":false,"tls_required":true}\r\n')
    await talker.#ask(`SUB t.${name} 1\r\n`)
    return talker
  }

  constructor(socket: Socket, name: string) {
    super()
    this.#name = name
    this.#socket = socket
    socket.on('data', (read: Buffer) => this.#received(read))
    socket.once('close', () => fail(`the connection of ${name} is over`))
  }

  async meet(receiver: Nats): Promise<void> {
    this.#peer = receiver.#name
  }

  protected say(): void {
    this.#socket.write(`PUB t.${this.#peer} ${payload.length}\r\n${payload.toString('latin1')}\r\n`)
  }

  #received(read: Buffer): void {
    this.#unread = this.#unread.length === 0 ? read : Buffer.concat([this.#unread, read])
    this.#socket.cork()
    for (let used = this.#line(); used > 0; used = this.#line()) this.#unread = this.#unread.subarray(used)
    this.#socket.uncork()
  }

  /** Answers how many bytes it has taken: none when there is no whole line. */
  #line(): number {
    const end = this.#unread.indexOf('\r\n')
    if (end < 0) return 0
    const line = this.#unread.toString('latin1', 0, end)
    if (line.startsWith('MSG ')) {
      const used = end + 4 + Number(line.slice(line.lastIndexOf(' ')))
      if (this.#unread.length < used) return 0
      counts.delivered++
      return used
    }
    if (line === 'PING') this.#socket.write('PONG\r\n')
    else if (line !== '+OK') fail(`${this.#name} was refused: ${line}`)
    else if (this.#answered !== undefined) this.#answered()
    else this.acknowledged()
    return end + 2
  }

  async #ask(line: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#answered = resolve
      this.#socket.write(line)
    })
    this.#answered = undefined
  }
}

const run = Math.floor(Date.now() % 0x100_0000).toString(36)
const empty = Buffer.alloc(0)
const kind = protocol === 'nats' ? Nats : Classic
const senders: Talker[] = []
for (let index = 0; index < pairs; index++) {
  const [sender, receiver] = [await kind.arrive(`a${index}x${run}`), await kind.arrive(`b${index}x${run}`)]
  if (sender instanceof Nats && receiver instanceof Nats) await sender.meet(receiver)
  if (sender instanceof Classic && receiver instanceof Classic) await sender.meet(receiver)
  senders.push(sender)
}
for (const sender of senders) sender.start()
await measure(counts, serverPid, seconds, warmUpMs)
