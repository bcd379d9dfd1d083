// What the other device asks for on a direct link. It is begun in the order in which it came, and answered as it is done. At most
// `directRequestsMax` are under way, each until its answer was handed to the link: a device that does not read makes its own
// requests wait, and one that goes on asking all the same is refused, then cut by its link. How often it asks is bounded as well
// (peer-rate.ts).

import { contractCommands, encodeResultIn, knownIn, parseParamsIn, parseRequest } from '../../protocol/contract/index.ts'
import { peerMethods, type PeerMethod, type PeerParams, type PeerResult } from '../../protocol/direct/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import type { Connection } from '../connection.ts'
import { peerRefusal } from './peer-faults.ts'
import type { PeerRate } from './peer-rate.ts'

/** What is asked for beside what every link answers by itself. */
export type AskedMethod = Exclude<PeerMethod, 'direct.hello' | 'direct.ping'>

/** Who answers what. What is thrown is the refusal; a bug ends the link. */
export type Answers<L> = {
  readonly [M in AskedMethod]: (params: PeerParams<M>, peer: L) => Promise<PeerResult<M>>
}

/** The link that is asked. */
export interface AskedLink<L> {
  readonly link: L
  readonly connection: Pick<Connection, 'keepsUp' | 'open' | 'send'>
  /** Something was asked for. */
  stirred(): void
  /** There is a bug in an answer. */
  failed(reason: SealwireError): void
}

/** What it may ask for. */
export interface AskedBounds {
  readonly rate: PeerRate
  /** Without their answer. */
  readonly requestsMax: number
  /** Of answers that the link does not take yet. */
  readonly answersBytesMax: number
}

interface Answer {
  readonly command: number
  readonly body: Uint8Array
}

export class PeerCalls<L> {
  readonly #asked: AskedLink<L>
  readonly #answers: Answers<L>
  readonly #bounds: AskedBounds
  /** Without their answer, or with one that the link has not taken. */
  #underWay = 0
  readonly #unsent: Answer[] = []
  #unsentBytes = 0

  constructor(asked: AskedLink<L>, answers: Answers<L>, bounds: AskedBounds) {
    this.#asked = asked
    this.#answers = answers
    this.#bounds = bounds
  }

  /** @throws {SealwireError} `malformed` for what is no request, `unexpected` for a second hello, `rate_limited` for far too many. */
  request(body: Uint8Array): void {
    const { id, method, params } = parseRequest(body)
    if (method === 'direct.hello') throw new SealwireError('unexpected', 'the other device said hello twice')
    if (!this.#bounds.rate.take(method)) return this.#refuse(id, busy('too many requests in too short a time'))
    try {
      this.#begin(id, knownIn(peerMethods, method), params)
    } catch (reason) {
      this.#refuse(id, reason)
    }
  }

  /** The link takes more. */
  drained(): void {
    while (this.#asked.connection.keepsUp) {
      const answer = this.#unsent.shift()
      if (answer === undefined) return
      this.#unsentBytes -= answer.body.length
      this.#send(answer)
    }
  }

  #begin(id: number, method: PeerMethod, params: unknown): void {
    if (method === 'direct.hello') return
    if (method === 'direct.ping') {
      parseParamsIn(peerMethods, method, params)
      return this.#asked.connection.send(contractCommands.result, encodeResultIn(peerMethods, id, method, {}))
    }
    this.#asked.stirred()
    if (this.#underWay >= this.#bounds.requestsMax || this.#unsentBytes >= this.#bounds.answersBytesMax) {
      throw busy('too many requests wait for their answers')
    }
    void this.#carryOut(id, method, parseParamsIn<typeof peerMethods, typeof method>(peerMethods, method, params))
  }

  async #carryOut<M extends AskedMethod>(id: number, method: M, params: PeerParams<M>): Promise<void> {
    this.#underWay++
    this.#finish(await this.#answerTo(id, method, params))
  }

  async #answerTo<M extends AskedMethod>(id: number, method: M, params: PeerParams<M>): Promise<Answer> {
    try {
      const result = await this.#answers[method](params, this.#asked.link)
      return { command: contractCommands.result, body: encodeResultIn<typeof peerMethods, M>(peerMethods, id, method, result) }
    } catch (reason) {
      const error = SealwireError.from(reason)
      if (error.code === 'internal') this.#asked.failed(error)
      return { command: contractCommands.fault, body: peerRefusal(id, error) }
    }
  }

  #finish(answer: Answer): void {
    if (!this.#asked.connection.open) return
    if (this.#asked.connection.keepsUp && this.#unsent.length === 0) return this.#send(answer)
    this.#unsent.push(answer)
    this.#unsentBytes += answer.body.length
  }

  #send({ command, body }: Answer): void {
    this.#underWay--
    this.#asked.connection.send(command, body)
  }

  #refuse(id: number, reason: unknown): void {
    this.#asked.connection.send(contractCommands.fault, peerRefusal(id, SealwireError.from(reason)))
  }
}

function busy(sentence: string): SealwireError {
  return new SealwireError('busy', sentence)
}
