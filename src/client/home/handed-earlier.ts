// Orders that programs of a home with direct links were handed: one without them has them settled too, before they expire.

import { systemClock } from '../../domain/clock.ts'
import { resolveLimits } from '../../protocol/index.ts'
import type { HandedCore, HandedPart } from '../direct/part.ts'
import { HeldOrders } from '../direct/held-orders.ts'
import { OrderFiles } from './held-order-files.ts'
import type { Home } from './home.ts'

/** What brings them to the server, of the account `name` of a home. */
export function handedEarlier(home: Home, name: string): (core: HandedCore) => HandedPart {
  const limits = resolveLimits()
  const store = new OrderFiles(home, { name, limits, clock: systemClock })
  return ({ calls, clock, session }) => new HeldOrders({ calls, clock, limits, online: () => session() !== undefined, store })
}
