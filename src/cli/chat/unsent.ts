// What was said in this chat and is not sent yet: all of it can be taken back.

import type { Sent } from '../../client/index.ts'
import { SealwireError } from '../../protocol/errors.ts'

/** How many lines were taken back, and how many were on their way and may be sent. */
export interface TakenBack {
  readonly count: number
  readonly perhaps: number
}

export class Unsent {
  #batch = newBatch()

  /** Resolves with nothing when it was taken back. @throws {SealwireError} what `act` throws. */
  async send(act: (signal: AbortSignal) => Promise<Sent>): Promise<Sent | undefined> {
    const { back, waiting } = this.#batch
    const sent = act(back.signal)
    waiting.add(sent)
    try {
      return await sent
    } catch (reason) {
      if (back.signal.aborted && (codeOf(reason) === notSent || codeOf(reason) === inDoubt)) return undefined
      throw inOwnWords(reason)
    } finally {
      waiting.delete(sent)
    }
  }

  async takeBack(): Promise<TakenBack> {
    const { back, waiting } = this.#batch
    this.#batch = newBatch()
    const all = Promise.allSettled(waiting)
    back.abort()
    const codes = (await all).map((outcome) => (outcome.status === 'rejected' ? codeOf(outcome.reason) : undefined))
    return { count: codes.filter((code) => code === notSent).length, perhaps: codes.filter((code) => code === inDoubt).length }
  }
}

/** What a full outbox says to do is for programs. */
export function inOwnWords(reason: unknown): unknown {
  if (codeOf(reason) !== 'busy') return reason
  const hint = 'say it again when some of them are sent; /unsend throws them away'
  return new SealwireError('busy', SealwireError.from(reason).sentence, { cause: reason, hint })
}

function newBatch() {
  return { back: new AbortController(), waiting: new Set<Promise<Sent>>() }
}

function codeOf(reason: unknown) {
  return SealwireError.from(reason).code
}

const notSent = 'unreachable'
const inDoubt = 'unknown_outcome'
