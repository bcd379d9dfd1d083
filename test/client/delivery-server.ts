// A server that keeps an inbox and stores what is sent, over memory links: what a Sealwire needs, and a script for what goes
// wrong. Its connections can be cut at any moment.

import { type Client, connect, type LoggedIn, MemoryOutbox, type OrderSigner, type OutboxStore, Sealwire } from '../../src/client/index.ts'
import type { SealwireParts } from '../../src/client/sealwire.ts'
import { Flusher, linkPair } from '../../src/link/index.ts'
import { type Code, type Limits, resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import {
  contractCommands,
  type Entry,
  type Method,
  type Params,
  parseParams,
  type RequestEnvelope,
  type Result,
} from '../../src/protocol/contract/index.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { ScriptedServer } from './scripted-server.ts'

export class DeliveryServer {
  readonly clock = new ManualClock()
  readonly limits: Limits
  /** What was stored of what the client said, in order. */
  readonly stored: Params<'message.send'>[] = []
  /** Every request, in order. */
  readonly asked: { readonly method: string; readonly params: unknown }[] = []
  /** Each entry at its place, from 1. */
  readonly inbox: Entry[] = []
  /** Places of those that have left it, and are not pushed. */
  readonly gone = new Set<number>()
  acked = 0
  lost = 0
  dials = 0
  device = 'd1'
  /** Why a dial fails; undefined lets it in. */
  refuseDial: Code | undefined
  /** Why a request fails; 'cut' ends the connection after it was done, 'silent' leaves it without an answer. */
  refuse: (method: string, params: unknown) => Code | 'cut' | 'silent' | undefined = () => undefined
  /** What else it answers. */
  readonly answers: { readonly [M in Method]?: (params: Params<M>) => Result<M> }
  #current: { readonly server: ScriptedServer; pushed: number | undefined } | undefined

  constructor(overrides: Partial<Limits> = {}, answers: DeliveryServer['answers'] = {}) {
    this.limits = resolveLimits(overrides)
    this.answers = answers
  }

  /** Somebody on this server. `random` is 1: waits have their full length. */
  sealwire(parts: PartsOf = {}): Sealwire {
    const { outbox = new MemoryOutbox(), ageMsMax, patient = false, sign, direct, heard } = parts
    const aged = ageMsMax === undefined ? {} : { ageMsMax }
    const open = async (signal: AbortSignal): Promise<LoggedIn> => ({ ...(await this.login(signal)), ...aged })
    return new Sealwire({ open, clock: this.clock, outbox, limits: this.limits, random: () => 1, patient, sign, direct, heard })
  }

  /** Another connection. */
  async login(signal: AbortSignal): Promise<LoggedIn> {
    return { client: await this.#dial(signal), name: 'alice', device: this.device }
  }

  /** Puts a message into the inbox, and pushes it to whoever has opened that. */
  receive(text: string, more: Partial<Entry> = {}): void {
    const seq = this.inbox.length + 1
    const id = new Uint8Array(16).fill(seq)
    this.inbox.push({
      conversation: 7,
      seq,
      kind: 'message',
      id,
      from: 'bob',
      at: 1_000 + seq,
      body: new TextEncoder().encode(text),
      ...more,
    })
    this.push()
  }

  /** Pushes what is behind what was pushed. */
  push(): void {
    const current = this.#current
    if (current?.pushed === undefined) return
    for (let seq = current.pushed + 1; seq <= this.inbox.length; seq++) {
      if (!this.gone.has(seq)) current.server.event('inbox.entry', { seq, entry: this.inbox[seq - 1] as Entry })
      current.pushed = seq
    }
  }

  get server(): ScriptedServer | undefined {
    return this.#current?.server
  }

  cut(): void {
    this.#current?.server.link.terminate()
  }

  /** Lets everything that is ready happen, many times. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await settle()
  }

  async #dial(signal: AbortSignal): Promise<Client> {
    this.dials++
    if (this.refuseDial !== undefined) throw new SealwireError(this.refuseDial, 'as the script says')
    const [near, far] = linkPair({ limits: this.limits, flusher: new Flusher(this.limits, this.clock) })
    const server = new ScriptedServer(far)
    far.attach(server)
    void this.#serve(server)
    return connect({ signal }, { dial: async () => near, clock: this.clock, limits: this.limits })
  }

  async #serve(server: ScriptedServer): Promise<void> {
    await server.hello()
    const connection = { server, pushed: undefined }
    this.#current = connection
    server.welcome({ server: new Uint8Array(16).fill(7) })
    for (;;) {
      await server.until(() => server.frames.length > 0 || server.ends.length > 0)
      if (server.frames[0]?.command === contractCommands.goodbye) return server.goodbye()
      if (server.frames.length === 0) return
      this.#answer(connection, await server.request())
    }
  }

  #answer(connection: { readonly server: ScriptedServer; pushed: number | undefined }, { id, method, params }: RequestEnvelope): void {
    this.asked.push({ method, params })
    const refusal = this.#isAhead(method as Method, params) ? 'conflict' : this.refuse(method, params)
    if (refusal === 'silent') return
    if (refusal !== undefined && refusal !== 'cut') return connection.server.fault(id, refusal)
    const result = this.#do(connection, method as Method, params)
    if (refusal === 'cut') return connection.server.link.terminate()
    connection.server.answer(id, method as Method, result)
    if (connection === this.#current) this.push()
  }

  /** Whether a device has more than there is. */
  #isAhead(method: Method, params: unknown): boolean {
    if (method === 'inbox.open') return (parseParams(method, params).after ?? 0) > this.inbox.length
    return method === 'inbox.ack' && parseParams(method, params).seq > this.inbox.length
  }

  #do(connection: { pushed: number | undefined }, method: Method, params: unknown): Result<Method> {
    if (method === 'inbox.open') {
      this.acked = Math.max(this.acked, parseParams(method, params).after ?? 0)
      connection.pushed = Math.max(this.acked, this.lost)
      return { lastSeq: this.inbox.length, ackedSeq: this.acked, ...(this.lost <= this.acked ? {} : { lostSeq: this.lost }) }
    }
    if (method === 'inbox.ack') {
      this.acked = Math.max(this.acked, parseParams(method, params).seq)
      return {}
    }
    if (method === 'message.send') return this.#store(parseParams(method, params))
    if (method === 'session.ping') return { time: 1 }
    const answer = this.answers[method] as ((asked: unknown) => Result<Method>) | undefined
    if (answer !== undefined) return answer(params)
    throw new Error(`the script knows no ${method}`)
  }

  #store(message: Params<'message.send'>): Result<'message.send'> {
    const known = this.stored.findIndex(({ id }) => Buffer.compare(id, message.id) === 0)
    const seq = known >= 0 ? known + 1 : this.stored.push(message)
    return { conversation: message.conversation ?? 1, seq, at: seq }
  }
}

interface PartsOf extends Pick<SealwireParts, 'direct' | 'heard'> {
  readonly outbox?: OutboxStore
  readonly ageMsMax?: number
  readonly patient?: boolean
  readonly sign?: OrderSigner
}

/** The texts of what was stored. */
export function textsOf(messages: readonly Params<'message.send'>[]): readonly string[] {
  return messages.map(({ body }) => Buffer.from(body).toString())
}
