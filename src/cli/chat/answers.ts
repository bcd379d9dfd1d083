// What became of each line of the input: one answer a line, in order. The input is read line by line, so one at most is open.

import type { Sent } from '../../client/index.ts'
import type { SealwireError } from '../../protocol/errors.ts'
import type { ChatNews } from './news.ts'

export class LineAnswers {
  readonly #tell: (news: ChatNews) => void
  #line = 0
  #open = false

  constructor(tell: (news: ChatNews) => void) {
    this.#tell = tell
  }

  /** The next line was read. */
  begin(): void {
    this.#line++
    this.#open = true
  }

  /** `sent` is the message that the line has become. */
  done(sent?: Pick<Sent, 'id' | 'conversation' | 'seq'>): void {
    if (!this.#close()) return
    const message = sent === undefined ? {} : { id: sent.id, conversation: sent.conversation, seq: sent.seq }
    this.#tell({ event: 'done', line: this.#line, ...message })
  }

  /** Nothing is told when no line is open; nor when it is told otherwise. */
  refused({ code, sentence, hint }: SealwireError, isTold = false): void {
    if (this.#close() && !isTold) this.#tell({ event: 'refused', line: this.#line, code, sentence, hint })
  }

  #close(): boolean {
    const wasOpen = this.#open
    this.#open = false
    return wasOpen
  }
}
