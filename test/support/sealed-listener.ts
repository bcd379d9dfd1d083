// Sealed listeners in the place of TLS ones, for harnesses that know only the latter.

import { KeyPair } from '../../src/channel/index.ts'
import { listenSealed, type listenTls, type SealedListenOptions } from '../../src/link/index.ts'

/** The static key of every such listener. */
export const serverKeys = KeyPair.generate()

/** Listens for the sealed channel, whatever is said of certificates. */
export function sealedListen({ staticKey = serverKeys, ...options }: SealedSupport = {}): typeof listenTls {
  return ({ host, port }, handlers, context) =>
    listenSealed({ host, port, keys: () => ({ current: staticKey }), serverId: new Uint8Array(16), ...options }, handlers, context)
}

/** `staticKey`: default `serverKeys`. */
type SealedSupport = Partial<SealedListenOptions> & { readonly staticKey?: KeyPair }
