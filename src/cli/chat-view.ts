// Where the news of a chat goes: a pipe or a file, as lines or as JSON. The terminal is in chat-terminal.ts.

import { type ChatNews, type ChatText, chatJson, chatText } from './chat-news.ts'
import type { TextOutput } from './echo-output.ts'
import { jsonLine } from './json-line.ts'

/** Whoever is told the news. */
export interface ChatView {
  /** Whether nobody reads any more. */
  readonly closed: boolean
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
    this.#format = json ? (news) => jsonLine(chatJson(news)) : (news) => plainText(chatText(news), (speaker) => speaker)
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

/** Every line with its end. The first of a message stands behind who said it, the others behind a bar. */
export function plainText({ speaker, lines }: ChatText, style: (speaker: string) => string): string {
  const [first = '', ...others] = lines
  if (speaker === undefined) return lines.map((line) => `${line}\n`).join('')
  return [`${style(`${speaker}:`)} ${first}\n`, ...others.map((line) => `  | ${line}\n`)].join('')
}
