// SIGTERM and SIGINT ask a command to end in order. A person who presses Ctrl-C once more wants it to end now. What cannot be ended
// in order ends at once, and says before how it stands.

import { constants } from 'node:os'
import type { Clock } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'

export interface StopSignal extends Disposable {
  /** Aborted by the first signal; its reason is an error of which {@link endSignalOf} tells the signal. */
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
    stop.abort(new SealwireError('stopping', `ended by ${name}`, { cause: new EndSignal(name) }))
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

/** How it stands when a command was stopped half-way, and what to do next: sentences without a full stop. */
export interface HalfWay {
  /** What there is not. */
  readonly how?: string
  /** What is left, and what to do. */
  readonly next: string
}

/**
 * Runs what a signal, SIGHUP too, may stop half-way: `run` undoes what it has done, and rejects with the reason of the signal.
 * @throws {SealwireError} what `run` throws; {@link stopped} when that was the signal.
 */
export async function stoppable(clock: Clock, halfWay: HalfWay, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  using stop = stopOnSignals({ clock, hangup: true })
  try {
    await run(stop.signal)
  } catch (reason) {
    throw endSignalOf(reason) === undefined ? reason : stopped(stop.signal, halfWay)
  }
}

/** Why a command ends that was stopped: with the exit code of the signal. */
export function stopped(signal: AbortSignal, { how, next }: HalfWay): SealwireError {
  const why = SealwireError.from(signal.reason)
  return new SealwireError('stopping', how === undefined ? why.sentence : `${why.sentence}: ${how}`, { cause: why, hint: next })
}

/** The signal because of which something was thrown, when there was one. */
export function endSignalOf(reason: unknown): NodeJS.Signals | undefined {
  let cause = reason
  while (cause instanceof Error) ({ cause } = cause)
  return cause instanceof EndSignal ? cause.name : undefined
}

/** The exit code of what a signal has ended, as shells know it. */
export function endCodeOf(name: NodeJS.Signals): number {
  return 128 + constants.signals[name]
}

/** What `work` resolves with; rejects as soon as the signal is aborted, with its reason, whatever becomes of the work. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(SealwireError.from(signal.reason))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, work])
  } finally {
    signal.removeEventListener('abort', abort)
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
  process.exit(endCodeOf(name))
}

/** The innermost cause of what a signal has ended. */
class EndSignal {
  readonly name: NodeJS.Signals

  constructor(name: NodeJS.Signals) {
    this.name = name
  }
}

const repeatMsMin = 1000
