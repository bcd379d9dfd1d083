// Sessions of a real server without sockets: memory links, a store in memory, and a clock that the test moves.

import { generateKeyPairSync } from 'node:crypto'
import { crc32, encodeFrame, FrameDecoder, type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { Flusher, linkPair, type MemoryLink } from '../../src/link/index.ts'
import { Accounts, type RegistrationMode } from '../../src/server/accounts.ts'
import { type DeviceIssuer, deviceId, LedgerKey, spkiHash as hashOf } from '../../src/pki/index.ts'
import type { ServerContext } from '../../src/server/context.ts'
import { type ConnectedDevice, Devices } from '../../src/server/devices.ts'
import { type Log, silentLog } from '../../src/server/log.ts'
import type { LedgerSigner } from '../../src/server/money/ledger-signer.ts'
import { FileFolder } from '../../src/server/files/folder.ts'
import { Files } from '../../src/server/files.ts'
import type { MutualTls } from '../../src/server/devices/mutual-tls.ts'
import { Counts } from '../../src/server/metrics/counts.ts'
import { startServices } from '../../src/server/services.ts'
import { Session, type SessionOptions } from '../../src/server/session.ts'
import { inMemory, type Input, openInProcessStore, type OperationName, type Output } from '../../src/store/index.ts'
import { ContractPeer } from './contract-peer.ts'
import { ManualClock, settle } from './manual-clock.ts'

/** Gives up before the test itself does, so that it can say what it waited for. */
const patienceMs = 20_000
const cheapHashes = { passwordHashMemoryKiB: 19_456, passwordHashPasses: 2 }
/** Tests that move the clock by days wait for no sweep of every minute. */
const seldom = { retentionSweepMs: 3_600_000 }
export const password = 'correct-horse-battery'

export interface StageOptions {
  readonly classic?: boolean
  readonly registration?: RegistrationMode
  readonly log?: Log
  /** Default `optional`. */
  readonly mutualTls?: MutualTls
  /** Default: {@link fakeIssue}. */
  readonly issue?: DeviceIssuer
  /** For the content of files. Default: there are none. */
  readonly files?: string
  /** A data folder that outlives the stage. Default: its store lives in memory. */
  readonly data?: string
  /** Default: {@link stageServerId}. */
  readonly serverId?: Uint8Array
}

/** The number of the server of every stage. */
export const stageServerId = new Uint8Array(16).fill(0x5e)

const ledgerKey = new LedgerKey(generateKeyPairSync('ed25519').privateKey)
/** The ledger key of every stage. */
export const stageLedger: LedgerSigner = {
  publicKey: ledgerKey.publicKey,
  sign: (payload, purpose) => ledgerKey.sign(payload, purpose),
  certificate: () => Uint8Array.of(1),
}

/** What stands for a certificate on a stage is the key in it. */
export const fakeIssue: DeviceIssuer = async (spki) => ({
  id: deviceId(hashOf(spki)),
  certificate: spki,
  authority: Uint8Array.of(1),
  notAfter: 9_000_000_000,
})

export class ServerStage implements Disposable {
  readonly clock = new ManualClock()
  readonly limits: Limits
  readonly context: ServerContext
  readonly sessions = new Set<Session>()
  readonly #store
  /** What happens before an operation of the store is carried out. */
  readonly before = new Map<OperationName, () => Promise<unknown>>()
  /** What happens after it was carried out: what this throws is what the server is told. */
  readonly after = new Map<OperationName, () => void>()
  #id = 0

  constructor(overrides: Partial<Limits> = {}, options: StageOptions = {}) {
    this.limits = resolveLimits({ ...cheapHashes, ...seldom, ...overrides })
    this.#store = openInProcessStore(options.data ?? inMemory, this.limits)
    this.context = this.#makeContext(options)
  }

  /** An operation of the store, as an operator carries one out. */
  store<N extends OperationName>(name: N, input: Input<N>): Output<N> {
    return this.#store.run(name, input)
  }

  /** A connected peer that reads frames as text; `authenticated` of its ticket is counted. */
  connect(): TestPeer {
    const [near, far] = this.#pair()
    const peer = new TestPeer(far, near)
    peer.session = this.#serve(near, () => void peer.authenticated++)
    return peer
  }

  /** A connected peer that speaks the contract and has not said Hello. */
  dial(options: SessionOptions = {}): ContractPeer {
    const [near, far] = this.#pair()
    const peer = new ContractPeer(far)
    this.#serve(near, () => {}, options)
    return peer
  }

  /** A peer that has said Hello. */
  async guest(options: SessionOptions = {}): Promise<ContractPeer> {
    const peer = this.dial(options)
    await peer.hello()
    return peer
  }

  /** A guest that has registered under `name`, and so logged in. */
  async member(name: string, options: SessionOptions = {}): Promise<ContractPeer> {
    const peer = await this.guest(options)
    const { token } = await peer.ask('account.register', { name, password })
    return Object.assign(peer, { name, token })
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

  #pair(): [MemoryLink, MemoryLink] {
    return linkPair({ limits: this.limits, flusher: new Flusher(this.limits, this.clock) })
  }

  #serve(near: MemoryLink, authenticated: () => void, options: SessionOptions = {}): Session {
    const session = new Session(++this.#id, near, { established() {}, authenticated, release() {} }, this.context, options)
    this.sessions.add(session)
    near.attach(session)
    return session
  }

  #makeContext(options: StageOptions): ServerContext {
    const {
      classic = true,
      registration = 'open',
      log = silentLog,
      mutualTls = 'optional',
      issue = fakeIssue,
      files: folder,
      serverId = stageServerId,
    } = options
    const { clock, limits } = this
    const store = {
      run: async <N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> => {
        await this.before.get(name)?.()
        const output = this.store(name, input)
        this.after.get(name)?.()
        return output
      },
    }
    const files = new Files({ folder: folder === undefined ? undefined : new FileFolder(folder), store, clock, log, limits })
    const accounts = new Accounts({ registration, limits }, { store, clock, log })
    const services = startServices({ store, clock, log, limits, accounts, files, serverId, ledger: stageLedger })
    return {
      ...services,
      store,
      files,
      limits,
      clock,
      log,
      counts: new Counts(),
      checksum: crc32,
      accounts,
      classic,
      devices: new Devices({ store, clock, log, limits, serverId, issue }),
      mutualTls,
      port: 5555,
      endDevice: ({ device: { id, spkiHash }, account: { key }, token }, error, except) => {
        for (const session of this.sessions) {
          if (session !== except?.speaker && session.device !== undefined && isSame(session.device, spkiHash)) session.fail(error)
        }
        if (token !== undefined) services.presence.endToken(key, token, error, except?.participant)
        services.direct.revoked(key, id)
      },
      endSessions: (key, error, except) => services.presence.end(key, error, except),
      forget: (session) => this.sessions.delete(session),
    }
  }
}

function isSame(device: ConnectedDevice, hash: Uint8Array): boolean {
  return Buffer.compare(device.spkiHash, hash) === 0
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
    const until = Date.now() + patienceMs
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
