// SIGTERM and SIGINT ask a command to end in order. A person who presses Ctrl-C once more wants it to end now.

import { constants } from 'node:os'
import type { Clock } from '../domain/clock.ts'

export interface StopSignal extends Disposable {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal
}

/** Listens until it is disposed. A SIGINT that comes a second or more after the first signal ends the process at once. */
export function stopOnSignals({ clock }: { readonly clock: Clock }): StopSignal {
  const stop = new AbortController()
  let stoppedAt: number | undefined
  const onSignal = (name: NodeJS.Signals): void => {
    // A terminal and the launcher both send a Ctrl-C: what comes within the second is the same one.
    if (stoppedAt !== undefined && name === 'SIGINT' && clock.monotonic() - stoppedAt >= repeatMsMin)
      process.exit(128 + constants.signals.SIGINT)
    stoppedAt ??= clock.monotonic()
    stop.abort()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      process.off('SIGTERM', onSignal)
      process.off('SIGINT', onSignal)
    },
  }
}

const repeatMsMin = 1000
