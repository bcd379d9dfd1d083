import type { AddressInfo, Server } from 'node:net'
import { listenError } from './listen-error.ts'

/** Where to listen. */
export interface ListenPlace {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/**
 * Binds a server; resolves with its port once it accepts connections.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export async function bindServer(server: Server, { host, port }: ListenPlace, backlog: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const refused = (cause: Error): void => reject(listenError({ host, port }, cause))
  server.once('error', refused)
  server.listen({ host, port, backlog }, resolve)
  await promise
  server.off('error', refused)
  server.on('error', () => {}) // An accept that failed, for want of a descriptor: it concerns nobody who is connected.
  return (server.address() as AddressInfo).port
}
