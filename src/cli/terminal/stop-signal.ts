// SIGTERM and SIGINT ask a command to end in order. A person who presses Ctrl-C once more wants it to end now. What cannot be ended
// in order ends at once, and says before how it stands.

import { constants } from 'node:os'
import type { Clock } from '../../domain/clock.ts'

export interface StopSignal extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
}

export interface StopOptions {
  readonly clock: Clock
  /** Whether a terminal that is gone (SIGHUP) stops it too: what is half done has to be taken away. Default: it ends the process at once. */
  readonly hangup?: boolean
}

/** Listens until it is disposed, or to the end of the process once it was stopped. A SIGINT that comes a second or more after the first signal ends the process at once. */
export function stopOnSignals({ clock, hangup = false }: StopOptions): StopSignal {
  const stop = new AbortController()
  let stoppedAt: number | undefined
  const onSignal = (name: NodeJS.Signals): void => {
    // A terminal and the launcher both send a Ctrl-C: what comes within the second is the same one.
    if (stoppedAt !== undefined && name === 'SIGINT' && clock.monotonic() - stoppedAt >= repeatMsMin) endBy(name)
    stoppedAt ??= clock.monotonic()
    stop.abort()
  }
  const listening = listen(onSignal, hangup ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : undefined)
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      // Once stopped it goes on listening: the launcher's copy of the Ctrl-C can come when the command has ended already.
      if (!stop.signal.aborted) listening[Symbol.dispose]()
    },
  }
}

/** Until it is disposed the first SIGTERM or SIGINT ends the process at once, with the code of the signal; `say`: what is said before. */
export function endOnSignals(say: (name: NodeJS.Signals) => void): Disposable {
  return listen((name) => {
    say(name)
    endBy(name)
  })
}

function listen(onSignal: (name: NodeJS.Signals) => void, names: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']): Disposable {
  for (const name of names) process.on(name, onSignal)
  return {
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal)
    },
  }
}

function endBy(name: NodeJS.Signals): never {
  process.exit(128 + constants.signals[name])
}

const repeatMsMin = 1000
