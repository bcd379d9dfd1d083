// An order is sent, as the same bytes, until it is known what became of it. As long as nothing was sent it is given up like any
// other call; afterwards only an answer ends it, or the end of all connections, or whoever waits: then it may have been carried
// out, and the error says so.

import { SealwireError } from '../../protocol/index.ts'
import type { Params, Result } from '../../protocol/contract/index.ts'
import type { CallOptions, Calls } from '../calls.ts'
import { isPassing } from '../refusals.ts'

/**
 * Carries out a signed order.
 * @throws {SealwireError} the server's refusal: nothing has moved; `unreachable`, or why there is no connection any more, before it was
 * sent; `unknown_outcome` when it may have been carried out, and the signal aborts or there is no connection any more.
 */
export async function carryOut(
  calls: Pick<Calls, 'ready' | 'pause'>,
  params: Params<'payment.order'>,
  { signal }: CallOptions = {},
): Promise<Result<'payment.order'>> {
  let isDoubtful = false
  for (let tries = 1; ; tries++) {
    let isSent = false
    try {
      const { client } = await calls.ready(signal)
      if (signal?.aborted === true) throw new SealwireError('unreachable', 'the order was given up')
      isSent = true
      return await client.request('payment.order', params, signal === undefined ? {} : { signal })
    } catch (reason) {
      const error = SealwireError.from(reason)
      if (isSent && isDecided(error)) throw error
      isDoubtful ||= isSent && leavesDoubt(error)
      const isWorthIt = isSent ? isPassing(error) : error.code === 'unreachable'
      if (!isDoubtful && (!isSent || tries >= triesMax)) throw error
      if (!isWorthIt || signal?.aborted === true) throw isDoubtful ? unknown(error) : error
      // Whoever loses its connection waits for the next one, but the first time that is all.
      if (isSent && (tries > 1 || !error.fatal)) await eitherOf(calls.pause(Math.min(tries, pausesMax)), signal)
    }
  }
}

/** Whether the server has refused the order itself. */
export function isDecided(error: SealwireError): boolean {
  return !isPassing(error) && !leavesDoubt(error)
}

/** Whether the order may have been carried out, because no answer will come: the connection has ended, or the wait for it. */
export function leavesDoubt({ code, fatal }: SealwireError): boolean {
  return fatal || code === 'unknown_outcome' || code === 'account_banned'
}

/** Waits for a pause to be over, or for the signal. */
async function eitherOf(pause: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const abort = (): void => resolve()
  signal?.addEventListener('abort', abort, { once: true })
  await Promise.race([pause, promise])
  signal?.removeEventListener('abort', abort)
}

function unknown(cause: SealwireError): SealwireError {
  return new SealwireError('unknown_outcome', 'the order may have been carried out', {
    cause,
    hint: 'order the same under the same id, or ask what became of it',
  })
}

/** As often is tried what was certainly not done. */
const triesMax = 5
/** The longest pause is that of the fourth try. */
const pausesMax = 4
