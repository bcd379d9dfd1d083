// What an application keeps: a file that only grows, a line of JSON for each thing. What a kill cut off at the end is taken away
// before anything is added.

import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'

export class Journal<T extends object> implements Disposable {
  /** What was there when it was opened. */
  readonly lines: readonly T[]
  readonly #file: number
  readonly #isDurable: boolean

  constructor(path: string, { isDurable }: { readonly isDurable: boolean }) {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    const end = bytes.lastIndexOf('\n') + 1
    if (end < bytes.length) truncateSync(path, end)
    this.lines = bytes
      .toString('utf8', 0, end)
      .split('\n')
      .slice(0, -1)
      .map((line): T => JSON.parse(line))
    this.#file = openSync(path, 'a', 0o600)
    this.#isDurable = isDurable
  }

  add(line: T): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
    if (this.#isDurable) fdatasyncSync(this.#file)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
