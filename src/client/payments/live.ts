// Payments over whichever connection there is: what only looks is asked again when a connection is lost, and an order is sent
// until it is known what became of it.

import { SealwireError } from '../../protocol/index.ts'
import type { Calls } from '../calls.ts'
import type { Broadcast } from '../feed.ts'
import type { OrdersParts } from './orders.ts'
import type { OrderSigner, SigningParts } from './signed.ts'
import { carryOut } from './outcome.ts'
import type { PaymentChange } from './results.ts'
import type { PaymentsCall } from './views.ts'
import { Payments } from '../payments.ts'
import type { Hasher } from '../sha256.ts'

export interface LivePaymentsParts {
  readonly calls: Calls
  /** Default: nobody signs. */
  readonly sign: OrderSigner | undefined
  readonly hasher: () => Hasher
  readonly changes: Broadcast<PaymentChange>
  /** How orders are made and carried out where there are direct links. */
  readonly direct?: DirectOrders | undefined
}

/** What is asked, and given, where a contact may be reached while the server is not. */
export interface DirectOrders extends Pick<OrdersParts, 'server'> {
  readonly ask: PaymentsCall
  readonly order: SigningParts['order']
}

export function livePayments({ calls, sign = noDevice, hasher, changes, direct }: LivePaymentsParts): Payments {
  return new Payments({
    ...{ sign, changes },
    call: (...what) => calls.again(...what),
    order: (params, options) => carryOut(calls, params, options),
    newId: () => calls.newId(),
    server: ({ signal }) => serverOf(calls, signal),
    ...direct,
    async hash(bytes) {
      const hash = hasher()
      hash.update(bytes)
      return hash.digest()
    },
  })
}

/** The number of the server. @throws {SealwireError} `device_required` where it has none; `unreachable`. */
export async function serverOf(calls: Pick<Calls, 'ready'>, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { client } = await calls.ready(signal)
  if (client.welcome.server !== undefined) return client.welcome.server
  throw new SealwireError('device_required', 'money is moved by the signature of a device, and this server has none')
}

async function noDevice(): Promise<never> {
  throw new SealwireError('device_required', 'money is moved by the signature of a device, and here is none')
}
