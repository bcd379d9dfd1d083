// What is true only now of whom one talks with: that they come, go and type; and that they may know the same of us.

import type { LiveEvent } from '../../client/index.ts'
import type { Clock } from '../../domain/clock.ts'
import type { ChatNews } from './news.ts'
import type { Talking } from './talk.ts'
import type { Talker } from './talker.ts'

export interface LiveParts {
  readonly me: Pick<Talker, 'state'>
  readonly tell: (news: ChatNews) => void
  readonly clock: Pick<Clock, 'monotonic'>
}

export class Live {
  readonly #parts: LiveParts
  #typedAt = Number.NEGATIVE_INFINITY
  /** Who was told to type, and has said nothing since. */
  #typer: string | undefined

  constructor(parts: LiveParts) {
    this.#parts = parts
  }

  /** Takes what is told live. */
  notice({ event, data }: LiveEvent, { place }: Talking): void {
    if (event === 'presence.changed' && data.name === place.peer) this.#parts.tell({ event: data.here ? 'here' : 'gone', name: data.name })
    if (event !== 'presence.typing' || data.conversation !== place.conversation || this.#typer === data.name) return
    this.#typer = data.name
    this.#parts.tell({ event: 'typing', name: data.name })
  }

  /** Something was said: who types next is news again. */
  said(): void {
    this.#typer = undefined
  }

  /** Somebody types here: whom one talks with may know, now and then. */
  typing({ conversation }: Talking): void {
    const now = this.#parts.clock.monotonic()
    if (this.#parts.me.state !== 'online' || now - this.#typedAt < typingEveryMs) return
    this.#typedAt = now
    conversation.typing().catch(() => {})
  }
}

const typingEveryMs = 3_000
