// Accepting TLS on the runtime that we are on. Only its adapter is loaded: the other one's modules may not even exist here.

import type { LinkContext } from './buffered-link.ts'
import type { Listener, ListenHandlers, Ticket } from './link.ts'
import type { TlsAcceptOptions, TlsListenOptions } from './tls/options.ts'

/**
 * Starts listening; resolves when connections are accepted.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export function listenTls<T extends Ticket>(
  options: TlsListenOptions,
  handlers: ListenHandlers<T>,
  context: LinkContext,
): Promise<Listener> {
  return acceptTls(options, handlers, context)
}

/** As {@link listenTls}; for other devices too. */
export async function acceptTls<T extends Ticket>(
  options: TlsAcceptOptions,
  handlers: ListenHandlers<T>,
  context: LinkContext,
): Promise<Listener> {
  if (process.versions.bun === undefined) {
    const { listenNodeTls } = await import('./tls/node-listen.ts')
    return listenNodeTls(options, handlers, context)
  }
  const { listenBunTls } = await import('./tls/bun.ts')
  return listenBunTls(options, handlers, context)
}
