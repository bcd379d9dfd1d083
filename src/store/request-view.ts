// What each of the two is shown of a request to pay. The store says with every request how much of it the one who is asked may
// see; whoever hands one on, in a list or as news, asks here.

import type { PaymentRequest } from './ledger.ts'

/** As `viewerId` sees it: without its memo, or not at all. Who asks sees all of it and nothing of this: a block is silent. */
export function requestSeenBy(request: PaymentRequest, viewerId: bigint): PaymentRequest | undefined {
  if (viewerId === request.from.id || request.shown === 'all') return request
  return request.shown === 'nothing' ? undefined : { ...request, memo: undefined }
}
