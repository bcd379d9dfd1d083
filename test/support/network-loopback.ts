// Hosts that are addresses of the loopback network, for machines without namespaces. The server is at 127.0.0.1, the hosts
// at 127.x.y.2, .3 …, and what passes between them goes through forwarders, each with an address of its own beside them.
//
// A client tells others where it listens, and they would go there, past its forwarder. So it announces the forwarder as often as
// an offer has addresses (`directCandidatesMax`): for its own there is no room then. All who dial a host come through that one
// forwarder: it is cut from all of them or from none.

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { limitTable } from '../../src/protocol/index.ts'
import { Forwarder } from './network-forwarder.ts'
import type { Network, NetworkHost } from './network-kinds.ts'
import { Processes } from './network-processes.ts'
import { ServerProcess, type ServerProcessOptions } from './server-process.ts'

interface Place extends NetworkHost {
  readonly toServer: Forwarder
  readonly toHost: readonly Forwarder[]
}

export class LoopbackNetwork implements Network {
  readonly processes = new Processes()
  readonly server: ServerProcess
  readonly #places = new Map<string, Place>()
  readonly #prefix: string

  private constructor(server: ServerProcess, prefix: string) {
    this.server = server
    this.#prefix = prefix
  }

  static async start(hosts: readonly string[], options: ServerProcessOptions = {}): Promise<LoopbackNetwork> {
    const prefix = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`
    const names = hosts.flatMap((_, index) => ['--host', besideOf(prefix, index + 2)])
    const server = await ServerProcess.start({ ...options, flags: [...names, ...(options.flags ?? [])] })
    const network = new LoopbackNetwork(server, prefix)
    try {
      for (const [index, name] of hosts.entries()) network.#places.set(name, await network.#place(name, index + 2))
    } catch (reason) {
      await network[Symbol.asyncDispose]()
      throw reason
    }
    return network
  }

  host(name: string): Place {
    const place = this.#places.get(name)
    if (place === undefined) throw new Error(`there is no host ${name}`)
    return place
  }

  async cut(one: string, other: string): Promise<void> {
    for (const forwarder of this.#between(one, other)) forwarder.cut()
  }

  async restore(one: string, other: string): Promise<void> {
    for (const forwarder of this.#between(one, other)) forwarder.restore()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes[Symbol.asyncDispose]()
    for (const { toServer, toHost } of this.#places.values()) for (const each of [toServer, ...toHost]) each[Symbol.dispose]()
    await this.server[Symbol.asyncDispose]()
  }

  #between(one: string, other: string): readonly Forwarder[] {
    const [server] = [one, other].filter((name) => name === serverName)
    if (server !== undefined) return [this.host(one === serverName ? other : one).toServer]
    return [one, other].flatMap((name) => this.host(name).toHost)
  }

  async #place(name: string, number: number): Promise<Place> {
    const [own, beside] = [`${this.#prefix}.${number}`, besideOf(this.#prefix, number)]
    const toServer = await Forwarder.start(beside, { host: '127.0.0.1', port: this.server.port })
    const target = { host: own, port: await freePort(own) }
    const announced = Array.from({ length: limitTable.directCandidatesMax.value }, () => Forwarder.start(beside, target))
    const toHost = await Promise.all(announced)
    const announce = toHost.map(({ port }) => ({ host: beside, port }))
    const server = { host: beside, port: toServer.port }
    return { name, prefix: [], server, direct: { ...target, announce }, addresses: [beside], toServer, toHost }
  }
}

/** Where the forwarders of a host are. */
function besideOf(prefix: string, number: number): string {
  return `${prefix}.${number + 100}`
}

/** Nobody else has this address, so it stays free. */
async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const serverName = 'server'
