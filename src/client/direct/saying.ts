// What is said over one link. A message is said once, when it is kept and before the server has it, and only where everything that
// waits for the server in this conversation was said over this link too: so the other device needs no more than the id of the
// message before, and the highest place that it cannot know of from this link.

import type { Params } from '../../protocol/contract/index.ts'
import type { Limits } from '../../protocol/index.ts'
import type { PeerParams } from '../../protocol/direct/index.ts'
import type { TalkLink } from './hearing.ts'

export interface SayingParts {
  readonly link: TalkLink
  readonly limits: Limits
  readonly conversation: number
  /** Everything up to here has to come before what is said over this link. */
  readonly base: number
  /** What waits for the server in this conversation. */
  readonly waiting: Iterable<string>
  /** The other device has stored it. */
  delivered(id: string): void
}

export class Saying {
  readonly #parts: SayingParts
  /** What waits for the server, and was not said over this link. */
  readonly #unsaid: Set<string>
  /** What waits for the server, and was said over it. */
  readonly #said = new Set<string>()
  #base: number
  #last: Uint8Array | undefined
  #unanswered = 0
  #doubts = 0
  /** How many of the doubts are none any more. */
  #cleared = 0

  constructor(parts: SayingParts) {
    this.#parts = parts
    this.#unsaid = new Set(parts.waiting)
    this.#base = parts.base
  }

  get conversation(): number {
    return this.#parts.conversation
  }

  /**
   * Says it, if it can be said.
   * @param known the highest place that is known here of what neither of the two devices made
   * @param at when it is said, milliseconds since 1970
   */
  say(id: string, message: Params<'message.send'>, { known, at }: { readonly known: number; readonly at: number }): boolean {
    const { link, limits } = this.#parts
    if (!link.open || this.isDoubtful || this.#unsaid.size > 0 || this.#unanswered >= limits.directSaysMax) return this.leave(id)
    void this.#request(id, { ...this.#words(message), at, behind: this.#behind(known) })
    this.#said.add(id)
    this.#last = message.id
    return true
  }

  /** Something of ours may have a place that is not known here: nothing is said until the last place is known. */
  doubt(): void {
    this.#doubts++
  }

  get isDoubtful(): boolean {
    return this.#doubts > this.#cleared
  }

  get doubts(): number {
    return this.#doubts
  }

  /** The last place, as it was asked for after so many `doubts`. */
  know(lastSeq: number, doubts: number): void {
    this.#base = Math.max(this.#base, lastSeq)
    this.#cleared = Math.max(this.#cleared, doubts)
  }

  /** It goes through the server alone. */
  leave(id: string): false {
    this.#unsaid.add(id)
    return false
  }

  /** The server has stored it. */
  sent(id: string, seq: number): void {
    if (!this.#said.has(id)) this.#base = Math.max(this.#base, seq)
  }

  /** It does not wait for the server any more. */
  left(id: string): void {
    this.#unsaid.delete(id)
    this.#said.delete(id)
  }

  #words({ id, type, body, replyTo, mentions }: Params<'message.send'>): Omit<PeerParams<'direct.say'>, 'at' | 'behind'> {
    return {
      conversation: this.#parts.conversation,
      id,
      body,
      ...(type === undefined ? {} : { type }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(mentions === undefined ? {} : { mentions: [...mentions] }),
    }
  }

  #behind(known: number): PeerParams<'direct.say'>['behind'] {
    return { seq: Math.max(this.#base, known), ...(this.#last === undefined ? {} : { id: this.#last }) }
  }

  /** What is refused comes through the server, and what is said behind it waits there for that. */
  async #request(id: string, say: PeerParams<'direct.say'>): Promise<void> {
    this.#unanswered++
    try {
      await this.#parts.link.request('direct.say', say)
      this.#parts.delivered(id)
    } catch {
      // It goes through the server in any case.
    } finally {
      this.#unanswered--
    }
  }
}
