// A program of Python that makes a crowd, beside the test: what it says line by line, and what it is told.

import { type ChildProcessWithoutNullStreams, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Processes } from '../support/network-processes.ts'
import { isMissing, type Need, pythonWith } from '../support/python.ts'
import { skipWithout } from '../support/store-contents.ts'
import { until } from './until.ts'

/** Whether this machine cannot have crowds; it says why. */
export function isWithoutCrowds(...needs: readonly Need[]): boolean {
  const hasModule = spawnSync(pythonWith('cryptography'), ['-c', 'import cryptography']).status === 0
  return isMissing('python3', '/proc', '127.0.0.2', ...needs) || skipWithout('python3-cryptography', hasModule)
}

export class Crowd implements AsyncDisposable {
  readonly #processes = new Processes()
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: string[] = []
  #errors = ''

  /** `script`: a program of this folder. */
  constructor(script: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(script, import.meta.url))
    this.#child = this.#processes.start([pythonWith('cryptography'), '-B', '-u', path, ...args])
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#lines.push(line))
  }

  /** The next line that it says. @throws when it ends without. */
  async line(msMax: number): Promise<string> {
    await until('the crowd says something', msMax, () => this.#lines.length > 0 || !this.isRunning)
    const line = this.#lines.shift()
    if (line === undefined) throw new Error(`the crowd has ended: ${this.#errors}`)
    return line
  }

  /** @throws when the next line is another one. */
  async expect(line: string, msMax: number): Promise<void> {
    const said = await this.line(msMax)
    if (said !== line) throw new Error(`the crowd says ${said} and not ${line}`)
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get errors(): string {
    return this.#errors
  }

  /** Tells it to go on. */
  goOn(): void {
    this.#child.stdin.write('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
  }
}
