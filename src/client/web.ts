// The client in a browser, over a WebSocket; it runs on Node 24 and Bun as well. Whom to trust is for the browser to judge, which
// asks the authorities of the system: there is no pin.

import { type Clock, systemClock } from '../domain/clock.ts'
import { Flusher } from '../link/flusher.ts'
import { dialWebSocket, type WebSocketDialOptions } from '../link/websocket.ts'
import { resolveLimits } from '../protocol/limits.ts'
import { type Client, type ClientOptions, connect } from './client.ts'
import type { LoggedIn } from './uplink.ts'
import type { WebDevice } from './web/device.ts'

export { type Client, type ClientOptions } from './client.ts'
export { openWebDevice, type WebDevice, type WebDeviceOptions } from './web/device.ts'
export type { WebKeyStore } from './web/keys.ts'

/** Which server. */
export interface WebClientOptions extends ClientOptions, Pick<WebSocketDialOptions, 'url' | 'open'> {
  /** Whole dial, in ms. Default 10,000 (limit `clientDialMsMax`). */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Connects to the server at `wss://HOST:PORT/sealwire`.
 * @throws {SealwireError} `unreachable`; and what `connect` throws.
 * @throws {TypeError} for options that are not what they should be.
 */
export async function connectWeb(options: WebClientOptions, { clock = systemClock }: { clock?: Clock } = {}): Promise<Client> {
  const limits = resolveLimits()
  const { url, open, timeoutMs = limits.clientDialMsMax, ...others } = options
  const context = { limits, flusher: new Flusher(limits, clock) }
  const place = { url, timeoutMs, ...(open === undefined ? {} : { open }) }
  return connect(others, { dial: (dialled) => dialWebSocket({ ...place, ...dialled }, context), clock, limits })
}

/** Which server, and as which device. */
export interface WebOpenOptions extends Omit<WebClientOptions, 'signal'> {
  /** It has been enrolled. */
  readonly device: Pick<WebDevice, 'login'>
}

/**
 * What a `Sealwire` is given as `open`.
 * @throws {SealwireError} (what is returned) what `connectWeb` and the device's `login` throw.
 */
export function webOpen({ device, ...options }: WebOpenOptions): (signal: AbortSignal) => Promise<LoggedIn> {
  return async (signal) => {
    const client = await connectWeb({ ...options, signal })
    try {
      return { client, ...(await device.login(client)) }
    } catch (reason) {
      client.close()
      throw reason
    }
  }
}
