// The agent's connection in v2: the contract's `session.echo` inside the sealed channel, before any login. The agent has no
// account and no key of its own that anybody would know again.

import { crc32 } from 'node:zlib'
import { keyPin } from '../../channel/index.ts'
import { connect } from '../../client/client.ts'
import type { Clock } from '../../domain/clock.ts'
import { type DialledLink, dialSealed, Flusher, type LinkContext, readSealedKey } from '../../link/index.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { AgentPeer } from './run.ts'
import type { Endpoint } from '../options/endpoint.ts'

export interface AgentV2Parts {
  readonly clock: Clock
  readonly limits: Limits
}

/** The connections of one agent to one server: which one that is, the pin says, or the first server that answers. */
export class AgentV2 {
  readonly #server: Endpoint
  readonly #context: LinkContext
  readonly #parts: AgentV2Parts
  #pin: string | undefined
  /** The server's key, once it is known: the one that takes its place is no key that is shown yet. */
  #serverKey: Uint8Array | undefined

  /** Without `pin` the key that the server shows at first is the one that it must have from then on. */
  constructor(server: Endpoint, pin: string | undefined, parts: AgentV2Parts) {
    this.#server = server
    this.#pin = pin
    this.#parts = parts
    this.#context = { limits: parts.limits, flusher: new Flusher(parts.limits, parts.clock) }
  }

  /** @throws {SealwireError} `untrusted` when the server has another key; what `readSealedKey` and `connect` throw. */
  async dial(signal: AbortSignal): Promise<AgentPeer> {
    const { clock, limits } = this.#parts
    const place = { ...this.#server, timeoutMs: limits.clientDialMsMax }
    const pin = (this.#pin ??= keyPin(await readSealedKey({ ...place, signal }, this.#context)))
    const dial = async (options: { signal?: AbortSignal }): Promise<DialledLink> => {
      const link = await dialSealed({ ...place, pin, serverKey: this.#serverKey, ...options }, this.#context)
      if (link.successor !== undefined) [this.#serverKey, this.#pin] = [link.successor, keyPin(link.successor)]
      return link
    }
    const client = await connect({ name: 'sealwire agent', signal }, { dial, checksum, ...this.#parts })
    // Nobody logs in here, and a server waits for that only so long.
    const patience = clock.monotonic() + limits.loginMsMax / 2
    return {
      pin,
      renewBefore: Math.min(patience, client.renewBefore ?? Infinity),
      echo: async (data, stop) => (await client.request('session.echo', { data }, { signal: stop })).data,
      close: () => client.drain(),
    }
  }
}

const checksum = (bytes: Uint8Array, start: number, end: number): number => crc32(bytes.subarray(start, end))
