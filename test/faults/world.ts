// A server, and programs that use it through proxies, with everything that they know of each other: who has joined, on how many
// devices, who talks to whom, which rooms there are. All of it is in one folder, which the checker reads.
//
//   <folder>/data                         of the server
//   <folder>/plan.json                    who is in which conversation, for the checker
//   <folder>/<account>/<device>/          sends.json, sent.jsonl, inbox.jsonl, history.jsonl
//   <folder>/<account>/<device>/home      of the SDK

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Home } from '../../src/client/home/home.ts'
import { joinServer } from '../../src/client/home/join.ts'
import { openMember } from '../../src/client/home/member.ts'
import type { Client } from '../../src/client/node.ts'
import { systemClock } from '../../src/domain/index.ts'
import { messageId, password } from '../support/device-client.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'
import type { ApplicationSettings, Send } from './application.ts'
import { ClientProcess } from './client-process.ts'
import { CuttingProxy } from './cutting-proxy.ts'

/** What there is. */
export interface WorldOptions {
  readonly accounts: readonly string[]
  /** Of each account. Default: 1. */
  readonly devices?: number
  readonly contacts: readonly (readonly [string, string])[]
  /** Members of each room; the first one makes it. */
  readonly rooms: readonly (readonly string[])[]
  /** How many processes there are, and in which one the devices of an account are, by the number of the account. */
  readonly processes: number
  readonly processOf: (account: number) => number
  /** Connects the programs to the server itself, which then cannot be started again. Default: through proxies. */
  readonly isDirect?: boolean
  /** Default: as in ApplicationSettings. */
  readonly application?: Partial<ApplicationSettings>
  readonly server?: Pick<ServerProcessOptions, 'limits' | 'program'>
}

/** A conversation, as the checker has to know it. */
export interface PlannedConversation {
  readonly conversation: number
  readonly kind: 'direct' | 'room'
  readonly members: readonly string[]
}

export class World implements AsyncDisposable {
  readonly #folder = new StoreFolder()
  readonly path = this.#folder.path
  readonly options: WorldOptions
  readonly proxies: CuttingProxy[] = []
  readonly clients: ClientProcess[] = []
  readonly conversations: PlannedConversation[] = []
  server!: ServerProcess

  private constructor(options: WorldOptions) {
    this.options = options
  }

  static async make(options: WorldOptions): Promise<World> {
    const world = new World(options)
    try {
      await world.#make()
      return world
    } catch (reason) {
      await world[Symbol.asyncDispose]()
      throw reason
    }
  }

  /** Kills the server and starts it on what it left on its disk. */
  async restartServer(): Promise<void> {
    await this.server.kill()
    await this.#startServer()
  }

  /** What each device is going to say; then the clients are made, and not started. */
  plan(sendsOf: (account: string, device: number) => readonly Send[]): void {
    const { accounts, devices = 1, processes, processOf, application } = this.options
    const settings: ApplicationSettings[][] = Array.from({ length: processes }, () => [])
    for (const [index, account] of accounts.entries()) {
      for (let device = 0; device < devices; device++) {
        const folder = this.folderOf(account, device)
        writeFileSync(join(folder, 'sends.json'), JSON.stringify(sendsOf(account, device)))
        settings[processOf(index)]?.push({
          home: join(folder, 'home'),
          folder,
          isDurable: true,
          readsHistory: device === 0,
          ...application,
        })
      }
    }
    for (const [index, each] of settings.entries()) this.clients.push(new ClientProcess(join(this.path, `client-${index}.json`), each))
    const plan = { conversations: this.conversations, devices: Object.fromEntries(accounts.map((name) => [name, devices])) }
    writeFileSync(join(this.path, 'plan.json'), JSON.stringify(plan))
  }

  folderOf(account: string, device: number): string {
    return join(this.path, account, String(device))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((each) => each[Symbol.asyncDispose]()))
    for (const proxy of this.proxies) proxy[Symbol.dispose]()
    await this.server?.[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #make(): Promise<void> {
    for (let index = 0; index < this.options.processes; index++) this.proxies.push(await CuttingProxy.start())
    await this.#startServer()
    const people = new Map<string, Client>()
    try {
      const enter = async (account: string, index: number): Promise<unknown> => people.set(account, await this.#enter(account, index))
      await Promise.all(this.options.accounts.map(enter))
      for (const [one, other] of this.options.contacts) await this.#introduce(people, one, other)
      for (const room of this.options.rooms) await this.#open(people, room)
    } finally {
      await Promise.all([...people.values()].map((each) => each.drain()))
    }
  }

  async #startServer(): Promise<void> {
    const { limits, ...server } = this.options.server ?? {}
    const data = join(this.path, 'data')
    this.server = await ServerProcess.start({ data, limits: { ...liftedRates, ...talkative, ...limits }, ...server })
    for (const proxy of this.proxies) proxy.target = this.server.port
  }

  /** The account, on all its devices, each of which has a place in the inbox from now on. */
  async #enter(account: string, index: number): Promise<Client> {
    const { devices = 1, processOf, isDirect = false } = this.options
    const server = { host: '127.0.0.1', port: (isDirect ? this.server : this.proxies[processOf(index)])?.port ?? 0 }
    let first: Client | undefined
    for (let device = 0; device < devices; device++) {
      const folder = this.folderOf(account, device)
      mkdirSync(folder, { recursive: true })
      const home = new Home(join(folder, 'home'))
      // Hashes take their time: whoever has one device needs no password.
      const words = devices === 1 ? undefined : password
      const request = { name: account, password: words, login: device > 0, server, pin: this.server.fingerprint }
      await joinServer(home, { ...request, transport: 'tls', invitation: undefined }, { clock: systemClock, warn })
      const { client } = await openMember(home, { clock: systemClock, warn })
      await client.request('inbox.open', {})
      if (first === undefined) first = client
      else await client.drain()
    }
    return first as Client
  }

  async #introduce(people: ReadonlyMap<string, Client>, one: string, other: string): Promise<void> {
    await people.get(one)?.request('contact.request', { name: other, id: messageId() })
    const accepted = await people.get(other)?.request('contact.accept', { name: one })
    this.conversations.push({ conversation: accepted?.conversation ?? 0, kind: 'direct', members: [one, other] })
  }

  async #open(people: ReadonlyMap<string, Client>, members: readonly string[]): Promise<void> {
    const [first, ...others] = members.map((name) => people.get(name) as Client)
    if (first === undefined) return
    const { conversation } = await first.request('room.create', { id: messageId(), title: 'everybody', history: 'all' })
    const { secret } = await first.request('room.link', { conversation, uses: members.length })
    for (const each of others) await each.request('room.join', { secret })
    this.conversations.push({ conversation, kind: 'room', members })
  }
}

function warn(what: string, reason: unknown): void {
  console.warn(what, reason)
}

/** How fast somebody may talk is not what is tried here. */
const talkative = {
  messagesPerSecondPerAccountMax: 1_000_000,
  messagesBurstPerAccountMax: 1_000_000,
  requestsPerSecondUnauthenticatedMax: 1_000_000,
  requestsBurstUnauthenticatedMax: 1_000_000,
  inboxEntriesPerSenderMax: 1_000_000,
  inboxEntriesMax: 1_000_000,
} as const
