// An inbox that is followed: when its connection is lost it is made again, as that of a chat is, until somebody interrupts it.

import type { Client } from '../client/node.ts'
import { isFinal } from '../client/refusals.ts'
import type { Clock } from '../domain/clock.ts'
import { keepAlive } from '../domain/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { limitTable } from '../protocol/limits.ts'

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
  let [failures, openedAt, wasOpen] = [0, Infinity, false]
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
    if (!wasOpen || !passes(reason)) throw reason
    if (openedAt !== Infinity) lost(reason)
    // Whoever is thrown out again and again waits longer and longer.
    if (clock.monotonic() - openedAt >= retryMs) failures = 0
    await pause(random() * Math.min(retryMsMax, retryMs * 2 ** Math.min(failures++, 30)), parts)
  }
}

/** Ends a connection on which nothing comes any more, not even the answer to a ping, until it is disposed. */
export function watchSilence(client: Pick<Client, 'request' | 'heardAt' | 'close'>, clock: Clock): Disposable {
  const watch = clock.every(idleMsMax, () => {
    if (clock.monotonic() - client.heardAt < idleMsMax) return
    const deadline = clock.after(pingMsMax, () => client.close())
    client.request('session.ping', {}).then(
      () => deadline.cancel(),
      () => {}, // The connection is over, or its deadline comes.
    )
  })
  return { [Symbol.dispose]: () => watch.cancel() }
}

/** What may be otherwise the next time: what the connection or the server says. A bug of ours, which has a cause, does not go away by itself. */
function passes(reason: unknown): boolean {
  if (!SealwireError.is(reason) || isFinal(reason)) return false
  return reason.code !== 'internal' || reason.cause === undefined
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

const { value: retryMs } = limitTable.clientRetryMs
const { value: retryMsMax } = limitTable.clientRetryMsMax
const { value: idleMsMax } = limitTable.clientIdleMsMax
const { value: pingMsMax } = limitTable.clientPingMsMax
