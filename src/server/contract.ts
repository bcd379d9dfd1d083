// The contract (contract.md): Hello settles the version, then requests are answered one after the other. What methods mean
// is in routes.ts and contract/; here is what all of them have in common: when they may be called, at what pace, and how
// an answer or a refusal leaves.
//
//   new ──Hello──▶ greeted ──account.register, login, resume──▶ logged in
//   greeted, logged in ──Goodbye──▶ finished
//   any ──a frame that does not belong there, an envelope that cannot be read, a fatal error──▶ failed

import { TokenBucket } from '../domain/index.ts'
import {
  contractCommands,
  contractVersion,
  encodeFault,
  encodeResult,
  encodeWelcome,
  goodbyeBody,
  knownMethod,
  type Method,
  methods,
  parseHello,
  parseParams,
  parseRequest,
  type RequestEnvelope,
  type Result,
  type When,
} from '../protocol/contract/index.ts'
import { encodeFrame, type Packet, SealwireError, writeFrame } from '../protocol/index.ts'
import type { AccountIdentity, Origin } from './accounts.ts'
import type { ServerContext } from './context.ts'
import type { Answer, Call, ContractSession } from './contract/call.ts'
import { ContractParticipant } from './contract/participant.ts'
import { welcome } from './contract/welcome.ts'
import type { Dialect, Speaker } from './dialect.ts'
import { isOurs, logIn } from './log-in.ts'
import { Pace } from './pace.ts'
import { routes } from './routes.ts'
import { tokenHash } from './session-token.ts'

/** A Fault frame: the refusal of a request, or, without an id, why the connection ends. Of a bug only the word is told. */
export function contractFault(id: number | null, { code, sentence }: SealwireError): Uint8Array {
  return encodeFrame(contractCommands.fault, faultBody(id, { code, sentence }))
}

export class ContractDialect implements Dialect, ContractSession {
  readonly speaker: Speaker
  readonly #server: ServerContext
  /** Of the connection, until its account has one. */
  #pace: Pace
  #greeted = false
  #account: ContractParticipant | undefined
  /** The request that ended the session, if one did. */
  #fatalId: number | null = null

  constructor(speaker: Speaker, server: ServerContext) {
    const { requestsPerSecondUnauthenticatedMax: rate, requestsBurstUnauthenticatedMax: burst } = server.limits
    this.speaker = speaker
    this.#server = server
    this.#pace = new Pace(new TokenBucket(rate, burst, server.clock.monotonic()), server)
  }

  dispatch({ command, body }: Packet): Promise<void> | undefined {
    if (this.#greeted && command === contractCommands.request) return this.#request(parseRequest(body))
    if (this.#greeted && command === contractCommands.goodbye) return this.#goodbye()
    if (!this.#greeted && command === contractCommands.hello) return this.#hello(body)
    throw new SealwireError('unexpected', 'a frame does not belong there')
  }

  lastWord(error: SealwireError): Uint8Array {
    return contractFault(this.#fatalId, error)
  }

  closed(): void {
    this.#account?.leave()
  }

  logIn(token: Uint8Array | undefined, prove: (origin: Origin) => Promise<AccountIdentity>): Promise<AccountIdentity> {
    const { speaker } = this
    return logIn(speaker, this.#server, {
      prove,
      enter: (identity, standing) => {
        this.#account = new ContractParticipant(identity, standing, token && tokenHash(token), speaker, this.#server)
        this.#pace = this.#account.pace
      },
    })
  }

  #hello(body: Uint8Array): undefined {
    const { versions, client } = parseHello(body)
    if (!versions.includes(contractVersion)) {
      throw new SealwireError('version_unsupported', `this server speaks version ${contractVersion} of the contract`)
    }
    this.#greeted = true
    this.#server.log.debug('contract begun', { connection: this.speaker.id, client })
    this.#write(contractCommands.welcome, encodeWelcome(welcome(this.#server, this.speaker)))
  }

  /** Everything before it is answered, because requests are answered in order. */
  #goodbye(): undefined {
    this.#write(contractCommands.goodbye, goodbyeBody)
    this.speaker.finish()
  }

  #request(request: RequestEnvelope): Promise<void> | undefined {
    return this.#pace.take() ? this.#carryOut(request) : this.#later(request)
  }

  async #later(request: RequestEnvelope): Promise<void> {
    if (await this.#pace.wait(this.speaker.signal)) return this.#carryOut(request)
    this.#refuse(request.id, new SealwireError('rate_limited', 'too many requests, try again later'))
  }

  #carryOut({ id, method, params }: RequestEnvelope): Promise<void> | undefined {
    try {
      const known = knownMethod(method)
      const answer = this.#call(known, params)
      if (answer instanceof Promise) return this.#whenSettled(id, known, answer)
      this.#answer(id, known, answer)
    } catch (reason) {
      this.#refuse(id, reason)
    }
    return this.#backlog()
  }

  async #whenSettled(id: number, method: Method, answer: Promise<Result<Method>>): Promise<void> {
    try {
      this.#answer(id, method, await answer)
    } catch (reason) {
      this.#refuse(id, reason)
    }
    await this.#backlog()
  }

  #call<M extends Method>(method: M, params: unknown): Answer<M> {
    if (this.speaker.joinOnly) requireJoining(method)
    this.#requireTime(methods[method].when)
    const call = { session: this, server: this.#server, account: this.#account, params: parseParams(method, params) }
    return routes[method](call as Call<M>)
  }

  #requireTime(when: When): void {
    if (when === 'after login' && this.#account === undefined) throw new SealwireError('not_logged_in', 'log in first')
    if (when === 'before login' && this.#account !== undefined) throw new SealwireError('already_logged_in', 'you are logged in already')
  }

  #answer<M extends Method>(id: number, method: M, result: Result<M>): void {
    if (this.speaker.signal.aborted) return
    this.#write(contractCommands.result, encodeResult(id, method, result))
  }

  /** @throws {SealwireError} the reason itself, when it is fatal: the session ends with it as its last word. */
  #refuse(id: number, reason: unknown): void {
    if (this.speaker.signal.aborted) return
    const error = SealwireError.from(reason)
    if (error.fatal) {
      this.#fatalId = id
      throw error
    }
    if (isOurs(error.code)) this.#server.log.warning('request failed', { connection: this.speaker.id, code: error.code })
    this.#write(contractCommands.fault, faultBody(id, error))
  }

  /** Whoever talks with somebody who reads slowly is read slowly. */
  #backlog(): Promise<void> | undefined {
    const seat = this.#account?.seat
    return seat?.name === 'talking' ? seat.peer.backlog() : undefined
  }

  #write(command: number, body: Uint8Array): void {
    writeFrame(this.speaker.link, command, body, undefined, this.#server.checksum)
  }
}

/** @throws {SealwireError} `joining_only` for what is for those who have joined. */
function requireJoining(method: Method): void {
  if (!joinMethods.has(method)) throw new SealwireError('joining_only', 'this address is for joining only')
}

const joinMethods: ReadonlySet<Method> = new Set(['session.echo', 'session.ping', 'account.register', 'account.login', 'device.enrol'])

function faultBody(id: number | null, { code, sentence }: Pick<SealwireError, 'code' | 'sentence'>): Uint8Array {
  return encodeFault({ id, code, sentence: code === 'internal' ? 'internal error' : sentence })
}
