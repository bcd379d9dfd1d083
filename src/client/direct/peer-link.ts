// A direct link: a connection between two devices, which ask each other. Both have verified the certificate of the other before it
// begins; then whoever has dialled says hello (peer-greeting.ts).
//
//   open ──close()──▶ Goodbye ──▶ over
//    ├──Goodbye of the other device, its Fault without an id──▶ over
//    ├──it breaks a rule──▶ Fault without an id ──▶ over
//    └──silence, terminate(), the end of the link below──▶ over
//
// The other device is nobody's friend because its certificate is good: what it can make us keep is bounded, and the first thing
// that is against the rules ends the link.

import type { Clock } from '../../domain/clock.ts'
import { checkResultIn, contractCommands, encodeRequestIn, goodbyeBody, parseFault, parseResult } from '../../protocol/contract/index.ts'
import { peerMethods, type PeerMethods, type PeerParams, type PeerResult } from '../../protocol/direct/index.ts'
import { type Checksum, frameBodyBytesLimit, type Limits, type Packet, SealwireError } from '../../protocol/index.ts'
import type { Connection } from '../connection.ts'
import { Requests } from '../requests.ts'
import { serverError } from '../server-error.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Answers, type AskedMethod, PeerCalls } from './peer-calls.ts'
import { endWith } from './peer-faults.ts'
import { PeerRate } from './peer-rate.ts'

/** The device at the other end. */
export interface PeerDevice {
  /** Its account, as its owner wrote it. */
  readonly name: string
  /** Its id, 32 hex digits. */
  readonly device: string
  /** SHA-256 of the SubjectPublicKeyInfo in its certificate, in hex. */
  readonly spki: string
}

/** Who answers what the other device asks. What is thrown is its refusal; a bug ends the link with `internal`. */
export type PeerAnswers = Answers<PeerLink>

/** What a link works with. */
export interface PeerLinkParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly answers: PeerAnswers
  /** A faster CRC-32 where the runtime has one. Default: the portable one. */
  readonly checksum?: Checksum
}

/** Whom a link leads to, and who has dialled. */
export interface PeerLinkStart {
  readonly peer: PeerDevice
  readonly dialled: boolean
}

/** One link with one device. It does not connect again by itself. */
export class PeerLink {
  readonly peer: PeerDevice
  /** Whether this side has dialled. */
  readonly dialled: boolean
  /** Resolves, and never rejects, when the link is over: with why, or with `undefined` when this side wished it. */
  readonly closed: Promise<SealwireError | undefined>
  readonly #connection: Connection
  readonly #requests: Requests<PeerMethods>
  readonly #calls: PeerCalls<PeerLink>
  readonly #heartbeat: Heartbeat
  readonly #closed = Promise.withResolvers<SealwireError | undefined>()
  #over: SealwireError | undefined

  /** @internal Made by `greetPeer` and `awaitPeer`; takes the connection over. */
  constructor(connection: Connection, { peer, dialled }: PeerLinkStart, { clock, limits, answers }: PeerLinkParts) {
    this.peer = peer
    this.dialled = dialled
    this.closed = this.#closed.promise
    this.#connection = connection
    const { directRequestsMax: requestsMax, directRequestMsMax: requestMsMax } = limits
    const bounds = { requestsMax, requestMsMax, bodyBytesMax: frameBodyBytesLimit }
    this.#requests = new Requests({ methods: peerMethods, other: 'the other device', ...bounds }, connection, clock)
    const stirred = (): void => this.#heartbeat.stirred()
    const asked = { link: this, connection, stirred, failed: (reason: SealwireError) => void endWith(connection, reason) }
    const answersBytesMax = limits.directAnswersBytesMax
    this.#calls = new PeerCalls<PeerLink>(asked, answers, { rate: new PeerRate(clock, limits), requestsMax, answersBytesMax })
    this.#heartbeat = new Heartbeat({ clock, limits }, { ping: () => this.#ping(), lost: () => this.terminate(silent()) })
    connection.user = {
      packet: (packet) => this.#packet(packet),
      reading: () => this.#heartbeat.heard(),
      drained: () => this.#drained(),
      ended: (reason) => this.#ended(reason),
    }
  }

  /** False from its end on. */
  get open(): boolean {
    return this.#over === undefined
  }

  /**
   * Asks the other device. Requests are sent in the order in which they are made; while it takes less than is written, they wait.
   * Aborting the signal ends the wait, not what the other device does.
   * @throws {SealwireError} the refusal of the other device; `busy` when `directRequestsMax` wait already; `malformed` or
   * `message_too_large` for what it would not take; `unknown_outcome` when the signal aborted or no answer came within
   * `directRequestMsMax`; and when the link ends, its reason (`connection_lost` when this side ended it).
   */
  async request<M extends AskedMethod>(
    method: M,
    params: PeerParams<M>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<PeerResult<M>> {
    if (this.#over !== undefined) throw this.#over
    if (signal?.aborted === true) throw new SealwireError('unknown_outcome', 'the request was given up before it was made')
    const answer = this.#requests.ask(method, params, signal)
    this.#heartbeat.stirred()
    return answer
  }

  /** Says Goodbye, hands over what was written, and closes. `reason` is what `closed` and open requests are told. */
  close(reason?: SealwireError): void {
    if (!this.open) return
    this.#connection.send(contractCommands.goodbye, goodbyeBody)
    this.#connection.close(reason)
  }

  /** Ends at once, without a word. */
  terminate(reason: SealwireError): void {
    this.#connection.cut(reason)
  }

  #packet(packet: Packet): void {
    try {
      this.#take(packet)
    } catch (reason) {
      endWith(this.#connection, reason)
    }
  }

  #take({ command, body }: Packet): void {
    switch (command) {
      case contractCommands.request:
        return this.#calls.request(body)
      case contractCommands.result:
        return this.#result(body)
      case contractCommands.fault:
        return this.#fault(body)
      case contractCommands.goodbye:
        return this.close(new SealwireError('session_ended', 'the other device has closed the direct link'))
      default:
        throw new SealwireError('unexpected', 'the other device sent a frame that has no place on a direct link')
    }
  }

  #result(body: Uint8Array): void {
    const { id, result } = parseResult(body)
    if (id !== pingId) return this.#requests.answered(id, result)
    checkResultIn<PeerMethods, 'direct.ping'>(peerMethods, 'direct.ping', result)
    if (!this.#heartbeat.answered()) throw new SealwireError('unexpected', 'the other device answered what nobody had asked')
  }

  #fault(body: Uint8Array): void {
    const fault = parseFault(body)
    const error = serverError(fault)
    if (fault.id === null || fault.id === pingId || error.fatal) return this.#connection.close(error)
    this.#requests.refused(fault.id, error)
  }

  /** Past all that waits for the link, and there is never more than one. */
  #ping(): void {
    this.#connection.send(contractCommands.request, encodeRequestIn<PeerMethods, 'direct.ping'>(peerMethods, pingId, 'direct.ping', {}))
  }

  #drained(): void {
    this.#requests.drained()
    this.#calls.drained()
  }

  #ended(reason: SealwireError | undefined): void {
    this.#over = reason ?? new SealwireError('connection_lost', 'this device has closed the direct link')
    this.#heartbeat.stop()
    this.#requests.end(this.#over)
    this.#closed.resolve(reason)
  }
}

function silent(): SealwireError {
  return new SealwireError('connection_lost', 'communication error: nothing comes from the other device any more')
}

/** Other requests are numbered from 1. */
const pingId = 0
