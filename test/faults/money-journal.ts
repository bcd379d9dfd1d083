// What a payer keeps: a file that only grows, a line of JSON for each thing, many at a time in one write. What it is going to order is
// there before it is sent, and what became of it before the place is used for another one. Killed at any byte it is read again up to
// the last whole line.
//
//   { n, kind, id, … }          it is going to be sent       { n, lost }         no answer: it may have happened, and is asked again
//   { n, posting, amount }      it was carried out           { n, code }         it was refused
//   { n, asked }                somebody was asked to pay     { wrong }           something that must not be

import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'

/** What was going to be sent. Amounts are whole minor units. */
export interface Attempt {
  /** Counted in each journal: what comes later is about this number. */
  readonly n: number
  readonly at: number
  readonly kind: 'pay' | 'hold' | 'capture' | 'void' | 'refund' | 'split' | 'request'
  /** Hexadecimal. */
  readonly id: string
  /** SHA-256 of the signed bytes, hexadecimal; of a request there are none. */
  readonly digest?: string
  /** Number of an account: who is paid, or asked. */
  readonly to?: number
  readonly amount?: number
  readonly expires?: number
  readonly memo?: string
  /** Capture, void, refund: who signed what, and its id. */
  readonly of?: readonly [signer: number, id: string]
  readonly parts?: readonly (readonly [to: number, amount: number])[]
  /** The id of the request that it pays. */
  readonly request?: string
  /** The id is that of another attempt of the same payer. */
  readonly reuses?: true
  /** One bit of the signature is wrong. */
  readonly spoilt?: true
}

/** What became of one. */
export type Outcome =
  | { readonly n: number; readonly posting: number; readonly amount: string }
  | { readonly n: number; readonly asked: string }
  | { readonly n: number; readonly code: string }

export type MoneyLine = Attempt | Outcome | { readonly n: number; readonly lost: string } | { readonly wrong: string }

export class MoneyJournal<T extends object = MoneyLine> implements Disposable {
  /** What was there when it was opened. */
  readonly lines: readonly T[]
  readonly #file: number
  #waiting: string[] = []

  constructor(path: string) {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    const end = bytes.lastIndexOf('\n') + 1
    if (end < bytes.length) truncateSync(path, end)
    const text = bytes.toString('utf8', 0, end)
    this.lines = text
      .split('\n')
      .slice(0, -1)
      .map((line): T => JSON.parse(line))
    this.#file = openSync(path, 'a', 0o600)
  }

  /** It is in the file after the next `flush`. */
  add(line: T): void {
    this.#waiting.push(JSON.stringify(line))
  }

  /** What was added is there even if this process ends now. */
  flush(): void {
    if (this.#waiting.length === 0) return
    const bytes = Buffer.from(`${this.#waiting.join('\n')}\n`)
    this.#waiting = []
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
