// Sessions of a real server without sockets: memory links, a store in memory, and a clock that the test moves.

import { crc32, encodeFrame, FrameDecoder, type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { Flusher, linkPair, type MemoryLink } from '../../src/link/index.ts'
import { Accounts } from '../../src/server/accounts.ts'
import { Chats } from '../../src/server/chats.ts'
import { ClassicDialect, classicError } from '../../src/server/classic.ts'
import type { ServerContext } from '../../src/server/context.ts'
import { silentLog } from '../../src/server/log.ts'
import { Presence } from '../../src/server/presence.ts'
import { Session } from '../../src/server/session.ts'
import { inMemory, openInProcessStore } from '../../src/store/index.ts'
import { ManualClock, settle } from './manual-clock.ts'

const cheapHashes = { passwordHashMemoryKiB: 19_456, passwordHashPasses: 2 }
export const password = 'correct-horse-battery'

export class ServerStage implements Disposable {
  readonly clock = new ManualClock()
  readonly limits: Limits
  readonly context: ServerContext
  readonly sessions = new Set<Session>()
  readonly #store
  #id = 0

  constructor(overrides: Partial<Limits> = {}, { classic = true } = {}) {
    this.limits = resolveLimits({ ...cheapHashes, ...overrides })
    this.#store = openInProcessStore(inMemory, this.limits)
    this.context = this.#makeContext(classic)
  }

  /** A connected peer; `authenticated` of its ticket is counted. */
  connect(): TestPeer {
    const flusher = new Flusher(this.limits, this.clock)
    const [near, far] = linkPair({ limits: this.limits, flusher })
    const peer = new TestPeer(far, near)
    const ticket = { established() {}, authenticated: () => void peer.authenticated++, release() {} }
    const session = new Session(++this.#id, near, ticket, this.context)
    this.sessions.add(session)
    near.attach(session)
    peer.session = session
    return peer
  }

  /** A peer that has registered under `name` and logged in. */
  async person(name: string): Promise<TestPeer> {
    const peer = this.connect()
    peer.send(0x01, `${name}:${password}`)
    await peer.expect('04 OK')
    peer.name = name
    return peer
  }

  [Symbol.dispose](): void {
    for (const session of this.sessions) session.link.terminate()
    this.context.presence[Symbol.dispose]()
    this.#store.close()
  }

  #makeContext(classic: boolean): ServerContext {
    const { clock, limits } = this
    const presence = new Presence(clock, limits)
    const store = this.#store
    const accounts = new Accounts(
      { registration: 'open', limits },
      { store: { run: async (name, input) => store.run(name, input) }, clock, log: silentLog },
    )
    const context: ServerContext = {
      limits,
      clock,
      log: silentLog,
      checksum: crc32,
      accounts,
      presence,
      chats: new Chats(presence, clock, limits),
      classic: classic ? (speaker) => new ClassicDialect(speaker, context) : undefined,
      lastWord: (link, error) => link.send(classicError(error.code)),
      forget: (session) => this.sessions.delete(session),
    }
    return context
  }
}

/** The client's end of a memory link; frames it gets are `"04 OK"`, the end of the link is `"end"`. */
export class TestPeer {
  readonly link: MemoryLink
  readonly near: MemoryLink
  session!: Session
  authenticated = 0
  /** Of the account, once there is one. */
  name = ''
  readonly #frames: string[] = []
  readonly #decoder = new FrameDecoder()

  constructor(link: MemoryLink, near: MemoryLink) {
    this.link = link
    this.near = near
    link.attach({ received: (bytes) => this.#take(bytes), drained() {}, closed: () => this.#frames.push('end') })
  }

  send(command: number, body: string | Uint8Array = ''): void {
    this.raw(encodeFrame(command, typeof body === 'string' ? Buffer.from(body) : body))
  }

  raw(bytes: Uint8Array): void {
    this.link.send(bytes)
    this.link.flush()
  }

  /** What arrived and was not looked at yet. */
  async arrived(): Promise<string[]> {
    await settle()
    return this.#frames.splice(0)
  }

  /** Waits for the next frames and compares them. */
  async expect(...frames: string[]): Promise<void> {
    const until = Date.now() + 5000
    while (this.#frames.length < frames.length && Date.now() < until) await settle()
    const arrived = this.#frames.splice(0)
    if (arrived.join('|') !== frames.join('|')) throw new Error(`expected ${frames.join(', ')} but got ${arrived.join(', ')}`)
  }

  #take(bytes: Uint8Array): void {
    this.#decoder.push(bytes)
    for (let packet = this.#decoder.next(); packet !== undefined; packet = this.#decoder.next()) {
      const command = packet.command.toString(16).padStart(2, '0')
      this.#frames.push(`${command} ${Buffer.from(packet.body).toString()}`.trim())
    }
  }
}
