// The contract (contract.md): Hello settles the version, then requests are answered in their order, but for those that are `apart`
// in the table of methods. What methods mean is in contract/; here is what all of them have in common: when they may be called, at
// what pace, and how an answer or a refusal leaves.
//
//   new ──Hello──▶ greeted ──a method that logs in (logIn)──▶ logged in
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
  isMethod,
  knownMethod,
  type Method,
  type MethodRow,
  methods,
  parseHello,
  parseParams,
  parseRequest,
  type RequestEnvelope,
  type Result,
  type When,
} from '../protocol/contract/index.ts'
import { encodeFrame, type Packet, SealwireError, writeFrame } from '../protocol/index.ts'
import type { Posted } from '../store/index.ts'
import type { AccountIdentity, Origin } from './accounts.ts'
import { Apart } from './session/apart.ts'
import type { ServerContext } from './context.ts'
import { type Answer, type Call, type ContractSession, InStore } from './contract/call.ts'
import { ContractParticipant } from './contract/participant.ts'
import { welcome } from './contract/welcome.ts'
import type { Dialect, Speaker } from './session/dialect.ts'
import { InOrder } from './session/in-order.ts'
import { isOurs, logIn } from './session/log-in.ts'
import { Pace } from './session/pace.ts'
import { routes } from './contract/routes.ts'
import { installationOf, tokenHash } from './accounts/session-token.ts'

/** A Fault frame: the refusal of a request, or, without an id, why the connection ends. Of a bug only the word is told. */
export function contractFault(id: number | null, { code, sentence }: SealwireError): Uint8Array {
  return encodeFrame(contractCommands.fault, faultBody(id, { code, sentence }))
}

/** Which request. */
type Asked = Pick<RequestEnvelope, 'id' | 'method'>

/** A request that waits for its answer, since when on the monotonic clock where that is measured. */
interface UnderWay {
  readonly id: number
  readonly method: Method
  readonly since: number | undefined
}

export class ContractDialect implements Dialect, ContractSession {
  readonly name = 'contract'
  readonly speaker: Speaker
  challenge: ContractSession['challenge']
  fatalMethod: Method | undefined
  readonly #server: ServerContext
  /** Of the connection, until its account has one. */
  #pace: Pace
  readonly #apart: Apart
  /** Messages in the store's queue: the next one joins them there, everything else waits until they are answered. */
  readonly #sends: InOrder<Posted>
  #greeted = false
  #account: ContractParticipant | undefined
  /** The request that ended the session, if one did. */
  #fatalId: number | null = null

  constructor(speaker: Speaker, server: ServerContext) {
    const { requestsPerSecondUnauthenticatedMax: rate, requestsBurstUnauthenticatedMax: burst } = server.limits
    this.speaker = speaker
    this.#server = server
    this.#apart = new Apart(server.limits.requestsApartMax)
    this.#sends = new InOrder(server.limits.messagesUnderWayMax, (reason) => this.#failed(reason))
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

  idle(): Promise<void> | undefined {
    return this.#apart.idle() ?? this.#sends.idle()
  }

  logIn(
    token: Uint8Array | undefined,
    prove: (origin: Origin) => Promise<AccountIdentity>,
    device: () => string | undefined = () => undefined,
  ): Promise<AccountIdentity> {
    const { speaker } = this
    const hash = token && tokenHash(token)
    return logIn(speaker, this.#server, {
      prove,
      tokenHash: hash,
      enter: (identity, standing) => {
        const way = { tokenHash: hash, device: device() ?? (hash && installationOf(hash)) }
        this.#account = new ContractParticipant(identity, standing, way, speaker, this.#server)
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

  /** Everything before it is answered first, what is apart too. */
  #goodbye(): Promise<void> | undefined {
    const idle = this.idle()
    if (idle !== undefined) return idle.then(() => this.#goodbye())
    this.#write(contractCommands.goodbye, goodbyeBody)
    this.speaker.finish()
    return undefined
  }

  #request(request: RequestEnvelope): Promise<void> | undefined {
    const { pace, cost } = this.#priceOf(request.method)
    if (cost === 0 || pace.take(this.speaker.now, cost)) return this.#carryOut(request)
    this.#server.counts.requestsDelayed++
    return this.#later(request, pace, cost)
  }

  /** As how many requests it counts, 0 for none, and against which rate. Before login everything counts, and the same. */
  #priceOf(method: string): { readonly pace: Pace; readonly cost: number } {
    if (this.#account === undefined || !isMethod(method)) return { pace: this.#pace, cost: 1 }
    const { paced = true, reads = false, cost = 1 } = methodRow(method)
    if (reads) return { pace: this.#account.readPace, cost: 1 }
    return { pace: this.#pace, cost: paced ? Math.min(cost, this.#server.limits.messagesBurstPerAccountMax) : 0 }
  }

  async #later(request: RequestEnvelope, pace: Pace, cost: number): Promise<void> {
    if (await pace.wait(this.speaker.signal, cost)) return this.#carryOut(request)
    this.#server.counts.limits.add(this.#account === undefined ? 'requestsPerSecondUnauthenticatedMax' : 'messageDelayMsMax')
    return this.#refuseInTurn(request, new SealwireError('rate_limited', 'too many requests, try again later'))
  }

  #carryOut(request: RequestEnvelope): Promise<void> | undefined {
    // What waited behind messages while the session ended is not begun: it would open what nobody closes.
    if (this.speaker.signal.aborted) return undefined
    const { id, method, params } = request
    const sends = method === 'message.send' ? undefined : this.#sends.idle()
    if (sends !== undefined) return sends.then(() => this.#carryOut(request))
    try {
      const known = knownMethod(method)
      const answer = this.#call(known, params)
      if (answer instanceof InStore) return this.#sending(id, known, answer)
      if (answer instanceof Promise) {
        const settled = this.#whenSettled(this.#begun(id, known), answer)
        return methodRow(known).apart === true ? this.#letGo(settled) : settled
      }
      this.#answer(id, known, answer)
    } catch (reason) {
      return this.#refuseInTurn(request, reason)
    }
    return undefined
  }

  /** A refusal may be known sooner than what was sent before it is answered, and waits for that. */
  #sending(id: number, method: Method, { posted, result }: InStore<Result<Method>>): Promise<void> | undefined {
    const request = this.#begun(id, method)
    return this.#sends.add(posted, {
      give: (value) => {
        this.#ended(request)
        this.#answer(id, method, result(value))
      },
      refuse: (reason) => {
        this.#ended(request)
        this.#refuse(request, reason)
      },
    })
  }

  async #whenSettled(request: UnderWay, answer: Promise<Result<Method>>): Promise<void> {
    try {
      this.#answer(request.id, request.method, await answer)
    } catch (reason) {
      if (methodRow(request.method).apart === true) this.#refuse(request, reason)
      else await this.#refuseInTurn(request, reason)
    } finally {
      this.#ended(request)
    }
  }

