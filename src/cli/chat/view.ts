// Where the news of a chat goes: a pipe or a file, as lines or as JSON. The terminal is in chat/terminal.ts.

import { type ChatNews, chatJson, chatText } from './news.ts'
import { type ChatText, plainLines } from './text.ts'
import type { TextOutput } from '../echo/output.ts'
import { jsonLine } from '../terminal/json-line.ts'

/** Whoever is told the news. */
export interface ChatView {
  /** Whether nobody reads any more. */
  readonly closed: boolean
  /** Of a keyboard: called when something is typed that is no command. */
  onTyping?: () => void
  /**
   * Of a keyboard: asks, and resolves with the line that is typed then, without a newline; `undefined` when the signal aborts or
   * nobody types any more. What was typed before the question is no answer to it.
   */
  ask?(question: string, signal: AbortSignal): Promise<string | undefined>
  tell(news: ChatNews): void
  /** Resolves when everything was taken: whoever reads sets the pace. */
  drained(): Promise<void>
}

/** Lines for people, or objects for programs. */
export class PlainView implements ChatView {
  readonly #output: TextOutput
  readonly #format: (news: ChatNews) => string

  constructor(output: TextOutput, { json }: { readonly json: boolean }) {
    this.#output = output
    this.#format = json
      ? (news) => jsonLine(chatJson(news))
      : (news) =>
          chatText(news)
            .map((text) => plainText(text))
            .join('')
  }

  get closed(): boolean {
    return this.#output.closed
  }

  tell(news: ChatNews): void {
    this.#output.write(this.#format(news))
  }

  drained(): Promise<void> {
    return this.#output.drained()
  }
}

/** Every line with its end. */
export function plainText(text: ChatText, style?: (speaker: string) => string): string {
  return plainLines(text, style)
    .map((line) => `${line}\n`)
    .join('')
}
