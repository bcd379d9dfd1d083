// A server with its data on a disk of its own, and processes of payers that reach it through proxies; all of it in one folder, which
// the checker reads.
//
//   <folder>/disk/data            of the server
//   <folder>/plan.json            who has which account, what they may owe, whose journal is where
//   <folder>/payer-N.jsonl        of each payer;  operator.jsonl

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../src/client/node.ts'
import { deviceKeysPem, makeKeyStatement, newDeviceKeys } from '../../src/pki/index.ts'
import { messageId, password } from '../support/device-client.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { CuttingProxy } from './cutting-proxy.ts'
import { MoneyDisk } from './money-disk.ts'
import { hexOf } from './money-known.ts'
import { MoneyOperator } from './money-operator.ts'
import { MoneyProcess } from './money-process.ts'
import type { SpenderSettings } from './money-spender.ts'
import { dial } from './plain-client.ts'

/** What there is. */
export interface MoneyWorldOptions {
  readonly accounts: number
  /** The first ones of these have the first accounts, and so on again: an account may have several. */
  readonly payers: number
  readonly processes: number
  /** Of all payers. */
  readonly operations: number
  readonly inFlight: number
  readonly seed: number
  /** Of the image; without one the disk is that of the machine. */
  readonly diskBytes: number | undefined
  /** Whether the first two have agreed to talk: then they have messages about what they pay, and hear of each other's coming. */
  readonly friends: boolean
  /** Default: this checkout's own. */
  readonly program?: string
}

/** Somebody with money. */
interface Enrolled extends Pick<SpenderSettings, 'name' | 'account' | 'key' | 'token' | 'server'> {}

export class MoneyWorld implements AsyncDisposable {
  readonly #folder = new StoreFolder()
  readonly path = this.#folder.path
  readonly options: MoneyWorldOptions
  readonly proxies: CuttingProxy[] = []
  readonly processes: MoneyProcess[] = []
  /** Of all payers; those of a process reach the server through one proxy. */
  settings: readonly SpenderSettings[] = []
  disk!: MoneyDisk
  server!: ServerProcess
  operator!: MoneyOperator
  /** By their names. */
  accounts: Readonly<Record<string, number>> = {}

  private constructor(options: MoneyWorldOptions) {
    this.options = options
  }

  static async make(options: MoneyWorldOptions): Promise<MoneyWorld> {
    const world = new MoneyWorld(options)
    try {
      await world.#make()
      return world
    } catch (reason) {
      await world[Symbol.asyncDispose]()
      throw reason
    }
  }

  get data(): string {
    return join(this.disk.path, 'data')
  }

  /** Outcomes that the payers know. */
  get outcomes(): number {
    return this.processes.reduce((sum, { outcomes }) => sum + outcomes, 0)
  }

  /** Kills the server and starts it on what it left on its disk. */
  async restartServer(): Promise<void> {
    await this.server.kill()
    await this.startServer()
  }

  async startServer(): Promise<void> {
    const { program } = this.options
    this.server = await ServerProcess.start({ data: this.data, limits, ...(program !== undefined && { program }) })
    for (const proxy of this.proxies) proxy.target = this.server.port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map((each) => each[Symbol.asyncDispose]()))
    for (const proxy of this.proxies) proxy[Symbol.dispose]()
    await this.server?.[Symbol.asyncDispose]()
    this.operator?.[Symbol.dispose]()
    this.disk?.[Symbol.dispose]()
    this.#folder[Symbol.dispose]()
  }

  async #make(): Promise<void> {
    const { processes, diskBytes, accounts } = this.options
    const disk = join(this.path, 'disk')
    mkdirSync(disk)
    this.disk = new MoneyDisk(disk, diskBytes === undefined ? undefined : { path: join(this.path, 'image'), bytes: diskBytes })
    for (let index = 0; index < processes; index++) this.proxies.push(await CuttingProxy.start())
    await this.startServer()
    const payers = await this.#enrolAll()
    this.accounts = Object.fromEntries(payers.slice(0, accounts).map(({ name, account }) => [name, account]))
    this.operator = new MoneyOperator(this.data, this.accounts, join(this.path, 'operator.jsonl'))
    await this.operator.begin(startMinor, boundMinor, creditMinor)
    this.#plan(payers)
  }

  async #enrolAll(): Promise<readonly Enrolled[]> {
    const payers: Enrolled[] = []
    const clients: Client[] = []
    for (let index = 0; index < this.options.payers; index++) {
      const client = await dial(this.server)
      clients.push(client)
      payers.push(await enrol(client, `payer${index % this.options.accounts}`, index < this.options.accounts))
    }
    const [first, second] = this.options.friends ? clients : []
    await first?.request('contact.request', { name: 'payer1', id: messageId() })
    await second?.request('contact.accept', { name: 'payer0' })
    for (const client of clients) client.close()
    return payers
  }

  #plan(payers: readonly Enrolled[]): void {
    const { processes, operations, inFlight, seed } = this.options
    const roots = readFileSync(this.server.authority, 'utf8')
    this.settings = payers.map((payer, index): SpenderSettings => {
      const journal = join(this.path, `payer-${index}.jsonl`)
      const port = this.proxies[index % processes]?.port ?? 0
      const own = { operations: Math.ceil(operations / payers.length), inFlight, seed: seed + index }
      return { ...payer, accounts: this.accounts, roots, port, journal, ...own }
    })
    for (let index = 0; index < processes; index++) {
      const own = this.settings.filter((_, each) => each % processes === index)
      this.processes.push(new MoneyProcess(join(this.path, `process-${index}.json`), own))
    }
    const plan = {
      accounts: this.accounts,
      credit: { [Object.values(this.accounts).at(-1) ?? 0]: creditMinor },
      friends: this.options.friends ? ['payer0', 'payer1'].map((name) => this.accounts[name]) : [],
      payers: payers.map(({ account }, index) => ({ account, journal: `payer-${index}.jsonl` })),
    }
    writeFileSync(join(this.path, 'plan.json'), JSON.stringify(plan))
  }
}

/** The account, or one more device of it, with a session of its own. */
async function enrol(client: Client, name: string, isNew: boolean): Promise<Enrolled> {
  const { token } = await client.request(isNew ? 'account.register' : 'account.login', { name, password })
  const keys = newDeviceKeys()
  const server = client.welcome.server ?? new Uint8Array(16)
  await client.request('device.enrolKey', { statement: makeKeyStatement(keys, server) })
  const { account } = await client.request('payment.units', {})
  return { name, account, key: deviceKeysPem(keys).ed25519, token: hexOf(token), server: hexOf(server) }
}

const startMinor = 500_000
const boundMinor = 100_000
const creditMinor = 10_000
/** How fast somebody may order is not what is tried here; and the disk fills up to its last byte. */
const limits = {
  ...liftedRates,
  messagesPerSecondPerAccountMax: 1_000_000,
  messagesBurstPerAccountMax: 1_000_000,
  requestsPerSecondUnauthenticatedMax: 1_000_000,
  requestsBurstUnauthenticatedMax: 1_000_000,
  inboxEntriesPerSenderMax: 1_000_000,
  inboxEntriesMax: 1_000_000,
  paymentRequestsStrangerMax: 1_000_000,
  requestsApartMax: 64,
  retentionSweepMs: 1_000,
  diskBytesFreeMin: 0,
} as const
