// A client of the contract: typed requests, events, and an orderly end. It is given a dialler and a clock and knows nothing
// of sockets, so it runs wherever JavaScript does.
//
//   connect ──Welcome──▶ ready ──drain()──▶ draining ──all answered, Goodbye──▶ leaving ──Goodbye──▶ over
//                          └─────────┴── Fault without an id, lost, broken rule ──┴── close() ──▶ over
//
// `closed` resolves with the reason, and with `undefined` when the end was ours: close(), or anything after our Goodbye.

import type { Clock, Timer } from '../domain/index.ts'
import type { DialledLink } from '../link/index.ts'
import { type Checksum, crc32, type Limits, type Packet, resolveLimits, SealwireError } from '../protocol/index.ts'
import {
  contractCommands,
  contractVersion,
  encodeHello,
  goodbyeBody,
  isMethod,
  type Method,
  methods,
  type Params,
  type ParsedEvent,
  parseEvent,
  parseFault,
  parseResult,
  type Result,
  type Welcome,
} from '../protocol/contract/index.ts'
import { Connection } from './connection.ts'
import { EventQueue } from './event-queue.ts'
import { Greeting, welcomeOf } from './greeting.ts'
import { Requests } from './requests.ts'
import { serverError } from './server-error.ts'

/** What a program may choose. */
export interface ClientOptions {
  /** Program and version for the server's log, at most 64 characters. Default: none. */
  readonly name?: string
  /** How long a request, and the greeting, wait for their answer, in ms. Default 30,000 (limit `clientRequestMsMax`). */
  readonly requestMsMax?: number
}

/** How long the end of a connection may take. */
export interface DrainOptions {
  /** In ms, for the answers to what is open. */
  readonly answersMsMax?: number
}

/** What a client works with. */
export interface ClientParts {
  /** Connects to the server; the link's handshake is done, and nothing is attached to it yet. */
  readonly dial: (options: { signal?: AbortSignal }) => Promise<DialledLink>
  readonly clock: Clock
  /** The bounds of the client. Default: those of limits.ts. */
  readonly limits?: Limits
  /** A faster CRC-32 where the runtime has one. Default: the portable one. */
  readonly checksum?: Checksum
}

/**
 * Dials, says Hello, and resolves when the server has welcomed us.
 * @throws {SealwireError} what the dialler throws; `unreachable` when no welcome comes in time or the signal aborts;
 * `version_unsupported` and whatever else the server ends the connection with; `unexpected`, `malformed` and the codes of
 * frames when it is no server of the contract; `connection_lost`.
 * @throws {TypeError} for options that are not what they should be.
 */
export async function connect(options: ClientOptions & { signal?: AbortSignal }, parts: ClientParts): Promise<Client> {
  const config = resolve(options, parts)
  const { signal } = options
  if (isAborted(signal)) throw givenUp()
  const link = await dialled(parts, signal)
  const greeting: Greeting<Client> = new Greeting((packet) => new Client(connection, welcomeOf(packet), config))
  const connection = new Connection(link, greeting, config)
  link.attach(connection)
  const deadline = config.clock.after(config.requestMsMax, () => connection.cut(silent(config.requestMsMax)))
  const abort = (): void => connection.cut(givenUp())
  signal?.addEventListener('abort', abort, { once: true })
  if (isAborted(signal)) abort() // While it was dialling.
  try {
    connection.send(contractCommands.hello, encodeHello({ versions: [contractVersion], client: config.name }))
    return await greeting.done
  } finally {
    deadline.cancel()
    signal?.removeEventListener('abort', abort)
  }
}

/** One connection to one server. It does not connect again by itself. */
export class Client implements AsyncDisposable {
  /** What the server said first: version, time, limits, features. */
  readonly welcome: Welcome
  /** Resolves, and never rejects, when the connection is over: with why, or with `undefined` when it was our own wish. */
  readonly closed: Promise<SealwireError | undefined>
  readonly #connection: Connection
  readonly #config: ClientConfig
  readonly #requests: Requests<typeof methods>
  readonly #events: EventQueue
  readonly #closed = Promise.withResolvers<SealwireError | undefined>()
  #state: ClientState = { name: 'ready' }
  #heardAt: number
  #saidAt: number

