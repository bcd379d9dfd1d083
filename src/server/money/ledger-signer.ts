// What a server signs its ledger with.

import type { LedgerKey } from '../../pki/ledger-key.ts'

/** The key of the ledger, and who says that it is. */
export interface LedgerSigner extends Pick<LedgerKey, 'publicKey' | 'sign'> {
  /** By the authority of today over the number of the server and the key; `undefined` where there is none. */
  certificate(serverId: Uint8Array): Uint8Array | undefined
}
