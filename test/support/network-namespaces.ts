// Hosts that are network namespaces. No name, no file and no interface of the machine is touched, and no root is needed: a user
// namespace owns them all, and each lives as long as a process in it.
//
//   the server's namespace:  bridge hub0, 10.77.0.1 and fd77::1    ── v2 ══ eth0 of the 1st host, 10.77.0.2 and fd77::2
//                                                                  ── v3 ══ eth0 of the 2nd host, 10.77.0.3 and fd77::3
//
// Its keeper reads a pipe of the test: when the test ends, in whatever way, the keeper reads its end, and all of it is gone.
// What is cut is dropped where it comes in, on both sides, by two sets of addresses in each namespace.

import { type ChildProcessWithoutNullStreams, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Network, NetworkHost } from './network-kinds.ts'
import { Processes } from './network-processes.ts'
import { ServerProcess, type ServerProcessOptions } from './server-process.ts'

/** Why this machine lets a test have no namespaces; `undefined` when it does. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has them'
  const programs = { ip: '-V', nft: '--version', nsenter: '--version', setpriv: '--version', unshare: '--version' }
  const missing = Object.entries(programs).filter(([command, flag]) => spawnSync(command, [flag]).status !== 0)
  if (missing.length > 0) return `${missing.map(([command]) => command).join(', ')} ${isMissing}`
  const { status, stderr } = spawnSync('unshare', [...ownNamespaces, 'sh', '-ec', trial], { encoding: 'utf8' })
  return status === 0 ? undefined : `they are not allowed (${stderr.trim()})`
}

/** The end of what is said when a program is. */
export const isMissing = 'is missing'

/** One of them, with the process that keeps it. */
interface Namespace {
  readonly keeper: ChildProcessWithoutNullStreams
  readonly prefix: readonly string[]
  readonly addresses: readonly [four: string, six: string]
}

export class NamespaceNetwork implements Network {
  readonly processes = new Processes()
  readonly #spaces = new Map<string, Namespace>()
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-network-'))
  #server: ServerProcess | undefined

  static async start(hosts: readonly string[], options: ServerProcessOptions = {}): Promise<NamespaceNetwork> {
    const network = new NamespaceNetwork()
    try {
      await network.#make(hosts, options)
    } catch (reason) {
      await network[Symbol.asyncDispose]()
      throw reason
    }
    return network
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error('the server has not started')
    return this.#server
  }

  host(name: string): NetworkHost {
    const { prefix, addresses } = this.#space(name)
    const [host] = this.#space(serverName).addresses
    const port = Number(this.server.stdout.split(`tls://${host}:`)[1]?.split('\n')[0])
    return { name, prefix, direct: true, addresses, server: { host, port } }
  }

  async cut(one: string, other: string): Promise<void> {
    await this.#change('add', one, other)
  }

  async restore(one: string, other: string): Promise<void> {
    await this.#change('delete', one, other)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #make(hosts: readonly string[], options: ServerProcessOptions): Promise<void> {
    const hub = await this.#keep(serverName, ['unshare', ...ownNamespaces], 1)
    await this.#script(hub, `ip link add name hub0 type bridge\n${upWith('hub0', hub)}`)
    for (const [index, name] of hosts.entries()) {
      const space = await this.#keep(name, [...entering(hub.keeper, '--user'), 'unshare', '--net'], index + 2)
      const cable = `v${index + 2}`
      await this.#script(
        hub,
        `ip link add name ${cable} type veth peer name eth0 netns ${space.keeper.pid}\nip link set ${cable} master hub0 up`,
      )
      await this.#script(space, upWith('eth0', space))
    }
    const flags = ['--listen', `${hub.addresses[0]}:0`, '--host', hub.addresses[0], ...(options.flags ?? [])]
    this.#server = await ServerProcess.start({ ...options, runtime: this.#runtimeIn(hub), flags })
  }

  /** A namespace that lasts as long as this process of ours. */
  async #keep(name: string, command: readonly string[], number: number): Promise<Namespace> {
    const keeper = this.processes.start([...command, 'sh', '-c', 'echo made; exec cat'])
    await Promise.race([
      once(keeper.stdout, 'data'),
      once(keeper, 'exit').then(() => Promise.reject(new Error(`the namespace of ${name} was not made`))),
    ])
    const prefix = entering(keeper, '--user', '--net')
    const space: Namespace = { keeper, prefix, addresses: [`10.77.0.${number}`, `fd77::${number}`] }
    this.#spaces.set(name, space)
    await this.processes.run([...prefix, 'nft', '-f', '-'], filter)
    return space
  }

  /** A program that runs another one there, as the same process, and no longer than this one. */
  #runtimeIn({ prefix }: Namespace): string {
    const path = join(this.#folder, 'runtime')
    writeFileSync(path, `#!/bin/sh\nexec ${prefix.join(' ')} setpriv --pdeathsig KILL -- '${process.execPath}' "$@"\n`)
    chmodSync(path, 0o700)
    return path
  }

  async #script({ prefix }: Namespace, commands: string): Promise<void> {
    await this.processes.run([...prefix, 'sh', '-e'], commands)
  }

  async #change(what: 'add' | 'delete', ...names: readonly [string, string]): Promise<void> {
    const [one, other] = names.map((name) => this.#space(name)) as [Namespace, Namespace]
    const change = ({ prefix }: Namespace, { addresses: [four, six] }: Namespace): Promise<string> =>
      this.processes.run(
        [...prefix, 'nft', '-f', '-'],
        `${what} element inet cut four { ${four} }\n${what} element inet cut six { ${six} }\n`,
      )
    await Promise.all([change(one, other), change(other, one)])
  }

  #space(name: string): Namespace {
    const space = this.#spaces.get(name)
    if (space === undefined) throw new Error(`there is no host ${name}`)
    return space
  }
}

function entering({ pid }: ChildProcessWithoutNullStreams, ...namespaces: readonly string[]): readonly string[] {
  return ['nsenter', '--target', String(pid), ...namespaces, '--preserve-credentials', '--']
}

/** An address counts at once: there is nobody else who could have it. */
function upWith(device: string, { addresses: [four, six] }: Namespace): string {
  const commands = [
    `addr add ${four}/24 dev ${device}`,
    `-6 addr add ${six}/64 dev ${device} nodad`,
    `link set ${device} up`,
    'link set lo up',
  ]
  return commands.map((command) => `ip ${command}\n`).join('')
}

const serverName = 'server'
const ownNamespaces: readonly string[] = ['--user', '--map-root-user', '--net', '--']
const filter = `
table inet cut {
  set four { type ipv4_addr; }
  set six { type ipv6_addr; }
  chain in {
    type filter hook input priority 0; policy accept;
    ip saddr @four drop
    ip6 saddr @six drop
  }
}
`
const trial = `ip link add name v1 type veth peer name v2; ip link add name hub0 type bridge; nft -f - <<'END'${filter}END`
