// Time is given to whoever needs it, so that tests and the simulator can be its master.

/** Something that was going to happen. */
export interface Timer {
  cancel(): void
}

/** Where time comes from. Timers never keep the process alive. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Milliseconds that never go back, for measuring how long something took. */
  monotonic(): number
  /** Calls `action` once after `ms` milliseconds; never keeps the process alive. */
  after(ms: number, action: () => void): Timer
  /** Calls `action` every `ms` milliseconds; never keeps the process alive. */
  every(ms: number, action: () => void): Timer
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, action: () => void): Timer {
    const timer = setTimeout(action, ms)
    letGo(timer)
    return { cancel: () => clearTimeout(timer) }
  },
  every(ms: number, action: () => void): Timer {
    const timer = setInterval(action, ms)
    letGo(timer)
    return { cancel: () => clearInterval(timer) }
  },
})

/** Resolves when `work` is done, or after `ms` milliseconds. What it rejects with is thrown, if it does so in time. */
export async function waitAtMost(clock: Pick<Clock, 'after'>, ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const deadline = clock.after(ms, resolve)
  try {
    await Promise.race([promise, work])
  } finally {
    deadline.cancel()
  }
}

/** Keeps the process alive until it is disposed, because timers and lost connections do not; nothing in a browser. */
export function keepAlive(): Disposable {
  const timer = setInterval(() => {}, longestTimerMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

const longestTimerMs = 0x7fff_ffff

/** In a browser a timer is a number, and there is no process to keep alive. */
function letGo(timer: number | { unref(): unknown }): void {
  if (typeof timer === 'object') timer.unref()
}
