// The client's side of an echo: one line out, one line back. What comes back is bounded, and waiting for it is too.

import type { Clock } from '../../domain/index.ts'
import type { Link, LinkEnd, LinkReceiver } from '../../link/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import { linkEnds } from '../../link/link-end.ts'

export class EchoPeer implements LinkReceiver {
  readonly #link: Link
  readonly #clock: Clock
  readonly #closeMsMax: number
  readonly #received: Uint8Array
  #receivedBytes = 0
  #hasAnswered = false
  #wake: () => void = () => {}
  #failure: SealwireError | undefined
  #end: LinkEnd | undefined
  readonly #over = Promise.withResolvers<void>()

  /** `link` is to be given this object as its receiver. */
  constructor(link: Link, { echoAnswerBytesMax, exitMsMax }: Limits, clock: Clock) {
    this.#link = link
    this.#clock = clock
    this.#closeMsMax = exitMsMax
    this.#received = new Uint8Array(echoAnswerBytesMax)
  }

  /** Resolves when the link is over. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** How the link came to be over, when it is. */
  get end(): LinkEnd | undefined {
    return this.#end
  }

  /** Why there will be no more answers, when there will be none. */
  get failure(): SealwireError | undefined {
    return this.#failure
  }

  /**
   * Sends `line` with a newline behind it, and resolves with the next line that comes, without its newline.
   * @throws {SealwireError} `message_too_large` for a line that is too long to come back; `overrun` when the answer is;
   * `connection_lost` when the connection ends before it, or when it takes longer than `timeoutMs`.
   */
  async ask(line: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (line.length >= this.#received.length) throw tooLong(this.#received.length)
    this.#link.send(line)
    this.#link.send(newline)
    const deadline = this.#clock.after(timeoutMs, () => this.#fail(late(timeoutMs)))
    try {
      return await this.#line()
    } finally {
      deadline.cancel()
    }
  }

  /** Hands over what is on its way and ends the connection; one whose peer does not agree to that is cut. */
  async close(): Promise<void> {
    this.#link.close()
    const deadline = this.#clock.after(this.#closeMsMax, () => this.#link.terminate())
    await this.#over.promise
    deadline.cancel()
  }

  received(bytes: Uint8Array): void {
    if (bytes.length > this.#received.length - this.#receivedBytes) return this.#fail(overrun(this.#received.length))
    this.#hasAnswered = true
    this.#received.set(bytes, this.#receivedBytes)
    this.#receivedBytes += bytes.length
    this.#wake()
  }

  drained(): void {}

  closed(end: LinkEnd): void {
    this.#failure ??= lost(end, this.#hasAnswered)
    this.#end = end
    this.#over.resolve()
    this.#wake()
  }

  async #line(): Promise<Uint8Array> {
    for (let searched = 0; ; ) {
      const at = this.#received.subarray(0, this.#receivedBytes).indexOf(newlineByte, searched)
      if (at >= 0) return this.#take(at)
      // What had come before the end is an answer, so this is asked last.
      if (this.#failure !== undefined) throw this.#failure
      searched = this.#receivedBytes
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #take(length: number): Uint8Array {
    const line = this.#received.slice(0, length)
    this.#received.copyWithin(0, length + 1, this.#receivedBytes)
    this.#receivedBytes -= length + 1
    return line
  }

  #fail(failure: SealwireError): void {
    this.#failure ??= failure
    this.#link.terminate()
    this.#wake()
  }
}

function lost(end: LinkEnd, hasAnswered: boolean): SealwireError {
  // Another kind of server hangs up on a greeting that it does not understand.
  const stranger = end === 'ended' && !hasAnswered
  const hint = stranger ? 'check that it is an echo server, and see what it printed' : 'see what the server printed, and try again'
  return new SealwireError('connection_lost', linkEnds[end], { hint })
}

function late(timeoutMs: number): SealwireError {
  return new SealwireError('connection_lost', `no answer came within ${timeoutMs / 1000} s`, {
    hint: 'check that it is an echo server, or wait longer with --timeout',
  })
}

function overrun(bytesMax: number): SealwireError {
  return new SealwireError('overrun', `the answer has no end within ${bytesMax} bytes`, { hint: 'check that it is an echo server' })
}

function tooLong(bytesMax: number): SealwireError {
  return new SealwireError('message_too_large', `a line has more than ${bytesMax - 1} bytes`, { hint: 'send shorter lines' })
}

const newlineByte = 0x0a
const newline = Uint8Array.of(newlineByte)