  #begun(id: number, method: Method): UnderWay {
    const { counts, clock } = this.#server
    counts.requestsUnderWay++
    return { id, method, since: counts.measures ? clock.monotonic() : undefined }
  }

  #ended({ method, since }: UnderWay): void {
    const { counts, clock } = this.#server
    counts.requestsUnderWay--
    if (since !== undefined) counts.requests[method].seconds.observe((clock.monotonic() - since) / 1000)
  }

  /** What the store has not seen may be refused sooner than what was sent before it is answered. */
  #refuseInTurn(request: Asked, reason: unknown): Promise<void> | undefined {
    const sends = this.#sends.idle()
    if (sends !== undefined) return sends.then(() => this.#refuse(request, reason))
    this.#refuse(request, reason)
    return undefined
  }

  /** Others are begun meanwhile. */
  #letGo(settled: Promise<void>): Promise<void> | undefined {
    return this.#apart.add(settled.catch((reason: unknown) => this.#failed(reason)))
  }

  #failed(reason: unknown): void {
    this.speaker.fail(SealwireError.from(reason))
  }

  #call<M extends Method>(method: M, params: unknown): Answer<M> {
    if (this.speaker.joinOnly) requireJoining(method, this.speaker)
    this.#requireTime(methods[method].when)
    const call = { session: this, server: this.#server, account: this.#account, params: parseParams(method, params) }
    return routes[method](call as Call<M>)
  }

  #requireTime(when: When): void {
    if (when === 'after login' && this.#account === undefined) throw new SealwireError('not_logged_in', 'log in first')
    if (when === 'before login' && this.#account !== undefined) throw new SealwireError('already_logged_in', 'you are logged in already')
  }

  #answer<M extends Method>(id: number, method: M, result: Result<M>): void {
    this.#server.counts.requests[method].answered++
    if (this.speaker.signal.aborted) return
    this.#write(contractCommands.result, encodeResult(id, method, result))
  }

  /** @throws {SealwireError} the reason itself, when it is fatal: the session ends with it as its last word. */
  #refuse({ id, method }: Asked, reason: unknown): void {
    const error = SealwireError.from(reason)
    const known = isMethod(method) ? method : undefined
    const { counts, log } = this.#server
    const { refused } = known === undefined ? counts.unknown : counts.requests[known]
    refused.add(error.code)
    if (this.speaker.signal.aborted) return
    if (error.fatal) {
      this.#fatalId = id
      this.fatalMethod = known
      throw error
    }
    if (isOurs(error.code)) log.warning('request failed', { connection: this.speaker.id, method, code: error.code })
    this.#write(contractCommands.fault, faultBody(id, error))
  }

  #write(command: number, body: Uint8Array): void {
    writeFrame(this.speaker.link, command, body, undefined, this.#server.checksum)
  }
}

/** @throws {SealwireError} `joining_only` for what is for those who have joined. */
function requireJoining(method: Method, { mayProve }: Speaker): void {
  if (!joinMethods.has(method) && !(mayProve && proofMethods.has(method)))
    throw new SealwireError('joining_only', 'this address is for joining only')
}

/** The rows differ in type; what all have in common is this. */
function methodRow(method: Method): MethodRow {
  return methods[method]
}

const joinMethods: ReadonlySet<Method> = new Set([
  'session.echo',
  'session.ping',
  'account.register',
  'account.login',
  'account.link',
  'device.enrol',
])
/** Further ones where a proof is taken. */
const proofMethods: ReadonlySet<Method> = new Set(['device.enrolKey', 'device.challenge', 'device.prove'])

function faultBody(id: number | null, { code, sentence }: Pick<SealwireError, 'code' | 'sentence'>): Uint8Array {
  return encodeFault({ id, code, sentence: code === 'internal' ? 'internal error' : sentence })
}
