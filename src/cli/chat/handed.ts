// Payments that contacts have handed over, in a chat: told while they wait, and what becomes of them.

import type { HeldOrder } from '../../client/direct/direct.ts'
import type { Clock } from '../../domain/clock.ts'
import { Recent } from '../../domain/recent.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { DirectNews } from './direct-news.ts'
import type { Talker } from './talker.ts'

export interface ChatHandedParts {
  readonly me: Pick<Talker, 'handed'> & { readonly payments: Pick<Talker['payments'], 'amountText'> }
  readonly clock: Pick<Clock, 'after'>
  readonly tell: (news: DirectNews) => void
  /** Whether a program reads what is told: it is told of everything. Default: false. */
  readonly json?: boolean
}

export class ChatHanded {
  readonly #parts: ChatHandedParts
  /** Those of which was told that they are not settled. */
  readonly #waiting = new Recent<string, true>(limitTable.chatDirectMax.value)

  constructor(parts: ChatHandedParts) {
    this.#parts = parts
  }

  /** Follows what happens until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    for await (const order of this.#parts.me.handed?.held({ signal }) ?? []) await this.#hold(order)
  }

  /** Of what was settled at once the conversation tells. */
  async #hold(order: HeldOrder): Promise<void> {
    const isKnown = this.#waiting.find(order.id) !== undefined
    if (order.state === 'unsettled') this.#waiting.add(order.id, true)
    if (this.#parts.json !== true && isKnown === (order.state === 'unsettled')) return
    this.#parts.tell({ event: 'held', order: { ...order, amount: await this.#amountOf(order) } })
  }

  /** How many places a unit has is asked of the server where it is not known; there may be no answer. */
  async #amountOf({ minor, unit }: HeldOrder): Promise<string | undefined> {
    const given = new AbortController()
    const timer = this.#parts.clock.after(unitMsMax, () => given.abort())
    try {
      return await this.#parts.me.payments.amountText(minor, unit, { signal: given.signal })
    } catch {
      return undefined
    } finally {
      timer.cancel()
    }
  }
}

const unitMsMax = 1_000
