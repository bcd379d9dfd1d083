// The client's end of a memory link, speaking the contract. What arrives is readable: `['result', 1, {…}]`,
// `['event', 'inbox.entry', {…}]`, `['fault', null, 'stopping']`; frames that are none of the contract's are `['raw', 5, 'STOP']`.

import type { MemoryLink } from '../../src/link/index.ts'
import {
  checkResult,
  contractCommands,
  encodeCbor,
  encodeHello,
  encodeRequest,
  type Method,
  type Params,
  parseEvent,
  parseFault,
  parseResult,
  parseWelcome,
  type Result,
} from '../../src/protocol/contract/index.ts'
import { encodeFrame, FrameDecoder, type Packet, SealwireError } from '../../src/protocol/index.ts'
import { settle } from './manual-clock.ts'

export type Heard = readonly [kind: string, ...rest: readonly unknown[]]

export class ContractPeer {
  readonly link: MemoryLink
  /** Of the account, once there is one. */
  name = ''
  token: Uint8Array = new Uint8Array(0)
  /** The bodies of the frames, in the order of arrival. */
  readonly bodies: Uint8Array[] = []
  readonly #heard: Heard[] = []
  readonly #decoder = new FrameDecoder()
  #id = 0

  constructor(link: MemoryLink) {
    this.link = link
    link.attach({ received: (bytes) => this.#take(bytes), drained() {}, closed: () => this.#heard.push(['end']) })
  }

  raw(bytes: Uint8Array): void {
    this.link.send(bytes)
    this.link.flush()
  }

  frame(command: number, body?: Uint8Array): void {
    this.raw(encodeFrame(command, body))
  }

  /** A request as it should not be. */
  odd(id: unknown, method: unknown, params: unknown = {}): void {
    this.frame(contractCommands.request, encodeCbor([id, method, params] as never))
  }

  async hello(): Promise<Heard> {
    this.frame(contractCommands.hello, encodeHello({ versions: [1], client: 'test' }))
    return this.next()
  }

  goodbye(): void {
    this.frame(contractCommands.goodbye, encodeCbor({}))
  }

  /** Sends a request and returns its id. */
  send<M extends Method>(method: M, params: Params<M>): number {
    const id = ++this.#id
    this.frame(contractCommands.request, encodeRequest(id, method, params))
    return id
  }

  /** The result of a request, the next frame that is no event. @throws {SealwireError} its fault. */
  async ask<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    const id = this.send(method, params)
    const [kind, answered, ...rest] = await this.next(([what]) => what !== 'event')
    if (kind === 'fault') throw new SealwireError(rest[0] as 'internal', String(rest[1]))
    if (kind !== 'result' || answered !== id) throw new Error(`expected the result of ${id} but got ${kind} ${String(answered)}`)
    return checkResult(method, rest[0])
  }

  /** The code with which a request is refused; `undefined` when it is not. */
  async refusal<M extends Method>(method: M, params: Params<M>): Promise<string | undefined> {
    try {
      await this.ask(method, params)
      return undefined
    } catch (reason) {
      return SealwireError.from(reason).code
    }
  }

  /** The next frame of those that are wanted; the others stay. */
  async next(wanted: (heard: Heard) => boolean = () => true): Promise<Heard> {
    const until = Date.now() + patienceMs
    while (Date.now() < until) {
      const at = this.#heard.findIndex(wanted)
      if (at >= 0) return this.#heard.splice(at, 1)[0] as Heard
      await settle()
    }
    throw new Error(`nothing arrived of what was wanted, but ${JSON.stringify(this.#heard)}`)
  }

  /** What arrived and was not looked at yet. */
  async arrived(): Promise<Heard[]> {
    await settle()
    return this.#heard.splice(0)
  }

  #take(bytes: Uint8Array): void {
    this.#decoder.push(bytes)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      this.bodies.push(packet.body.slice())
      this.#heard.push(heardOf(packet))
    }
  }
}

/** Gives up before the test itself does, so that it can say what it waited for. */
const patienceMs = 20_000

function heardOf({ command, body }: Packet): Heard {
  switch (command) {
    case contractCommands.welcome:
      return ['welcome', parseWelcome(body)]
    case contractCommands.result: {
      const { id, result } = parseResult(body)
      return ['result', id, result]
    }
    case contractCommands.fault: {
      const { id, code, sentence } = parseFault(body)
      return ['fault', id, code, sentence]
    }
    case contractCommands.event: {
      const event = parseEvent(body)
      return ['event', event?.event, event?.data]
    }
    case contractCommands.goodbye:
      return ['goodbye']
    default:
      return ['raw', command, Buffer.from(body).toString()]
  }
}
