// One connection that speaks frames, from its first byte to its last. The session owns the order of things: packets are
// dispatched one after the other, and while an answer waits (for a hash, a commit, a rate, a slow reader) nothing more
// is read. What the packets mean is the dialect's business.
//
//   greeting ──a login succeeds (authenticated)──▶ ready
//   greeting ──loginMsMax──▶ closed
//   greeting, ready ──stop──▶ draining ──the open answer is given──▶ closed
//   any ──protocol error, goodbye, link over──▶ closed
//
// Invariants: the login deadline exists only in `greeting`; the ticket counts as unauthenticated exactly until `ready`;
// `closed` is final, and the dialect hears of it once.

import type { Timer } from '../domain/index.ts'
import type { Link, LinkEnd, LinkReceiver } from '../link/index.ts'
import { contractCommandFirst, FrameDecoder, frameOverheadBytes, type LimitName, type Packet, SealwireError } from '../protocol/index.ts'
import type { ConnectionTicket } from './admission.ts'
import type { ServerContext } from './context.ts'
import type { ConnectedDevice } from './devices.ts'
import type { Dialect, Speaker } from './session/dialect.ts'
import { chooseDialect, undecidedLastWord } from './session/dialects.ts'
import type { Counts, Door } from './metrics/counts.ts'

export type SessionState =
  | { readonly name: 'greeting'; readonly deadline: Timer }
  | { readonly name: 'ready' }
  | { readonly name: 'draining' }
  | { readonly name: 'closed' }

/** How a session came about. */
export interface SessionOptions {
  /** Whose certificate the connection was made with. Default: none. */
  readonly device?: ConnectedDevice
  /** The connection is for joining only, and ends after `joinMsMax`. Default: false. */
  readonly joinOnly?: boolean
  /** Such a connection becomes one for everything by device.prove. Default: false. */
  readonly mayProve?: boolean
  /** Where the connection came in. Default: `listen`. */
  readonly door?: Door
}

export class Session implements LinkReceiver, Speaker {
  readonly id: number
  readonly link: Link
  device: ConnectedDevice | undefined
  joinOnly: boolean
  readonly mayProve: boolean
  readonly door: Door
  readonly #counts: Counts
  readonly #server: ServerContext
  readonly #ticket: ConnectionTicket
  readonly #decoder: FrameDecoder
  readonly #hangUp = new AbortController()
  /** Aborted when the session is over: whatever it waits for can stop. */
  readonly signal = this.#hangUp.signal
  #state: SessionState
  #dialect: Dialect | undefined
  /** When joining has to be done, on the monotonic clock. */
  readonly #until: number
  /** An answer is under way: nothing is dispatched until it is given. */
  #waiting = false
  /** When the frame that is still incomplete began, on the monotonic clock; `undefined` between frames. */
  #partialSince: number | undefined
  /** Whether something came since the last sweep. */
  #isHeard = false
  /** When the last sweep after something had come was; `undefined`: the peer need not say anything. */
  #heardAt: number | undefined
  #now: number | undefined
  #drain: PromiseWithResolvers<void> | undefined

  constructor(id: number, link: Link, ticket: ConnectionTicket, server: ServerContext, options: SessionOptions = {}) {
    const { device, joinOnly = false, mayProve = false, door = 'listen' } = options
    this.id = id
    this.link = link
    this.device = device
    this.joinOnly = joinOnly
    this.mayProve = mayProve
    this.door = door
    this.#counts = server.counts
    this.#until = server.clock.monotonic() + server.limits.joinMsMax
    this.#ticket = ticket
    this.#server = server
    const bodyBytesMax = server.limits.frameUnauthenticatedBytesMax - frameOverheadBytes
    this.#decoder = new FrameDecoder({ bodyBytesMax, checksum: server.checksum })
    this.#state = this.#greeting()
  }

  get address(): string {
    return this.link.remote.address
  }

