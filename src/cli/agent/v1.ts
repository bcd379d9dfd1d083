// The agent's connection in v1, the fifth seed's wire. Nothing in it proves who the server is, so it has no pin.

import { connect, type Socket } from 'node:net'
import { type V1Channel, V1Client } from '../../channel/index.ts'
import type { Clock } from '../../domain/clock.ts'
import { systemErrors } from '../../link/dial-error.ts'
import { errorCode } from '../../pki/durable-file.ts'
import { assert, SealwireError } from '../../protocol/errors.ts'
import type { FrameSink } from '../../protocol/frame.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { AgentPeer } from './run.ts'
import { type Endpoint, formatEndpoint } from '../options/endpoint.ts'

export interface AgentV1Parts {
  readonly clock: Clock
  readonly limits: Limits
}

/**
 * Connects and shakes hands. Aborting the signal ends the connection at once.
 * @throws {SealwireError} `unreachable`, `connection_lost`; `channel_broken` for what is no v1.
 */
export async function dialV1(server: Endpoint, parts: AgentV1Parts, signal: AbortSignal): Promise<AgentPeer> {
  const peer = new V1Peer(server, parts, signal)
  try {
    await peer.greet()
    return peer
  } catch (reason) {
    peer.cut()
    throw reason
  }
}

class V1Peer implements AgentPeer {
  readonly pin = undefined
  readonly #server: Endpoint
  readonly #parts: AgentV1Parts
  readonly #socket: Socket
  readonly #reads: AsyncIterator<unknown, unknown>
  #channel: V1Channel | undefined
  #isConnected = false

  constructor(server: Endpoint, parts: AgentV1Parts, signal: AbortSignal) {
    this.#server = server
    this.#parts = parts
    this.#socket = connect({ ...server, noDelay: true })
    this.#reads = this.#socket[Symbol.asyncIterator]()
    const abort = (): void => void this.#socket.destroy(new SealwireError('connection_lost', 'the connection was given up'))
    this.#socket.once('connect', () => (this.#isConnected = true))
    // Also when nobody reads: an end that nobody waits for is told by the next echo.
    this.#socket.on('error', () => {})
    this.#socket.once('close', () => signal.removeEventListener('abort', abort))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  }

  /** The handshake. */
  async greet(): Promise<void> {
    const { limits } = this.#parts
    const client = new V1Client({ limits })
    this.#socket.write(client.hello())
    await this.#within(limits.clientDialMsMax, this.#silent(), async () => {
      while (this.#channel === undefined) this.#channel = client.received(await this.#read()).channel
    })
  }

  async echo(message: Uint8Array): Promise<Uint8Array> {
    const channel = this.#channel
    assert(channel !== undefined, 'an echo before the handshake')
    const sink = new FrameBytes()
    channel.write(sink, message)
    this.#socket.write(sink.bytes)
    const late = new SealwireError('connection_lost', 'nothing came back in time')
    return this.#within(this.#parts.limits.clientRequestMsMax, late, async () => {
      for (let answer = channel.next(); ; answer = channel.next()) {
        if (answer !== undefined) return answer
        channel.push(await this.#read())
      }
    })
  }

  async close(): Promise<void> {
    this.#channel?.destroy()
    if (this.#socket.closed) return
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.resume()
    this.#socket.end()
    const timer = this.#parts.clock.after(this.#parts.limits.clientGoodbyeMsMax, () => this.cut())
    await closed
    timer.cancel()
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** What one read brought, in memory of its own. */
  async #read(): Promise<Uint8Array> {
    const read = await this.#reads.next().catch((cause: unknown) => {
      throw this.#lost(cause)
    })
    if (!(read.value instanceof Uint8Array)) throw this.#lost()
    return read.value
  }

  /** What `action` comes to, unless it takes so long that the connection is cut for `late`. */
  async #within<T>(ms: number, late: SealwireError, action: () => Promise<T>): Promise<T> {
    const timer = this.#parts.clock.after(ms, () => this.#socket.destroy(late))
    try {
      return await action()
    } finally {
      timer.cancel()
    }
  }

  #lost(cause?: unknown): SealwireError {
    if (SealwireError.is(cause)) return cause
    const words = this.#isConnected ? undefined : systemErrors[errorCode(cause) ?? '']
    if (words !== undefined) {
      const { code, sentence: what, hint } = words
      return new SealwireError(code, `${formatEndpoint(this.#server)} ${what}`, { cause, hint })
    }
    const sentence =
      this.#channel === undefined ? 'the server ended the connection during the handshake' : 'the server ended the connection'
    return new SealwireError('connection_lost', sentence, { cause, hint: serverHint })
  }

  #silent(): SealwireError {
    const seconds = this.#parts.limits.clientDialMsMax / 1000
    return new SealwireError('unreachable', `${formatEndpoint(this.#server)} did not answer within ${seconds} s`, { hint: serverHint })
  }
}

/** Room for one frame. */
class FrameBytes implements FrameSink {
  bytes = new Uint8Array(0)

  reserve(count: number): number {
    this.bytes = new Uint8Array(count)
    return 0
  }
}

const serverHint = 'check the port, and that the server was started with --sealed and --sealed-v1'
