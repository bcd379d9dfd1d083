// HOST:PORT as people write it. The host is never left out: an address that nobody named would open a server to every
// network, so whoever wants that says 0.0.0.0 or [::].

import { isIP, isIPv6 } from 'node:net'

/** A place to listen at or to dial. */
export interface Endpoint {
  /** A name or an address, without brackets. */
  readonly host: string
  /** 0 to 65535; to listen at port 0 is to let the system choose one. */
  readonly port: number
}

/** Why a text is no endpoint: what it is or has, and what to write. */
export interface EndpointFault {
  readonly fault: string
  readonly hint: string
}

/** Reads `HOST:PORT`: `127.0.0.1:5555`, `localhost:5555`, `[::1]:5555`. */
export function readEndpoint(text: string): Endpoint | EndpointFault {
  const colon = text.lastIndexOf(':')
  const written = text.slice(0, colon)
  const host = written.replace(/^\[(.*)\]$/, '$1')
  if (colon < 0) return { fault: 'has no port', hint: form }
  if (host === '' || host === '*') {
    return { fault: 'names no host', hint: 'write 0.0.0.0 or [::] for every address, 127.0.0.1 for this machine alone' }
  }
  if (isIPv6(host) && host === written) return { fault: 'is an IPv6 address without brackets', hint: form }
  if (!isHost(host, written)) return { fault: 'has an impossible host', hint: form }
  const port = readPort(text.slice(colon + 1))
  return port === undefined ? { fault: 'has no port from 0 to 65535', hint: form } : Object.freeze({ host, port })
}

/** A port, 0 to 65535, in plain decimal digits; `undefined` for everything else. */
export function readPort(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

/** `HOST:PORT`, with the brackets of an IPv6 address. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

function isHost(host: string, written: string): boolean {
  if (host !== written) return isIPv6(host)
  return isIP(host) !== 0 || (hostName.test(host) && !/(^|\.)\d+$/.test(host))
}

/** Names are looked up by the system; this only keeps out what no name can be. Digits at the end are a mistyped address. */
const hostName = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/i
const form = 'write it as HOST:PORT, such as 127.0.0.1:5555 or [::1]:5555'