  /** How far it is, and what it speaks: `undecided` before its first frame. */
  get standing(): { readonly state: SessionState['name']; readonly dialect: Dialect['name'] | 'undecided' } {
    return { state: this.#state.name, dialect: this.#dialect?.name ?? 'undecided' }
  }

  /** The clock costs as much as a checksum: it is read once for all packets of a read. */
  get now(): number {
    return (this.#now ??= this.#server.clock.monotonic())
  }

  /** Bytes written to the peer may leave again; resolves at once when they do already. */
  async caughtUp(): Promise<void> {
    if (this.link.keepsUp || !this.link.open) return
    this.#drain ??= Promise.withResolvers<void>()
    await this.#drain.promise
  }

  // What the link tells.

  received(bytes: Uint8Array): void {
    if (this.#state.name === 'closed') return
    this.#counts.bytesReceived += bytes.length
    this.#isHeard = true
    this.#decoder.push(bytes)
    if (!this.#waiting) this.#dispatchAll()
    else if (this.#decoder.heldBytes > this.#server.limits.heldBytesMax) {
      this.#endAt('heldBytesMax', new SealwireError('overrun', 'too much was sent before the last answer'))
    }
  }

  drained(): void {
    this.#drain?.resolve()
    this.#drain = undefined
  }

  closed(end: LinkEnd): void {
    this.#close()
    this.#server.forget(this)
    this.#counts.closed.add(end)
    this.#server.log.info('client disconnected', { connection: this.id, end })
  }

  // What the dialect asks for.

  /** A complete login or registration has arrived: what it waits for now is bounded by the hash queue. */
  loginArrived(): void {
    if (this.#state.name === 'greeting') this.#state.deadline.cancel()
  }

  /** It was refused: there is as much time for another. */
  loginRefused(): void {
    if (this.#state.name === 'greeting') this.#state = this.#greeting()
  }

  authenticated(): void {
    if (this.#state.name !== 'greeting') return
    this.#state.deadline.cancel()
    this.#state = { name: 'ready' }
    this.#ticket.authenticated()
    this.#decoder.bodyBytesMax = this.#server.limits.frameBodyBytesMax
  }

  pinged(): void {
    this.#heardAt = this.now
  }

  finish(): void {
    if (this.#state.name === 'closed') return
    this.#close()
    this.link.close()
  }

  // What the server asks for.

  /** Called twice a second: is a started frame, or joining, taking too long, or a peer silent that gave signs of life? */
  sweep(now: number): void {
    if (this.#isSilent(now)) return this.#endAt('silentMsMax', new SealwireError('frame_too_slow', 'there was no sign of life'))
    if (this.joinOnly && now > this.#until) return this.#endAt('joinMsMax', new SealwireError('login_too_slow', 'joining took too long'))
    if (this.#partialSince === undefined || this.#waiting) return
    const { frameMsMax, frameBytesPerSecondMin } = this.#server.limits
    const ms = now - this.#partialSince
    if (ms <= frameMsMax || this.#decoder.partialBytes >= (frameBytesPerSecondMin * ms) / 1000) return
    this.#endAt('frameMsMax', new SealwireError('frame_too_slow', 'a frame took too long to arrive'))
  }

  /** Ends the session as soon as the answers under way are given. */
  stop(): void {
    if (this.#state.name === 'closed' || this.#state.name === 'draining') return
    if (this.#state.name === 'greeting') this.#state.deadline.cancel()
    this.#state = { name: 'draining' }
    if (!this.#waiting) this.#end()
  }

  /** Tells the peer why and closes. A bug is logged with its cause; the peer hears one word. */
  fail(error: SealwireError): void {
    if (this.#state.name === 'closed') return
    const { code } = error
    const about = { connection: this.id, code, method: this.#dialect?.fatalMethod }
    if (code === 'internal') this.#server.log.error('session failed', about, error.cause)
    else if (code !== 'stopping') this.#server.log.info('session refused', about)
    this.#counts.failed.add(code)
    if (code === 'frame_too_large')
      this.#counts.limits.add(this.#state.name === 'ready' ? 'frameBodyBytesMax' : 'frameUnauthenticatedBytesMax')
    this.link.send(this.#dialect?.lastWord(error) ?? undecidedLastWord(error, this.#server))
    this.#close()
    this.link.close()
    // Who was banned or revoked may read nothing more, and holds no connection by not reading.
    if (code === 'session_ended') this.#server.clock.after(this.#server.limits.endedMsMax, () => this.link.terminate())
  }

  /** What is not read yet may be one. */
  #isSilent(now: number): boolean {
    if (this.#heardAt === undefined) return false
    if (this.#isHeard || this.#waiting) this.#heardAt = now
    this.#isHeard = false
    return now - this.#heardAt > this.#server.limits.silentMsMax
  }

  #endAt(limit: LimitName, error: SealwireError): void {
    this.#counts.limits.add(limit)
    this.fail(error)
  }

  #dispatchAll(): void {
    this.#now = undefined
    try {
      if (this.#dispatchUntilWaiting()) this.#partialSince = undefined
      if (this.#waiting || this.#decoder.partialBytes === 0) this.#partialSince = undefined
      else this.#partialSince ??= this.#server.clock.monotonic()
    } catch (reason) {
      this.fail(SealwireError.from(reason))
    }
  }

  /** True when at least one packet was whole. */
  #dispatchUntilWaiting(): boolean {
    let some = false
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      some = true
      this.#counts.framesReceived++
      const dialect = this.#dialect ?? this.#choose(packet)
      const pending = dialect.dispatch(packet)
      if (this.#state.name === 'closed') break
      const answer = pending ?? (this.link.keepsUp ? undefined : this.caughtUp())
      if (answer !== undefined) return this.#wait(answer)
    }
    return some
  }

  /** The first frame of a connection chooses the dialect. */
  #choose({ command }: Packet): Dialect {
    const { frameUnauthenticatedBytesMax, contractEnvelopeBytesMax } = this.#server.limits
    if (command >= contractCommandFirst) {
      this.#decoder.bodyBytesMax = frameUnauthenticatedBytesMax + contractEnvelopeBytesMax - frameOverheadBytes
    }
    this.#dialect = chooseDialect(command, this, this.#server)
    return this.#dialect
  }

  #wait(answer: Promise<void>): true {
    this.#waiting = true
    this.link.pause()
    answer.then(
      () => this.#goOn(),
      (reason: unknown) => this.fail(SealwireError.from(reason)),
    )
    return true
  }

  #goOn(): void {
    this.#waiting = false
    if (this.#state.name === 'draining') return this.#end()
    if (this.#state.name === 'closed') return
    this.#dispatchAll()
    if (!this.#waiting) this.link.resume()
  }

  /** What is under way is answered first; nothing more is read. */
  #end(): void {
    const answers = this.#dialect?.idle?.()
    if (answers === undefined) this.fail(new SealwireError('stopping', 'the server is stopping'))
    else this.#wait(answers)
  }

  #greeting(): SessionState {
    const { limits, clock } = this.#server
    const deadline = clock.after(limits.loginMsMax, () =>
      this.#endAt('loginMsMax', new SealwireError('login_too_slow', 'no login in time')),
    )
    return { name: 'greeting', deadline }
  }

  #close(): void {
    if (this.#state.name === 'closed') return
    if (this.#state.name === 'greeting') this.#state.deadline.cancel()
    this.#state = { name: 'closed' }
    this.#hangUp.abort()
    this.drained()
    this.#dialect?.closed()
  }
}
