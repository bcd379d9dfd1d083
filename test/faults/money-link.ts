// A connection to a server that costs little: many requests under way, answers by their number, results and events not checked
// against their schemas. Whatever ends it, everybody who waits is told that the answer is lost.

import { crc32 } from 'node:zlib'
import { systemClock } from '../../src/domain/index.ts'
import { applicationProtocol, type DialledLink, dialTls, Flusher, type LinkReceiver } from '../../src/link/index.ts'
import {
  contractCommands,
  decodeCbor,
  encodeHello,
  encodeRequest,
  type Method,
  type Params,
  parseFault,
  parseResult,
} from '../../src/protocol/contract/index.ts'
import { type Checksum, FrameDecoder, type Packet, resolveLimits, writeFrame } from '../../src/protocol/index.ts'

/** Where a server is, and the PEM of its authority. */
export interface MoneyPlace {
  readonly port: number
  readonly roots: string
}

/** What came of a request. */
export type Answer = { readonly result: unknown } | { readonly code: string } | { readonly lost: string }

/** Who is told what comes unasked. */
export interface MoneyLinkUser {
  readonly event: (name: string, data: unknown) => void
  /** All answers of one read were told. */
  readonly rest: () => void
  readonly closed: () => void
}

interface Asker {
  readonly until: number
  readonly answered: (answer: Answer) => void
}

export class MoneyLink implements LinkReceiver {
  readonly #link: DialledLink
  readonly #user: MoneyLinkUser
  readonly #decoder = new FrameDecoder({ checksum })
  readonly #askers = new Map<number, Asker>()
  readonly #greeted = Promise.withResolvers<void>()
  readonly #watch: ReturnType<typeof setInterval>
  #lastId = 0
  #why = 'connection_lost'
  #isOver = false

  private constructor(link: DialledLink, user: MoneyLinkUser) {
    this.#link = link
    this.#user = user
    this.#greeted.promise.catch(() => {})
    this.#watch = setInterval(() => this.#giveUpLate(), answerMsMax / 4)
    link.attach(this)
  }

  /** Connected, and logged in with a token. Rejects when that does not come to an end. */
  static async dial({ port, roots }: MoneyPlace, token: Uint8Array, user: MoneyLinkUser): Promise<MoneyLink> {
    const dialled = await dialTls({ host: '127.0.0.1', port, roots, applicationProtocol, timeoutMs: answerMsMax }, context)
    const link = new MoneyLink(dialled, user)
    link.#write(contractCommands.hello, encodeHello({ versions: [1], client: 'money' }))
    await link.#greeted.promise
    const { promise, resolve } = Promise.withResolvers<Answer>()
    link.ask('account.resume', { token }, resolve)
    const answer = await promise
    if ('result' in answer) return link
    link.close()
    throw new Error(`no login: ${JSON.stringify(answer)}`)
  }

  ask<M extends Method>(method: M, params: Params<M>, answered: (answer: Answer) => void): void {
    if (this.#isOver) return answered({ lost: this.#why })
    const id = ++this.#lastId
    this.#askers.set(id, { until: performance.now() + answerMsMax, answered })
    this.#write(contractCommands.request, encodeRequest(id, method, params))
  }

  close(): void {
    this.#link.terminate()
    this.closed()
  }

  received(bytes: Uint8Array): void {
    try {
      this.#decoder.push(bytes)
      for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) this.#packet(packet)
      this.#user.rest()
    } catch (reason) {
      this.#why = String(reason)
      this.close()
    }
  }

  drained(): void {}

  closed(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#watch)
    this.#greeted.reject(new Error(this.#why))
    for (const { answered } of this.#askers.values()) answered({ lost: this.#why })
    this.#askers.clear()
    this.#user.closed()
  }

  #write(command: number, body: Uint8Array): void {
    writeFrame(this.#link, command, body, undefined, checksum)
  }

  #packet({ command, body }: Packet): void {
    if (command === contractCommands.welcome) return this.#greeted.resolve()
    if (command === contractCommands.event) {
      const [name, data] = decodeCbor(body) as [string, unknown]
      return this.#user.event(name, data)
    }
    if (command === contractCommands.result) {
      const { id, result } = parseResult(body)
      return this.#answered(id, { result })
    }
    if (command !== contractCommands.fault) return
    const { id, code } = parseFault(body)
    if (id === null) this.#why = code
    else this.#answered(id, { code })
  }

  #answered(id: number, answer: Answer): void {
    const asker = this.#askers.get(id)
    if (asker === undefined) throw new Error('an answer that nobody asked for')
    this.#askers.delete(id)
    asker.answered(answer)
  }

  /** They are asked in their order, so the first has waited longest. */
  #giveUpLate(): void {
    const [first] = this.#askers.values()
    if (first === undefined || first.until > performance.now()) return
    this.#why = 'no answer in time'
    this.close()
  }
}

const checksum: Checksum = (bytes, start, end) => crc32(bytes.subarray(start, end))
const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }
const answerMsMax = 30_000
