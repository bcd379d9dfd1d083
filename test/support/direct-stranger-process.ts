// Somebody who does not keep to what the SDK does: direct-stranger.ts in a process of its own on a host of a network.

import { fileURLToPath } from 'node:url'
import { LineProcess } from './direct-line-process.ts'
import type { StrangerDeed } from './direct-stranger.ts'
import type { Network } from './network-kinds.ts'

export class StrangerProcess extends LineProcess<StrangerDeed, never> {
  static start(network: Network, host: string): StrangerProcess {
    const settings = { ...network.host(host).server, pin: network.server.fingerprint }
    return new StrangerProcess({ network, host, name: host, program, settings })
  }
}

const program = fileURLToPath(new URL('./direct-stranger.ts', import.meta.url))
