// Where and by which key a server is reached through the sealed channel: what invite links of that kind say.

import { sealedPins, type SealedPins } from '../../pki/index.ts'
import { assert } from '../../protocol/errors.ts'
import type { SealedPlace } from '../../server/operator.ts'
import type { Server } from '../../server/server.ts'
import type { ServeConfig } from '../serve/config.ts'
import type { SealedKeeper } from '../serve/sealed-keeper.ts'
import { forgetAddress, inviteAddress, recallAddress, rememberAddress } from './server-address.ts'

/** What links of a running server say, with the keys that it has by then; `undefined` when it does not speak the sealed channel. */
export function sealedPlaceOf({ hosts, sealed: listen }: ServeConfig, server: Server, keeper: SealedKeeper): SealedPlace | undefined {
  if (listen.length === 0) return undefined
  return {
    ...inviteAddress({ hosts, listen }, server.sealedEndpoints),
    get fingerprint() {
      return pinForLinks(keeper.pins)
    },
  }
}

/** While a key is being replaced a link names the next one: it has to be good after that, and clients that have it find the server before. */
function pinForLinks(pins: SealedPins | undefined): string {
  assert(pins !== undefined, 'the sealed channel without a key')
  return pins.next?.pin ?? pins.current
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
export function recallSealedPlace(folder: string, now: number): SealedPlace | undefined {
  const address = recallAddress(folder, 'sealed-address')
  const pins = sealedPins(folder, now)
  return address === undefined || pins === undefined ? undefined : { ...address, fingerprint: pinForLinks(pins) }
}
