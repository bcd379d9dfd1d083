// A process that registers accounts in a store as fast as it can, and what it has said: the other half of
// store-program.ts. Every acknowledged name is on its standard output before this process learns of the next one.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const patienceMs = 25_000
const registrations = fileURLToPath(new URL('./store-program.ts', import.meta.url))

export interface StoreProcessOptions {
  /** Begins every name, so that several runs on one folder do not meet. */
  readonly prefix: string
  /** Registrations under way at once. Default 16. */
  readonly concurrency?: number
  /** A command that runs the program, with its arguments, such as strace. */
  readonly under?: readonly string[]
  /** Path of a program that takes the same arguments and speaks the same way. Default: store-program.ts. */
  readonly program?: string
  /** A store that synchronizes less than it should, to show that the test would see it. */
  readonly mutant?: 'normal'
}

export class StoreProcess implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>
  /** Names whose registration was acknowledged. */
  readonly acknowledged: string[] = []
  /** Names whose registration was not, by the code it was answered with. */
  readonly refused = new Map<string, string[]>()
  #changed: (() => void) | undefined
  #late = false
  /** The program itself, which need not be the process that was started. */
  #id: number | undefined

  constructor(folder: string, { prefix, concurrency = 16, under = [], program = registrations, mutant }: StoreProcessOptions) {
    const [command, ...parameters] = [...under, process.execPath, program, folder, prefix, String(concurrency), mutant ?? 'full']
    this.#process = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.#process.stdout ?? process.stdin })
    lines.on('line', (line) => this.#hear(line))
    this.#exited = Promise.all([once(this.#process, 'exit'), once(lines, 'close')]).then(() => this.#changed?.())
  }

  /** Resolves when at least `count` names have been acknowledged. */
  acknowledgements(count: number): Promise<void> {
    return this.until(() => this.acknowledged.length >= count)
  }

  /** Resolves when at least `count` names have been answered with this code. */
  refusals(code: string, count = 1): Promise<void> {
    return this.until(() => (this.refused.get(code)?.length ?? 0) >= count)
  }

  /** Ends the process at once, as a power cut would end it, and waits until all it had said has been heard. */
  async kill(signal: 'SIGKILL' | 'SIGSTOP' = 'SIGKILL'): Promise<void> {
    await this.until(() => this.#id !== undefined)
    if (this.#id !== undefined) process.kill(this.#id, signal)
    if (signal === 'SIGKILL') await this.#exited
  }

  /** Lets the process close its store and end. */
  async end(): Promise<void> {
    this.#process.stdin?.end()
    await this.#exited
  }

  /** Resolves when something else has ended it and all it had said has been heard: with the signal that did. */
  async ended(): Promise<NodeJS.Signals | null> {
    await this.until(() => this.#hasEnded())
    await this.#exited
    return this.#process.signalCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded()) await this.kill()
  }

  /** Gives up before the test itself does, so that the test can still clean up behind it. */
  async until(condition: () => boolean): Promise<void> {
    const timer = setTimeout(() => {
      this.#late = true
      this.#changed?.()
    }, patienceMs)
    try {
      while (!condition()) {
        if (this.#late || this.#hasEnded()) throw new Error(`the store process ${this.#late ? 'is late' : 'has ended'}`)
        await new Promise<void>((resolve) => {
          this.#changed = resolve
        })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  #hear(line: string): void {
    const [verdict, name = '', code = ''] = line.split(' ')
    if (verdict === 'is') this.#id = Number(name)
    else if (verdict === 'ok') this.acknowledged.push(name)
    else this.refused.set(code, [...(this.refused.get(code) ?? []), name])
    this.#changed?.()
  }
}
