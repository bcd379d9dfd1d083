// What a command orders under which id, and what is said when it ends without an answer: that it may have been done, and how to
// find out. Where no order can have left, it says that instead.

import { formatMessageId } from '../../client/outbox/message-id.ts'
import { isDecided, leavesDoubt } from '../../client/payments/outcome.ts'
import { memoCharactersMax } from '../../protocol/contract/index.ts'
import { unitPattern } from '../../protocol/contract/order.ts'
import { type Code, SealwireError } from '../../protocol/errors.ts'
import { writeNow } from '../terminal/descriptor.ts'
import { endOnSignals } from '../terminal/stop-signal.ts'
import { report } from '../report.ts'
import { ownId } from '../options/id.ts'
import { jsonLine } from '../terminal/json-line.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { commandLine, refuse } from '../options/origin.ts'
import { isPassing } from '../member/passing.ts'

/** The flags of a command that orders, as far as they matter to every one of them. */
export interface OrderingFlags {
  readonly id?: string | undefined
  readonly memo?: string | undefined
  readonly unit?: string | undefined
  readonly json?: boolean | undefined
}

/** One order of a command, through all its tries. */
export class Ordering {
  readonly id: Uint8Array
  readonly #command: string
  readonly #words: readonly string[]
  readonly #flags: OrderingFlags
  /** It may have been carried out. */
  #isDoubtful = false
  /** While it may, whoever ends the command is told so. */
  #signals: Disposable | undefined

  /**
   * Of the command `command` (`pay`, `admin mint`) with these arguments.
   * @throws {SealwireError} `usage` for an id, a memo or a unit that no server takes; `hint`: what to do about such an id.
   */
  constructor(command: string, words: readonly string[], flags: OrderingFlags, hint?: string) {
    checkUnit(flags.unit)
    checkMemo(flags.memo)
    this.id = ownId(flags.id, hint)
    this.#command = command
    this.#words = words
    this.#flags = flags
  }

  /** Sends the order; what becomes of that decides whether it may have been carried out. */
  async send<T>(sending: () => Promise<T>): Promise<T> {
    const before = this.#isDoubtful
    this.#isDoubtful = true
    this.#signals ??= endOnSignals((name) => this.#endedBy(name))
    try {
      return await sending()
    } catch (reason) {
      const error = SealwireError.from(reason)
      // One that is sent again and finds a busy server: nobody has looked what became of it the first time.
      this.#isDoubtful = !isDecided(error) && (before || (leavesDoubt(error) && !ownFolder.has(error.code)))
      if (!this.#isDoubtful) this.told()
      throw error
    }
  }

  /** What became of it is told: a signal ends the command as it ends any other. */
  told(): void {
    this.#signals?.[Symbol.dispose]()
    this.#signals = undefined
  }

  /** Why the command ends: to be thrown. What is not known is told to programs too. */
  ended(reason: unknown): SealwireError {
    this.told()
    const error = SealwireError.from(reason)
    if (!this.#isDoubtful && !isPassing(error)) return error
    // Under an id that was given it may have been ordered before.
    if (!this.#isDoubtful && this.#flags.id === undefined) return this.#nothing(error)
    return this.#unknown(error.sentence, error)
  }

  #endedBy(name: NodeJS.Signals): void {
    report(this.#unknown(`ended by ${name}`))
  }

  /** At once: the process may be about to end. */
  #unknown(why: string, cause?: SealwireError): SealwireError {
    if (this.#flags.json === true) writeNow(1, jsonLine({ id: formatMessageId(this.id), status: 'unknown' }))
    return new SealwireError('unknown_outcome', `it may have been done, and no answer came: ${why}`, {
      cause,
      hint: `ask again with the same id: ${this.#again()} (under one id nothing is done twice)`,
    })
  }

  #nothing(error: SealwireError): SealwireError {
    const isLate = error.code === 'unknown_outcome'
    const done = this.#command === 'pay' || this.#command === 'split' ? 'paid' : 'done'
    return new SealwireError(isLate ? 'unreachable' : error.code, `nothing was ${done}: ${error.sentence}`, {
      cause: error,
      ...(isLate || error.hint === undefined ? {} : { hint: error.hint }),
    })
  }

  #again(): string {
    const { id: _id, ...others } = this.#flags
    const more = Object.values(others).some((value) => value !== undefined) ? ['…'] : []
    return ['sealwire', this.#command, ...this.#words.map(shellWord), ...more, '--id', formatMessageId(this.id)].join(' ')
  }
}

/** @throws {SealwireError} `usage` for what is no code of a unit. */
export function checkUnit(unit: string | undefined, label = '--unit'): void {
  if (unit === undefined || unitPattern.test(unit)) return
  throw refuse(commandLine(label), unit, 'is no code of a unit', 'write a letter, then at most 15 letters and digits, lower case')
}

/** @throws {SealwireError} `usage` for a memo that is too long. */
export function checkMemo(memo: string | undefined): void {
  if (memo === undefined || memo.length <= memoCharactersMax) return
  throw new SealwireError('usage', `--memo has ${memo.length} characters, and may have ${memoCharactersMax}`, {
    hint: 'say it in a message',
  })
}

/** What is wrong with a data folder of one's own is found before anything is done in it. */
const ownFolder: ReadonlySet<Code> = new Set(['data_locked', 'data_unusable', 'key_missing', 'key_unsafe', 'key_malformed'])
