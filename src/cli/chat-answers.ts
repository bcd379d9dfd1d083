// What became of each line of the input: one answer a line, in order. The input is read line by line, so one at most is open.

import type { SealwireError } from '../protocol/errors.ts'
import type { ChatNews } from './chat-news.ts'

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

  done(): void {
    if (this.#close()) this.#tell({ event: 'done', line: this.#line })
  }

  /** Nothing is told when no line is open. */
  refused({ code, sentence, hint }: SealwireError): void {
    if (this.#close()) this.#tell({ event: 'refused', line: this.#line, code, sentence, hint })
  }

  #close(): boolean {
    const wasOpen = this.#open
    this.#open = false
    return wasOpen
  }
}
