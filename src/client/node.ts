// The client on Node and Bun: a pinned connection under it, TLS or the sealed channel, the machine's clock, and a CRC-32 that is not JavaScript.

import type { KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { KeyPair, keyPin } from '../channel/index.ts'
import { type Clock, systemClock } from '../domain/index.ts'
import {
  applicationProtocol,
  type ClientCertificate,
  type DialledLink,
  dialPinned,
  dialSealed,
  Flusher,
  type LinkContext,
} from '../link/index.ts'
import { isPin, spkiPin } from '../pki/pin.ts'
import { type Checksum, resolveLimits } from '../protocol/index.ts'
import { type Client, type ClientOptions, connect } from './client.ts'

export { type Client, type ClientOptions } from './client.ts'

/** Which server, and how to know it. */
export interface NodeClientOptions extends ClientOptions {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** Fingerprint of the server's authority, or of its static key where `sealed` is given: `SHA256:…`, as the server prints it. */
  readonly pin: string
  /** Through the sealed channel. Default: over TLS. */
  readonly sealed?: SealedWay
  /** Whole dial, TCP and handshake, in ms. Default 10,000 (limit `clientDialMsMax`). */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Certificate and key of a device: shown to the server once it has proved itself. Default: none. */
  readonly clientCertificate?: ClientCertificate
  /**
   * Told the fingerprint that takes the place of `pin`: the server has another authority by now, or announces another static
   * key, and the key that was trusted has vouched for it. Whoever keeps the pin keeps this one instead.
   */
  readonly pinMoved?: (pin: string) => void
}

/** What is known of both sides of a sealed channel. */
export interface SealedWay {
  /** The server's static key, 32 bytes. Default: it is shown by the server, and must have the pin. */
  readonly serverKey?: Uint8Array | undefined
  /** The X25519 key of a device, by which a server whose key is known knows us. Default: none. */
  readonly deviceKey?: KeyObject | undefined
  /** Told the server's static key once it has proved it, or the one that takes its place, which it has announced. */
  readonly keySeen?: (serverKey: Uint8Array) => void
}

/**
 * Connects to the server that has this pin, and to no other.
 * @throws {SealwireError} `unreachable`; `untrusted` when the server has another key or its certificate does not hold; and
 * what `connect` throws.
 * @throws {TypeError} for options that are not what they should be.
 */
export async function connectNode(options: NodeClientOptions, { clock = systemClock }: { clock?: Clock } = {}): Promise<Client> {
  const limits = resolveLimits()
  const { host, port, pin, pinMoved, clientCertificate, sealed, timeoutMs = limits.clientDialMsMax, ...others } = checked(options)
  const shown = clientCertificate === undefined ? {} : { clientCertificate }
  const context = { limits, flusher: new Flusher(limits, clock) }
  const place = { host, port, pin, timeoutMs }
  const dial = (dialled: { signal?: AbortSignal }): Promise<DialledLink> =>
    sealed === undefined
      ? dialPinned({ ...place, pinOf: spkiPin, pinMoved, ...shown, applicationProtocol, ...dialled }, context)
      : dialThroughSeal({ ...place, pinMoved, ...dialled }, sealed, context)
  return connect(others, { dial, clock, limits, checksum })
}

async function dialThroughSeal(
  { pinMoved, ...place }: Parameters<typeof dialSealed>[0] & { readonly pinMoved?: NodeClientOptions['pinMoved'] | undefined },
  { serverKey, deviceKey, keySeen }: SealedWay,
  context: LinkContext,
): Promise<DialledLink> {
  const staticKey = deviceKey && KeyPair.of(deviceKey)
  const link = await dialSealed({ ...place, serverKey, staticKey }, context)
  const { successor } = link
  const key = successor ?? link.security.peerStaticKey
  if (key !== undefined) keySeen?.(key)
  if (successor !== undefined) pinMoved?.(keyPin(successor))
  return link
}

function checked(options: NodeClientOptions): NodeClientOptions {
  const { host, port, pin, timeoutMs } = options
  if (typeof host !== 'string' || host === '') throw new TypeError('host is a name or an address')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new TypeError('port is a number from 1 to 65535')
  if (!isPin(pin)) throw new TypeError('pin is a fingerprint, SHA256: and 43 characters')
  if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && timeoutMs > 0)) {
    throw new TypeError('timeoutMs is a whole number of milliseconds over 0')
  }
  return options
}

/** CRC-32 that is not JavaScript. */
export const checksum: Checksum = (bytes, start, end) => crc32(bytes.subarray(start, end))
