// Somebody who has joined, for a work that outlives its connections: the first one has to come about in time, later ones are made
// again by themselves.

import type { Clock } from '../../domain/clock.ts'
import type { Home } from '../../client/home/home.ts'
import { openSealwire } from '../../client/home/open-sealwire.ts'
import type { Sealwire } from '../../client/sealwire.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { adviseMember, warnOf } from './member.ts'
import { usualTryMs } from './passing.ts'

export interface ConnectedParts {
  readonly clock: Clock
  /** Gives up the first connection. */
  readonly signal: AbortSignal
  /** For how long it is tried, in ms. Default: 15,000, as `sealwire send` tries. */
  readonly tryMs?: number
}

/**
 * Connects to the server that was joined from `home`, again and again while that fails with what may pass.
 * @throws {SealwireError} why the last try has failed, with what to do next; `unreachable` when none has come to its end, or the signal aborts.
 */
export async function connected(home: Home, { clock, signal, tryMs = usualTryMs }: ConnectedParts): Promise<Sealwire> {
  const giveUp = new AbortController()
  const me = await openSealwire(home.path, { offline: true, warn: warnOf })
  const deadline = clock.after(tryMs, () => giveUp.abort())
  let last: SealwireError | undefined
  try {
    for await (const state of me.states({ signal: AbortSignal.any([signal, giveUp.signal]) })) {
      if (state === 'online') return me
      if (state === 'offline') last = me.reason
    }
    throw signal.aborted ? givenUp() : (last ?? silent(tryMs))
  } catch (reason) {
    await me.close()
    throw adviseMember(home, reason)
  } finally {
    deadline.cancel()
  }
}

function givenUp(): SealwireError {
  return new SealwireError('unreachable', 'the wait for a connection was given up')
}

function silent(ms: number): SealwireError {
  return new SealwireError('unreachable', `the server did not answer within ${ms / 1_000} s`, {
    hint: 'see whether it is there, and try again',
  })
}
