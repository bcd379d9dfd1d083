// What the commands about money have in common: somebody who has joined, whose device signs, and who tries again under the same
// id when no answer comes.

import { createHash } from 'node:crypto'
import { Payments } from '../client/payments.ts'
import type { Client } from '../client/node.ts'
import { refuseForked } from '../client/home/checkpoints.ts'
import type { Home } from '../client/home/home.ts'
import { deviceRequired, readOrderKey } from '../client/home/order-signer.ts'
import { systemClock } from '../domain/clock.ts'
import { signCose } from '../pki/cose-sign1.ts'
import type { Result } from '../protocol/contract/index.ts'
import type { Advice } from './advice.ts'
import { freshId } from './id.ts'
import { openMember } from './member.ts'
import type { Ordering } from './ordering.ts'
import { tryUntil } from './passing.ts'

/** What commands about money work with. */
export interface Purse {
  readonly client: Pick<Client, 'request'>
  readonly payments: Payments
}

/**
 * Opens a member whose device signs, lets `use` do its work, and ends in order. Without an answer everything is done again for
 * up to 15 s: orders are the same bytes each time. `ordering`: what `use` orders, if it does.
 * @throws {SealwireError} `unknown_outcome` when it may have been done, with how to find out; `ledger_forked` after an audit found
 * two histories; `device_required` where this home is no device; what the server refuses.
 */
export async function withPurse<T>(home: Home, use: (purse: Purse) => Promise<T>, ordering?: Ordering): Promise<T> {
  refuseForked(home)
  const tries = { clock: systemClock, until: systemClock.monotonic() + tryMs, advice }
  try {
    return await tryUntil(tries, () => useOnce(home, use, ordering))
  } catch (reason) {
    throw ordering === undefined ? reason : await ordering.ended(reason)
  }
}

async function useOnce<T>(home: Home, use: (purse: Purse) => Promise<T>, ordering: Ordering | undefined): Promise<T> {
  await using member = await openMember(home, { clock: systemClock, isForMoney: true })
  const { client } = member
  const { server } = client.welcome
  const key = readOrderKey(home)
  if (server === undefined) throw deviceRequired()
  const payments = new Payments({
    call: (method, params) => client.request(method, params),
    order(params) {
      const sending = (): Promise<Result<'payment.order'>> => client.request('payment.order', params)
      return ordering === undefined ? sending() : ordering.send(sending)
    },
    server: async () => server,
    newId: freshId,
    sign: async (payload, purpose) => signCose(payload, purpose, key),
    hash: async (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
  })
  return await use({ client, payments })
}

const advice: Advice = {
  insufficient_funds: 'sealwire balance tells what there is',
  limit_exceeded: 'wait until tomorrow, or ask the operator',
  frozen: 'ask the operator',
  amount_invalid: 'write an amount such as 5 or 12.50',
  expired: 'order it again under a fresh id',
  not_found: 'check the name or the id',
  conflict: 'this id belongs to another order: leave --id out, or ask with sealwire statement what it was',
  unknown_outcome: 'it may have been done: repeat the command with the same --id',
}
const tryMs = 15_000
