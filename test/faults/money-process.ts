// A process that runs payers: started, killed wherever it is, and started again on its journals.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { SpenderSettings } from './money-spender.ts'

export class MoneyProcess implements AsyncDisposable {
  readonly #settings: string
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()
  readonly #killAtExit = (): void => void this.#child?.kill('SIGKILL')
  posted = 0
  refused = 0
  lost = 0
  hasFinished = false
  /** Ended by itself, and not because it was done. */
  hasFailed = false
  errors = ''

  /** `settings`: where the file is written that says what it runs. */
  constructor(settings: string, spenders: readonly SpenderSettings[]) {
    this.#settings = settings
    writeFileSync(settings, JSON.stringify(spenders))
    process.once('exit', this.#killAtExit)
  }

  /** Outcomes that it knows. */
  get outcomes(): number {
    return this.posted + this.refused
  }

  start(): void {
    const child = spawn(process.execPath, [program, this.#settings], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    const heard = createInterface({ input: child.stdout }).on('line', (line) => this.#hear(child, line))
    const ended = Promise.all([once(child, 'exit'), once(heard, 'close')])
    this.#exited = ended.then(() => {
      if (this.#child === child && !this.hasFinished) this.hasFailed = true
    })
  }

  /** Kills it at once and starts it again. */
  async restart(): Promise<void> {
    if (this.hasFinished) return
    await this.kill()
    this.start()
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#killAtExit)
    await this.kill()
  }

  #hear(child: ChildProcess, line: string): void {
    if (child !== this.#child) return
    if (line === 'done') this.hasFinished = true
    if (!line.startsWith('at ')) return
    const [posted = 0, refused = 0, lost = 0] = line.split(' ').slice(1).map(Number)
    Object.assign(this, { posted, refused, lost })
  }
}

const program = fileURLToPath(new URL('./money-program.ts', import.meta.url))
