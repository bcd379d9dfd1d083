// A server of the contract that says what a test tells it to, frame by frame, on any link.

import { type Code, encodeFrame, FrameDecoder, type Limits, resolveLimits } from '../../src/protocol/index.ts'
import {
  contractCommands,
  encodeEvent,
  encodeFault,
  encodeResult,
  encodeWelcome,
  type EventData,
  type EventName,
  goodbyeBody,
  type Hello,
  type Method,
  parseHello,
  parseRequest,
  type RequestEnvelope,
  type Result,
  type Welcome,
} from '../../src/protocol/contract/index.ts'
import { type Client, type ClientOptions, connect } from '../../src/client/index.ts'
import { Flusher, type Link, type LinkEnd, type LinkReceiver, linkPair, type MemoryLink } from '../../src/link/index.ts'
import { ManualClock } from '../support/manual-clock.ts'

export interface Frame {
  readonly command: number
  readonly body: Uint8Array
}

export const welcome: Welcome = {
  version: 1,
  time: 1_000_000,
  limits: { bodyBytesMax: 65_535, echoBytesMax: 1_024, messageBodyBytesMax: 60_000 },
  features: [],
}

/** The server's end of one connection. */
export class ScriptedServer implements LinkReceiver {
  readonly link: Link
  readonly frames: Frame[] = []
  readonly ends: LinkEnd[] = []
  readonly #decoder = new FrameDecoder()
  #wake: (() => void) | undefined

  constructor(link: Link) {
    this.link = link
  }

  /** The next frame of the client; fails when the connection ends before it. */
  async next(command: number): Promise<Frame> {
    await this.until(() => this.frames.length > 0 || this.ends.length > 0)
    const frame = this.frames.shift()
    if (frame?.command !== command) throw new Error(`expected ${command} but got ${frame?.command ?? this.ends[0]}`)
    return frame
  }

  async hello(): Promise<Hello> {
    return parseHello((await this.next(contractCommands.hello)).body)
  }

  async request(): Promise<RequestEnvelope> {
    return parseRequest((await this.next(contractCommands.request)).body)
  }

  async requests(count: number): Promise<RequestEnvelope[]> {
    const requests: RequestEnvelope[] = []
    while (requests.length < count) requests.push(await this.request())
    return requests
  }

  /** Says it at once. */
  say(command: number, body: Uint8Array): void {
    this.raw(encodeFrame(command, body))
  }

  raw(bytes: Uint8Array): void {
    this.link.send(bytes)
    this.link.flush()
  }

  welcome(what: Partial<Welcome> = {}): void {
    this.say(contractCommands.welcome, encodeWelcome({ ...welcome, ...what }))
  }

  answer<M extends Method>(id: number, method: M, result: Result<M>): void {
    this.say(contractCommands.result, encodeResult(id, method, result))
  }

  fault(id: number | null, code: Code, sentence = 'as the script says'): void {
    this.say(contractCommands.fault, encodeFault({ id, code, sentence }))
  }

  event<E extends EventName>(event: E, data: EventData<E>): void {
    this.say(contractCommands.event, encodeEvent(event, data))
  }

  async goodbye(): Promise<void> {
    await this.next(contractCommands.goodbye)
    this.say(contractCommands.goodbye, goodbyeBody)
    this.link.close()
  }

  async ended(): Promise<LinkEnd> {
    await this.until(() => this.ends.length > 0)
    return this.ends[0] as LinkEnd
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  received(bytes: Uint8Array): void {
    this.#decoder.push(bytes)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      this.frames.push({ command: packet.command, body: new Uint8Array(packet.body) })
    }
    this.#wake?.()
  }

  drained(): void {}

  closed(end: LinkEnd): void {
    this.ends.push(end)
    this.#wake?.()
  }
}

/** A client and its scripted server over memory links, with a clock that the test moves. */
export class ClientStage {
  readonly clock = new ManualClock()
  readonly limits: Limits
  readonly near: MemoryLink
  readonly far: MemoryLink
  readonly server: ScriptedServer
  /** How often a link was dialled. */
  dials = 0

  constructor(overrides: Partial<Limits> = {}) {
    this.limits = resolveLimits(overrides)
    const [near, far] = linkPair({ limits: this.limits, flusher: new Flusher(this.limits, this.clock) })
    this.near = near
    this.far = far
    this.server = new ScriptedServer(far)
    far.attach(this.server)
  }

  connect(options: ClientOptions & { signal?: AbortSignal } = {}): Promise<Client> {
    const { clock, limits } = this
    const dial = async (): Promise<MemoryLink> => {
      this.dials++
      return this.near
    }
    return connect(options, { dial, clock, limits })
  }

  /** A client that was welcomed. */
  async client(options: ClientOptions = {}, what: Partial<Welcome> = {}): Promise<Client> {
    const connected = this.connect(options)
    await this.server.hello()
    this.server.welcome(what)
    return connected
  }
}
