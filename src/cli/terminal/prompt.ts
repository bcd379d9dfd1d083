// How a password comes in: typed at a terminal that does not show it, or as a line of standard input, never as an
// argument, which every user of the machine could read. At a terminal we read key by key, because only then does nothing
// of it appear; Ctrl-C is then a key like others, and gives the terminal back before it does what it always does.

import { keepAlive } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { writeNow } from './descriptor.ts'
import { inputLines } from '../echo/input.ts'
import { unlessAborted } from './stop-signal.ts'
import { TypedLine } from './typed-line.ts'

export interface PasswordPrompt {
  /** What is asked for; default `password`. */
  readonly what?: string
  /** A new password is asked for twice; default false. */
  readonly isNew?: boolean
  readonly signal?: AbortSignal
}

/**
 * Asks for a password on standard error and reads it from the terminal that is standard input, without showing it.
 * Rejects with the reason of `signal` when that is aborted, which SIGINT has to do: Ctrl-C comes as one.
 * @throws {SealwireError} `usage` when standard input is no terminal, nothing was typed, or the two are not the same.
 */
export async function readPassword(prompt: PasswordPrompt = {}): Promise<string> {
  const { what = 'password', signal } = prompt
  signal?.throwIfAborted()
  const password = await typedPassword(what, prompt)
  if (password !== undefined) return password
  if (signal === undefined) throw missing(what, 'start again')
  using _alive = keepAlive()
  return await unlessAborted(signal, new Promise<never>(() => {}))
}

/** `undefined`: Ctrl-C, which is on its way to this process as a signal. */
async function typedPassword(what: string, { isNew = false, signal }: PasswordPrompt): Promise<string | undefined> {
  using keyboard = new Keyboard(what)
  const stop = (): void => keyboard.fail(signal?.reason)
  signal?.addEventListener('abort', stop)
  try {
    const password = await keyboard.line(what)
    if (password === undefined || !isNew) return password
    const again = await keyboard.line(`${what} again`)
    if (again === undefined) return undefined
    if (again !== password) {
      throw new SealwireError('usage', `the two ${what}s are not the same`, { hint: 'try again' })
    }
    return password
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Short lines of standard input, one by one: an invite link, a password. Disposing of it closes the stream. */
export class InputLines implements AsyncDisposable {
  readonly #lines: AsyncGenerator<Uint8Array>

  constructor(stdin: AsyncIterable<Uint8Array>) {
    this.#lines = inputLines(stdin, bytesMax)
  }

  /**
   * The next line, without its end; the last one needs none. What follows is not looked at.
   * @throws {SealwireError} `usage` when there is none, or it is longer than `inputLineBytesMax` or no UTF-8; it names `what`
   * and holds nothing of the line.
   */
  async next(what: string): Promise<string> {
    const line = await this.nextIfAny(what)
    if (line === undefined) throw missing(what, 'write it as a line of standard input')
    return line
  }

  /** As {@link next}, and `undefined` when there is no line, or an empty one. */
  async nextIfAny(what: string): Promise<string | undefined> {
    const line = withoutReturn(await this.#read())
    return line.length === 0 ? undefined : textOf(line, what)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines.return(undefined)
  }

  async #read(): Promise<Uint8Array> {
    try {
      const result: IteratorResult<Uint8Array, unknown> = await this.#lines.next()
      return result.done ? new Uint8Array() : result.value
    } catch (cause) {
      throw new SealwireError('usage', 'standard input cannot be read', { cause, hint: 'pipe a line into the command' })
    }
  }
}

/** The keys of a terminal that shows none of them, until it is disposed. */
class Keyboard implements Disposable {
  readonly #what: string
  readonly #terminal = process.stdin
  /** Typed ahead: what came after the end of a line. */
  #held: Uint8Array = new Uint8Array()
  #failure: { readonly reason: unknown } | undefined
  #wake: () => void = () => {}
  #isInterrupted = false

  readonly #received = (bytes: Uint8Array): void => {
    // Nobody may type more ahead than the line itself can have.
    this.#held = Buffer.concat([this.#held, bytes]).subarray(0, 2 * bytesMax)
    this.#wake()
  }
  readonly #ended = (): void => this.fail(missing(this.#what, 'the terminal is gone'))

  constructor(what: string) {
    this.#what = what
    if (!this.#terminal.isTTY) {
      throw new SealwireError('usage', `there is no terminal to ask for the ${what} at`, {
        hint: 'give it on standard input, with --password-stdin',
      })
    }
    this.#terminal.setRawMode(true)
    this.#terminal.on('data', this.#received).on('end', this.#ended).on('error', this.#ended).resume()
  }

  /** `undefined`: Ctrl-C; when this is disposed it comes as a signal. */
  async line(question: string): Promise<string | undefined> {
    writeNow(process.stderr.fd, `${question}: `)
    try {
      const { end, bytes } = await this.#typed()
      this.#isInterrupted = end === 'interrupted'
      if (this.#isInterrupted) return undefined
      if (bytes.length === 0) throw missing(this.#what, 'type it, then Enter')
      return textOf(bytes, this.#what)
    } finally {
      writeNow(process.stderr.fd, '\n')
    }
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#wake()
  }

  [Symbol.dispose](): void {
    this.#terminal.off('data', this.#received).off('end', this.#ended).off('error', this.#ended).pause()
    try {
      this.#terminal.setRawMode(false)
    } catch {
      // A terminal that is gone needs nothing back.
    }
    if (this.#isInterrupted) process.kill(process.pid, 'SIGINT')
  }

  async #typed(): Promise<TypedLine> {
    const line = new TypedLine(bytesMax)
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.reason
      this.#held = line.type(this.#held)
      if (line.end !== undefined) return line
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}

function textOf(line: Uint8Array, what: string): string {
  if (line.length > bytesMax)
    throw new SealwireError('usage', `the ${what} is longer than ${bytesMax} bytes`, { hint: 'give a shorter one' })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)
  } catch {
    throw new SealwireError('usage', `the ${what} is not UTF-8 text`, { hint: 'check the encoding of the terminal or file it comes from' })
  }
}

function missing(what: string, hint: string): SealwireError {
  return new SealwireError('usage', `no ${what} was given`, { hint })
}

const bytesMax = limitTable.inputLineBytesMax.value
