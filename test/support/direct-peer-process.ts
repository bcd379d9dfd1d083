// Somebody with the SDK on a host of a network: direct-peer.ts in a process of its own, and everything that it has told.

import { fileURLToPath } from 'node:url'
import { LineProcess } from './direct-line-process.ts'
import type { PeerEvent, PeerSettings } from './direct-peer.ts'
import type { PeerDeed } from './direct-peer-commands.ts'
import type { Network } from './network-kinds.ts'

type EventName = PeerEvent['event']
/** Something that happened, and when: milliseconds since 1970. */
export type Told<E extends EventName = EventName> = { readonly at: number } & Extract<PeerEvent, { readonly event: E }>

export class PeerProcess extends LineProcess<PeerDeed, Told> {
  /** On the host of its name; resolves when it is online. */
  static async start(network: Network, name: string, { home, direct }: { home: string; direct: boolean }): Promise<PeerProcess> {
    const settings: PeerSettings = { home, ...(direct ? { direct: network.host(name).direct } : {}) }
    const peer = new PeerProcess({ network, host: name, name, program, settings })
    await peer.until('it is online', () => peer.all('online').length > 0)
    return peer
  }

  /** Everything of one kind that happened. */
  all<E extends EventName>(event: E): readonly Told<E>[] {
    return this.events.filter((each): each is Told<E> => each.event === event)
  }

  /** Messages that its inbox has brought, of one sender. */
  messagesOf(from: string): readonly Told<'item'>[] {
    return this.all('item').filter((item) => item.kind === 'message' && item.from === from)
  }

  /** How it talks with somebody since when. */
  wayTo(name: string): Told<'way'> | undefined {
    return this.all('way').findLast((way) => way.name === name)
  }

  /** Waits until it talks with somebody this way. */
  async untilWay(name: string, way: 'direct' | 'relayed'): Promise<Told<'way'>> {
    await this.until(`the way to ${name} is ${way}`, () => this.wayTo(name)?.way === way)
    return this.wayTo(name) as Told<'way'>
  }
}

const program = fileURLToPath(new URL('./direct-peer.ts', import.meta.url))
