// HOST:PORT and ports, refused in the words of the place where they were written.

import { type Endpoint, readEndpoint, readPort } from '../../client/home/endpoint.ts'
import { type Origin, refuse } from './origin.ts'

export { type Endpoint, formatEndpoint } from '../../client/home/endpoint.ts'

/**
 * Reads `HOST:PORT`: `127.0.0.1:5555`, `localhost:5555`, `[::1]:5555`.
 * @throws {SealwireError} `usage` or `config_invalid`, as `origin` says, for everything else.
 */
export function parseEndpoint(text: string, origin: Origin): Endpoint {
  const read = readEndpoint(text)
  if ('fault' in read) throw refuse(origin, text, read.fault, read.hint)
  return read
}

/**
 * Reads a port, 0 to 65535, in plain decimal digits.
 * @throws {SealwireError} `usage` or `config_invalid`, as `origin` says, for everything else.
 */
export function parsePort(text: string, origin: Origin): number {
  const port = readPort(text)
  if (port === undefined) throw refuse(origin, text, 'is not a port from 0 to 65535', 'write a number such as 5555')
  return port
}
