// The key of the server's ledger, kept in the home from the first time on: receipts are verified with it, also when the server is
// gone. A server has one for good; another one is a hard stop.

import { ledgerPublicFile, openLedgerCertificate, parseLedgerPublicKey, publicPem } from '../../pki/ledger-key.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Welcome } from '../../protocol/contract/index.ts'
import { limitTable } from '../../protocol/index.ts'
import type { Home } from './home.ts'
import type { Profile } from './profile.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'

/**
 * Keeps the ledger key that a Welcome brings, certified by an authority of the server. Which one, the connection vouches for: while
 * the authority is replaced it is the next one, and beside a certificate of the operator's own another one than that of the pin. In
 * the sealed channel it is the word of the server, which has proved its own key.
 * @throws {SealwireError} `untrusted` when it is not certified, or another one than before; what the home is refused with.
 */
export function keepLedgerKey(home: Home, { server, ledger }: Pick<Welcome, 'server' | 'ledger'>, { serverKey }: Profile): void {
  if (ledger === undefined || server === undefined) return
  if (serverKey === undefined) {
    const claim = openLedgerCertificate(ledger.certificate)
    if (!sameBytes(claim.key, ledger.key) || !sameBytes(claim.serverId, server))
      throw another('the key of its ledger is certified for something else')
  }
  const known = knownLedgerKey(home)
  if (known === undefined) return home.write(ledgerPublicFile, publicPem(ledger.key))
  if (!sameBytes(known, ledger.key)) throw another('the server shows another ledger key than before')
}

/** The key that was kept; `undefined` before the first time. @throws {SealwireError} what the home is refused with; `key_malformed`. */
export function knownLedgerKey(home: Home): Uint8Array | undefined {
  const known = home.read(ledgerPublicFile, bytesMax)
  return known === undefined ? undefined : parseLedgerPublicKey(known, home.pathOf(ledgerPublicFile))
}

function another(sentence: string): SealwireError {
  return new SealwireError('untrusted', sentence, { hint: 'ask the operator; receipts of before are verified with the key of before' })
}

const bytesMax = limitTable.ledgerKeyBytesMax.value
