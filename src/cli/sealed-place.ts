// Where and by which key a server is reached through the sealed channel: what invite links of that kind say.

import { type KeyPair, keyPin } from '../channel/index.ts'
import { openSealedKey, sealedKeyPin } from '../pki/index.ts'
import type { SealedPlace } from '../server/operator.ts'
import type { Server } from '../server/server.ts'
import type { ServeConfig } from './config.ts'
import { forgetAddress, inviteAddress, recallAddress, rememberAddress } from './server-address.ts'

/**
 * The static key of a server that speaks the sealed channel, made at its first start with it.
 * @throws {SealwireError} as `openSealedKey`.
 */
export function sealedKeyOf({ data, sealed }: Pick<ServeConfig, 'data' | 'sealed'>): KeyPair | undefined {
  return sealed.length === 0 ? undefined : openSealedKey(data)
}

/** What links of a running server say; `undefined` when it does not speak the sealed channel. */
export function sealedPlaceOf({ hosts, sealed: listen }: ServeConfig, server: Server, key: KeyPair | undefined): SealedPlace | undefined {
  if (key === undefined) return undefined
  return { ...inviteAddress({ hosts, listen }, server.sealedEndpoints), fingerprint: keyPin(key.publicKey) }
}

/** Notes the address for {@link recallSealedPlace}. */
export function rememberSealedPlace(folder: string, place: SealedPlace | undefined): void {
  if (place === undefined) forgetAddress(folder, 'sealed-address')
  else rememberAddress(folder, place, 'sealed-address')
}

/**
 * The place of the last server in this folder; `undefined` when that did not speak the sealed channel.
 * @throws {SealwireError} `key_unsafe`, `key_malformed` or `data_unusable` when its key is of no use.
 */
export function recallSealedPlace(folder: string): SealedPlace | undefined {
  const address = recallAddress(folder, 'sealed-address')
  const fingerprint = sealedKeyPin(folder)
  return address === undefined || fingerprint === undefined ? undefined : { ...address, fingerprint }
}
