// A network, a server on it, and people who have joined from homes on its hosts.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli } from '../cli/cli-process.ts'
import { PeerProcess } from '../support/direct-peer-process.ts'
import type { Network, NetworkKind } from '../support/network-kinds.ts'
import { liftedRates, type ServerProcessOptions } from '../support/server-process.ts'

/** What a conversation of two programs may not meet. */
const lifted = { ...liftedRates, messagesBurstPerAccountMax: 1_000_000, directOffersBurstMax: 1_000 }

export class DirectWorld implements AsyncDisposable {
  readonly network: Network
  readonly #homes = mkdtempSync(join(tmpdir(), 'sealwire-direct-'))

  private constructor(network: Network) {
    this.network = network
  }

  static async start(kind: NetworkKind, hosts: readonly string[], options: ServerProcessOptions = {}): Promise<DirectWorld> {
    return new DirectWorld(await kind.start(hosts, { registration: 'open', ...options, limits: { ...lifted, ...options.limits } }))
  }

  /** A path beside the homes. */
  path(name: string): string {
    return join(this.#homes, name)
  }

  /** Makes an account of that name, from a home on the host of that name. */
  async join(name: string): Promise<string> {
    const { server } = this.network.host(name)
    const home = this.path(name)
    const place = [`${server.host}:${server.port}`, '--pin', this.network.server.fingerprint]
    await this.cli(name, 'join', ...place, '--name', name, '--home', home)
    return home
  }

  /** One more device of the account of a home, on a host of its own. */
  async addDevice(owner: string, host: string): Promise<string> {
    const home = this.path(host)
    const added = await this.cli(owner, 'devices', 'add', '--home', this.path(owner))
    const { server } = this.network.host(host)
    const link = added.split('\n')[0]?.replace(/^(\w+:\/\/)[^/]+/, `$1${server.host}:${server.port}`) ?? ''
    await this.cli(host, 'join', link, '--home', home)
    return home
  }

  /** A program with the SDK on the host of that name, which takes direct links. */
  async peer(name: string, { direct = true } = {}): Promise<PeerProcess> {
    return PeerProcess.start(this.network, name, { home: this.path(name), direct })
  }

  /** The two agree to talk. */
  async introduce(one: PeerProcess, other: PeerProcess): Promise<void> {
    await one.ask({ do: 'request', name: other.name })
    await other.ask({ do: 'accept', name: one.name })
  }

  /** Alice and Bob, who have joined, are contacts, and talk directly. */
  async pair(): Promise<readonly [alice: PeerProcess, bob: PeerProcess]> {
    await Promise.all([this.join('alice'), this.join('bob')])
    const [alice, bob] = await Promise.all([this.peer('alice'), this.peer('bob')])
    await this.introduce(alice, bob)
    await Promise.all([alice.ask({ do: 'reach', name: 'bob' }), bob.ask({ do: 'reach', name: 'alice' })])
    await Promise.all([alice.untilWay('bob', 'direct'), bob.untilWay('alice', 'direct')])
    return [alice, bob]
  }

  /** Runs a command on a host; resolves with what it has printed. */
  async cli(host: string, ...args: readonly string[]): Promise<string> {
    return this.network.processes.run([...this.network.host(host).prefix, process.execPath, main, ...args])
  }

  /** Runs a command of the operator. */
  async operate(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await runCli([...args, '--data', this.network.server.data])
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]()
    rmSync(this.#homes, { recursive: true, force: true })
  }
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