  /** @internal Made by `connect`. */
  constructor(connection: Connection, welcome: Welcome, config: ClientConfig) {
    const { clock, requestMsMax, limits } = config
    const { bodyBytesMax } = welcome.limits
    this.welcome = welcome
    this.closed = this.#closed.promise
    this.#connection = connection
    this.#config = config
    const bounds = { requestsMax: limits.clientRequestsMax, requestMsMax, bodyBytesMax }
    this.#requests = new Requests({ methods, other: 'the server', ...bounds }, connection, clock)
    this.#events = new EventQueue(limits.clientEventsMax)
    this.#heardAt = this.#saidAt = clock.monotonic()
    connection.user = {
      packet: (packet) => this.#packet(packet),
      reading: () => this.#reading(),
      drained: () => this.#requests.drained(),
      ended: (reason) => this.#ended(reason),
    }
  }

  /**
   * Until when a program makes another connection in the place of this one, which ends soon after: milliseconds of the clock's
   * `monotonic()`. It may come nearer. `undefined` where a connection has no end of its own: only the sealed channel has one,
   * and there it is half an hour before the 24 hours are over, or what the server says is its age.
   */
  get renewBefore(): number | undefined {
    return this.#connection.renewBefore
  }

  /**
   * Calls a method. Requests are sent and answered in the order in which they are made; while the server takes less than is
   * written, they wait. Aborting the signal ends the wait, not what the server does: its answer is ignored.
   * @throws {SealwireError} the server's refusal; `malformed` or `message_too_large` for parameters that it would not take;
   * `busy` when `clientRequestsMax` wait already or the request could not be sent in time; `unknown_outcome` when no answer
   * came in time or the signal aborted; and when the connection ends, its reason (`connection_lost` when it was ours).
   * @throws {TypeError} for a method that does not exist.
   */
  async request<M extends Method>(method: M, params: Params<M>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Result<M>> {
    if (!isMethod(method)) throw new TypeError(`there is no method ${String(method)}`)
    if (this.#state.name !== 'ready') throw this.#state.reason
    if (isAborted(signal)) throw new SealwireError('unknown_outcome', 'the request was given up before it was made')
    this.#saidAt = this.#config.clock.monotonic()
    return this.#requests.ask(method, params, signal)
  }

  /**
   * What the server tells, from the first event on that nobody has taken. There is one iterator at a time. It ends when the
   * signal aborts or the connection was ended by us, and throws the reason when it ended otherwise. A program that does not
   * take its events loses the connection (`overrun`) when more than `clientEventsMax` wait.
   * @throws {TypeError} while another iterator is open.
   */
  events({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ParsedEvent> {
    return this.#events.read(signal)
  }

  /**
   * Ends in order: takes no more requests, waits for the open ones, says Goodbye, waits for the server's (at most
   * `clientGoodbyeMsMax`), closes. Resolves when the connection is over, in whatever way; never rejects. What is still open after
   * `answersMsMax` ms is rejected with `connection_lost`; default: each waits as long as it would have.
   */
  async drain({ answersMsMax }: DrainOptions = {}): Promise<void> {
    if (this.#state.name === 'ready') {
      this.#state = { name: 'draining', reason: new SealwireError('connection_lost', 'this client is closing its connection') }
      const deadline = answersMsMax === undefined ? undefined : this.#config.clock.after(answersMsMax, () => this.close())
      await this.#requests.idle()
      deadline?.cancel()
      this.#leave()
    }
    await this.closed
  }

  /** Ends at once: open requests are rejected with `connection_lost`, and the server may not have got all that was sent. */
  close(): void {
    this.#connection.cut(undefined)
  }

  /** The same as `drain`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain()
  }

  /** When something last came, on the monotonic clock. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** When something was last asked, on the monotonic clock. */
  get saidAt(): number {
    return this.#saidAt
  }

  #reading(): void {
    this.#heardAt = this.#config.clock.monotonic()
    this.#events.check()
  }

  #packet({ command, body }: Packet): void {
    switch (command) {
      case contractCommands.result: {
        const { id, result } = parseResult(body)
        return this.#requests.answered(id, result)
      }
      case contractCommands.event: {
        const event = parseEvent(body)
        return event === undefined ? undefined : this.#events.push(event)
      }
      case contractCommands.fault:
        return this.#fault(body)
      case contractCommands.goodbye:
        return this.#goodbye()
      default:
        throw new SealwireError('unexpected', 'the server sent a frame that only clients send, or one that does not exist')
    }
  }

  #fault(body: Uint8Array): void {
    const fault = parseFault(body)
    const error = serverError(fault)
    if (fault.id !== null) this.#requests.refused(fault.id, error)
    if (fault.id === null || error.fatal) this.#connection.close(error)
  }

  #goodbye(): void {
    if (this.#state.name === 'leaving') return this.#connection.close(undefined)
    this.#connection.send(contractCommands.goodbye, goodbyeBody)
    this.#connection.close(new SealwireError('session_ended', 'the server ended the session'))
  }

  /** Everything is answered. */
  #leave(): void {
    if (this.#state.name !== 'draining') return
    const { clock, limits } = this.#config
    const deadline = clock.after(limits.clientGoodbyeMsMax, () => this.#connection.cut(undefined))
    this.#state = { name: 'leaving', deadline, reason: this.#state.reason }
    this.#connection.send(contractCommands.goodbye, goodbyeBody)
  }

  #ended(reason: SealwireError | undefined): void {
    const told = this.#state.name === 'leaving' ? undefined : reason
    if (this.#state.name === 'leaving') this.#state.deadline.cancel()
    const refusal = told ?? new SealwireError('connection_lost', 'this client has closed its connection')
    this.#state = { name: 'over', reason: refusal }
    this.#requests.end(refusal)
    this.#events.end(told)
    this.#closed.resolve(told)
  }
}

/** `reason` is what further requests are refused with. */
type ClientState =
  | { readonly name: 'ready' }
  | { readonly name: 'draining'; readonly reason: SealwireError }
  | { readonly name: 'leaving'; readonly reason: SealwireError; readonly deadline: Timer }
  | { readonly name: 'over'; readonly reason: SealwireError }

interface ClientConfig {
  readonly name: string | undefined
  readonly requestMsMax: number
  readonly clock: Clock
  readonly limits: Limits
  readonly checksum: Checksum
}

function resolve({ name, requestMsMax }: ClientOptions, { clock, limits = resolveLimits(), checksum = crc32 }: ClientParts): ClientConfig {
  if (name !== undefined && (typeof name !== 'string' || name.length > 64)) throw new TypeError('name has more than 64 characters')
  if (requestMsMax !== undefined && !(Number.isSafeInteger(requestMsMax) && requestMsMax > 0)) {
    throw new TypeError('requestMsMax must be a whole number of milliseconds over 0')
  }
  return Object.freeze({ name, requestMsMax: requestMsMax ?? limits.clientRequestMsMax, clock, limits, checksum })
}

async function dialled({ dial }: ClientParts, signal: AbortSignal | undefined): Promise<DialledLink> {
  try {
    return await dial(signal === undefined ? {} : { signal })
  } catch (reason) {
    throw SealwireError.is(reason) ? reason : new SealwireError('unreachable', 'the server could not be dialled', { cause: reason })
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function givenUp(): SealwireError {
  return new SealwireError('unreachable', 'the connection was given up')
}

function silent(ms: number): SealwireError {
  return new SealwireError('unreachable', `the server did not greet within ${ms / 1000} s`, { hint: 'check that it is a Sealwire server' })
}
