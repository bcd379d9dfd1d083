// HOST:PORT as people write it. The host is never left out: an address that nobody named would open the server to
// every network, so whoever wants that says 0.0.0.0 or [::].

import { isIP, isIPv6 } from 'node:net'
import type { Endpoint } from '../server/server.ts'
import { type Origin, refuse } from './origin.ts'

export type { Endpoint }

/**
 * Reads `HOST:PORT`: `127.0.0.1:5555`, `localhost:5555`, `[::1]:5555`.
 * @throws {SealwireError} `usage` or `config_invalid`, as `origin` says, for everything else.
 */
export function parseEndpoint(text: string, origin: Origin): Endpoint {
  const colon = text.lastIndexOf(':')
  const written = text.slice(0, colon)
  const host = written.replace(/^\[(.*)\]$/, '$1')
  if (colon < 0) throw refuse(origin, text, 'has no port', form)
  if (host === '' || host === '*')
    throw refuse(origin, text, 'names no host', 'write 0.0.0.0 or [::] for every address, 127.0.0.1 for this machine alone')
  if (isIPv6(host) && host === written) throw refuse(origin, text, 'is an IPv6 address without brackets', form)
  if (!isHost(host, written)) throw refuse(origin, text, 'has an impossible host', form)
  const port = portOf(text.slice(colon + 1))
  if (port === undefined) throw refuse(origin, text, 'has no port from 0 to 65535', form)
  return Object.freeze({ host, port })
}

/**
 * Reads a port, 0 to 65535, in plain decimal digits.
 * @throws {SealwireError} `usage` or `config_invalid`, as `origin` says, for everything else.
 */
export function parsePort(text: string, origin: Origin): number {
  const port = portOf(text)
  if (port === undefined) throw refuse(origin, text, 'is not a port from 0 to 65535', 'write a number such as 5555')
  return port
}

/** `HOST:PORT`, with the brackets of an IPv6 address. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

function portOf(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

function isHost(host: string, written: string): boolean {
  if (host !== written) return isIPv6(host)
  return isIP(host) !== 0 || (hostName.test(host) && !/(^|\.)\d+$/.test(host))
}

/** Names are looked up by the system; this only keeps out what no name can be. Digits at the end are a mistyped address. */
const hostName = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/i
const form = 'write it as HOST:PORT, such as 127.0.0.1:5555 or [::1]:5555'
