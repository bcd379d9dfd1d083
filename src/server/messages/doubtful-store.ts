// What the store answers with `unknown_outcome` may be stored, and nobody was told of it. Soon after that those who live on such
// news look for themselves.

import type { Clock } from '../../domain/index.ts'
import { limitTable, SealwireError } from '../../protocol/index.ts'
import type { Store } from '../../store/index.ts'

/** A whole group has one outcome, and a store that failed is opened again: one look for all of them, a little later. */
const lookAfterMs = limitTable.inboxDoubtMs.value

/** The same store; `doubted` is called after an outcome that is unknown. */
export function doubtful(store: Pick<Store, 'run'>, clock: Pick<Clock, 'after'>, doubted: () => void): Pick<Store, 'run'> {
  let isDue = false
  const failed = (reason: unknown): void => {
    if (isDue || SealwireError.from(reason).code !== 'unknown_outcome') return
    isDue = true
    clock.after(lookAfterMs, () => {
      isDue = false
      doubted()
    })
  }
  return {
    run(name, input) {
      const answer = store.run(name, input)
      answer.catch(failed)
      return answer
    },
  }
}
