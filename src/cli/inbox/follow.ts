// An inbox that is followed: when its connection is lost it is made again, as that of a chat is, until somebody interrupts it.

import { isFinal } from '../../client/refusals.ts'
import { Retries } from '../../client/retry.ts'
import type { Clock } from '../../domain/clock.ts'
import { keepAlive } from '../../domain/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { resolveLimits } from '../../protocol/limits.ts'

/** What following works with. */
export interface FollowParts {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** From 0 to 1. */
  readonly random: () => number
  /** Told of each connection that was lost. */
  readonly lost: (reason: unknown) => void
}

/**
 * Calls `session` again and again, which says when it is logged in and ends with its connection; in between there is a random part of
 * 0.5 s, 1 s, 2 s … 30 s. Resolves when the signal aborts.
 * @throws {unknown} what the first session throws before it is logged in; afterwards what does not pass.
 */
export async function follow(session: (opened: () => void) => Promise<void>, parts: FollowParts): Promise<void> {
  using _alive = keepAlive()
  const { clock, signal, random, lost } = parts
  const retries = new Retries({ clock, limits: resolveLimits(), random })
  let [openedAt, wasOpen] = [Infinity, false]
  while (!signal.aborted) {
    openedAt = Infinity
    let reason: unknown = new SealwireError('connection_lost', 'the server did not answer any more')
    try {
      await session(() => {
        openedAt = clock.monotonic()
        wasOpen = true
      })
    } catch (thrown) {
      reason = thrown
    }
    if (signal.aborted) return
    if (!wasOpen || isFinal(reason) || isBug(reason)) throw reason
    if (openedAt !== Infinity) lost(reason)
    retries.wasOpen(openedAt)
    await pause(retries.nextMs(), parts)
  }
}

/** A bug of ours has a cause, one of the server has none. */
function isBug(reason: unknown): boolean {
  const { code, cause } = SealwireError.from(reason)
  return code === 'internal' && cause !== undefined
}

async function pause(ms: number, { clock, signal }: FollowParts): Promise<void> {
  const over = Promise.withResolvers<void>()
  const end = (): void => over.resolve()
  const timer = clock.after(ms, end)
  signal.addEventListener('abort', end, { once: true })
  await over.promise
  signal.removeEventListener('abort', end)
  timer.cancel()
}
