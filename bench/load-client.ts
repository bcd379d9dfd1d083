// One client of a load generator: an account over the contract and TLS. What it does while the clock runs is for who extends it.

import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { systemClock } from '../src/domain/index.ts'
import { stampUuid7 } from '../src/domain/uuid7.ts'
import { applicationProtocol, type DialledLink, dialTls, Flusher, type LinkEnd, type LinkReceiver } from '../src/link/index.ts'
import { encodeFrame, FrameDecoder, type Packet, resolveLimits } from '../src/protocol/index.ts'
import {
  checkResult,
  contractCommands,
  encodeHello,
  encodeRequest,
  type Method,
  type Params,
  parseFault,
  parseResult,
  parseWelcome,
  type Result,
} from '../src/protocol/contract/index.ts'
import { fail } from './load.ts'

const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }
const checksum = (all: Uint8Array, start: number, end: number): number => crc32(all.subarray(start, end))

/** Connects; the certificate of the server is not looked at. */
export function dial(port: number): Promise<DialledLink> {
  const options = { host: '127.0.0.1', port, timeoutMs: 60_000, applicationProtocol, dangerouslySkipVerification: true }
  return dialTls(options, context)
}

export abstract class LoadClient implements LinkReceiver {
  readonly name: string
  /** Of the installation that {@link enter} makes. */
  token: Uint8Array = new Uint8Array()
  readonly #link: DialledLink
  readonly #decoder = new FrameDecoder({ checksum })
  #answer: ((packet: Packet) => void) | undefined

  constructor(link: DialledLink, name: string) {
    this.#link = link
    this.name = name
    link.attach(this)
  }

  received(read: Uint8Array): void {
    this.#decoder.push(read)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#take(packet)
  }

  drained(): void {}

  closed(end: LinkEnd): void {
    if (end !== 'closed') fail(`the connection of ${this.name} is over: ${end}`)
  }

  /** Registers. Answers the number of the server. */
  async enter(): Promise<Uint8Array> {
    const { body } = await this.#ask(encodeFrame(contractCommands.hello, encodeHello({ versions: [1], client: 'load' })))
    const { token } = await this.request('account.register', { name: this.name })
    this.token = token
    return parseWelcome(body).server ?? fail('a server without a number')
  }

  leave(): void {
    this.#link.close()
  }

  async request<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    const { command, body } = await this.#ask(requestFrame(0, method, params))
    if (command === contractCommands.fault) fail(`${method} was refused: ${parseFault(body).sentence}`)
    return checkResult(method, parseResult(body).result)
  }

  /** A frame of which the answer comes to {@link packet}. */
  protected send(frame: Uint8Array): void {
    this.#link.send(frame)
  }

  /** What comes that {@link request} does not wait for; valid during the call. */
  protected abstract packet(packet: Packet): void

  #ask(frame: Uint8Array): Promise<Packet> {
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#link.send(frame)
    })
  }

  #take(packet: Packet): void {
    const { command, body } = packet
    if (this.#answer === undefined || command === contractCommands.event) return this.packet(packet)
    this.#answer({ command, body: body.slice() })
    this.#answer = undefined
  }
}

/** Few at a time. */
export async function inSteps<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let at = 0; at < count; at += 25)
    made.push(...(await Promise.all(Array.from({ length: Math.min(25, count - at) }, (_, index) => make(at + index)))))
  return made
}

export function requestFrame<M extends Method>(id: number, method: M, params: Params<M>): Uint8Array {
  return encodeFrame(contractCommands.request, encodeRequest(id, method, params))
}

/** A UUID of version 7. */
export function newId(): Uint8Array {
  return stampUuid7(new Uint8Array(randomBytes(16)), Date.now())
}

/** The shortest form of CBOR. */
export function unsignedAt(body: Uint8Array, at: number): number {
  const view = Buffer.from(body.buffer, body.byteOffset, body.length)
  const first = view.readUInt8(at)
  return first < 24 ? first : view.readUIntBE(at + 1, 1 << (first - 24))
}
