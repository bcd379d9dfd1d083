// A chat at a terminal: what comes in appears above the line that is being typed, which stays as it is. Line editing is the
// runtime's.

import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline'
import { styleText } from 'node:util'
import { limitTable } from '../../protocol/limits.ts'
import { type ChatNews, chatText, type Place } from './news.ts'
import { placeLabel } from '../terminal/place-label.ts'
import { type ChatText, cut } from './text.ts'
import { type ChatView, plainText } from './view.ts'

/** A keyboard and a screen. */
export interface TerminalStreams {
  readonly input: NodeJS.ReadableStream & Partial<Pick<NodeJS.ReadStream, 'setRawMode'>> & { destroy(): unknown }
  readonly output: NodeJS.WritableStream
  readonly colours: boolean
}

export class ChatTerminal implements ChatView, Disposable {
  readonly #streams: TerminalStreams
  readonly #keyboard: Interface
  readonly #typed: string[] = []
  /** Told when something is typed that is no command. */
  onTyping: () => void = () => {}
  #over = false
  #wake = (): void => {}
  /** Shown where nothing is asked. */
  #prompt = '> '
  /** Where one talks. */
  #place: Place | undefined
  /** Takes the answer to what is asked. */
  #answer: ((line: string | undefined) => void) | undefined

  constructor(streams: TerminalStreams) {
    const { input, output } = streams
    this.#streams = streams
    // Before the keyboard draws it again: the terminal has wrapped what is typed anew, so it has other rows than were drawn.
    output.on('resize', () => this.#drawn(this.#keyboard.getCursorPos().rows))
    this.#keyboard = createInterface({ input, output, terminal: true, prompt: '> ' })
    this.#keyboard.on('line', (line) => this.#take(line))
    // Ctrl-C and Ctrl-D both end the chat in order; a half-typed line is given up.
    this.#keyboard.on('SIGINT', () => this.#keyboard.close())
    this.#keyboard.on('close', () => this.#end())
    this.#keyboard.on('SIGTSTP', () => this.#stop())
    input.on('keypress', () => {
      if (this.#answer === undefined && /^[^/]/.test(this.#keyboard.line)) this.onTyping()
    })
  }

  get closed(): boolean {
    return false
  }

  tell(news: ChatNews): void {
    const prompt = this.#promptWith(news)
    const shown = chatText(news)
      .map((text) => this.#styled(text))
      .join('')
    if (shown !== '' || prompt !== this.#prompt) this.#above(shown, prompt)
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  /** What is typed, line by line, until Ctrl-D or Ctrl-C. Lines without a word are left out. */
  async *lines(): AsyncGenerator<Uint8Array> {
    if (!this.#over) this.#keyboard.prompt()
    for (;;) {
      const line = this.#typed.shift()
      if (line !== undefined && line.trim() !== '') yield Buffer.from(line)
      if (this.#typed.length > 0) continue
      if (this.#over) return
      this.#keyboard.resume()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** The line that is half typed comes back behind the answer. */
  async ask(question: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#over || signal.aborted) return undefined
    const { line } = this.#keyboard
    this.#replaceLine('')
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    this.#answer = resolve
    const give = (): void => resolve(undefined)
    signal.addEventListener('abort', give, { once: true })
    this.#keyboard.resume()
    // The question may have more rows than the prompt that it takes the place of.
    this.#away()
    this.#keyboard.setPrompt(question)
    this.#keyboard.prompt(true)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', give)
      this.#answer = undefined
      this.#keyboard.setPrompt(this.#prompt)
      if (!this.#over) this.#replaceLine(line)
    }
  }

  [Symbol.dispose](): void {
    this.#keyboard.close()
    this.#streams.input.destroy()
  }

  #take(line: string): void {
    if (this.#over) return
    if (this.#answer !== undefined) return this.#answer(line)
    this.#typed.push(line)
    if (this.#typed.length >= typedMax) this.#keyboard.pause()
    else this.#keyboard.prompt()
    this.#wake()
  }

  /**
   * Ctrl-Z stops all that this terminal runs, as it does elsewhere: a launcher or a script that goes on would keep the shell from
   * its terminal. What nobody could continue is not stopped, and goes on at once.
   */
  #stop(): void {
    const { input } = this.#streams
    this.#away()
    input.setRawMode?.(false)
    process.kill(0, 'SIGTSTP')
    input.setRawMode?.(true)
    this.#keyboard.prompt(true)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#answer?.(undefined)
    const { output } = this.#streams
    if (this.#keyboard.line === '') eraseLine(output)
    else output.write('\n')
    this.#wake()
  }

  /** Whom one talks with, and whether directly. */
  #promptWith(news: ChatNews): string {
    if (news.event === 'begun') this.#place = news
    if (news.event === 'exited' || news.event === 'asked') this.#place = undefined
    if (this.#place === undefined) return '> '
    if (news.event === 'way' && news.name === this.#place.peer)
      return `${short(placeLabel(this.#place))}${news.way === 'direct' ? ' (direct)' : ''}> `
    return news.event === 'begun' ? `${short(placeLabel(news))}> ` : this.#prompt
  }

  /** What is being typed, with the cursor at its end. */
  #replaceLine(line: string): void {
    this.#keyboard.write(null, { ctrl: true, name: 'e' })
    this.#keyboard.write(null, { ctrl: true, name: 'u' })
    this.#keyboard.write(line)
    this.#keyboard.prompt(true)
  }

  /** Takes the line that is being typed away, which may have several rows, and draws it again below `text`, behind `prompt`. */
  #above(text: string, prompt: string): void {
    const { output } = this.#streams
    if (this.#over) {
      output.write(text)
      return
    }
    this.#away()
    this.#prompt = prompt
    if (this.#answer === undefined) this.#keyboard.setPrompt(prompt)
    output.write(text)
    this.#keyboard.prompt(true)
  }

  #away(): void {
    const { output } = this.#streams
    moveCursor(output, 0, -this.#keyboard.getCursorPos().rows)
    eraseLine(output)
    this.#drawn(0)
  }

  /** How many rows the keyboard goes up to draw what is typed again. */
  #drawn(rows: number): void {
    Object.assign(this.#keyboard, { prevRows: rows })
  }

  #styled(text: ChatText): string {
    if (text.speaker !== undefined) return plainText(text, (speaker) => this.#style('bold', speaker))
    return text.lines.map((line) => `${this.#style('dim', line)}\n`).join('')
  }

  #style(format: 'bold' | 'dim', text: string): string {
    return this.#streams.colours ? styleText(format, text, { validateStream: false }) : text
  }
}

/** A title may be longer than a small screen is wide. */
function short(label: string): string {
  return label.length <= promptMax ? label : `${cut(label, promptMax - 1)}…`
}

function eraseLine(output: NodeJS.WritableStream): void {
  cursorTo(output, 0)
  clearScreenDown(output)
}

const promptMax = 16
const typedMax = limitTable.chatTypedLinesMax.value
