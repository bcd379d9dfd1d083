// Payments over whichever connection there is: what only looks is asked again when a connection is lost, and an order is sent
// until it is known what became of it.

import { SealwireError } from '../protocol/index.ts'
import type { Calls } from './calls.ts'
import type { Broadcast } from './feed.ts'
import type { OrderSigner } from './payment-signed.ts'
import { carryOut } from './payment-outcome.ts'
import type { PaymentChange } from './payment-results.ts'
import { Payments } from './payments.ts'
import type { Hasher } from './sha256.ts'

export interface LivePaymentsParts {
  readonly calls: Calls
  /** Default: nobody signs. */
  readonly sign: OrderSigner | undefined
  readonly hasher: () => Hasher
  readonly changes: Broadcast<PaymentChange>
}

export function livePayments({ calls, sign = noDevice, hasher, changes }: LivePaymentsParts): Payments {
  return new Payments({
    ...{ sign, changes },
    call: (...what) => calls.again(...what),
    order: (...what) => carryOut(calls, ...what),
    newId: () => calls.newId(),
    async server({ signal }) {
      const { client } = await calls.ready(signal)
      if (client.welcome.server !== undefined) return client.welcome.server
      throw new SealwireError('device_required', 'money is moved by the signature of a device, and this server has none')
    },
    async hash(bytes) {
      const hash = hasher()
      hash.update(bytes)
      return hash.digest()
    },
  })
}

async function noDevice(): Promise<never> {
  throw new SealwireError('device_required', 'money is moved by the signature of a device, and here is none')
}
