// A process that runs applications: started, killed wherever it is, and started again.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ApplicationSettings } from './application.ts'

export class ClientProcess implements AsyncDisposable {
  readonly #settings: string
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()
  readonly #killAtExit = (): void => void this.#child?.kill('SIGKILL')
  acked = 0
  arrived = 0
  refused = 0
  marks = 0
  hasSent = false
  hasFinished = false
  /** How often its SDK gave up, and it was started again, as whoever runs programs does. */
  restarts = 0
  /** Ended by itself, and not because it was done. */
  hasFailed = false
  errors = ''

  /** `settings`: where the file is written that says what it runs. */
  constructor(settings: string, applications: readonly ApplicationSettings[]) {
    this.#settings = settings
    writeFileSync(settings, JSON.stringify(applications))
    process.once('exit', this.#killAtExit)
  }

  start(): void {
    const child = spawn(process.execPath, [program, this.#settings], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    this.hasSent = false
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(child, line))
    this.#exited = once(child, 'exit').then(([code]) => {
      if (this.#child !== child || this.hasFinished) return
      if (code === gaveUp && this.restarts++ < restartsMax) this.start()
      else this.hasFailed = true
    })
  }

  /** Kills it at once and starts it again. */
  async restart(): Promise<void> {
    await this.kill()
    this.start()
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
    await this.#exited
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  say(line: string): void {
    this.#child?.stdin?.write(`${line}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#killAtExit)
    await this.kill()
  }

  #hear(child: ChildProcess, line: string): void {
    if (child !== this.#child) return
    if (line === 'sent') this.hasSent = true
    if (line === 'done') this.hasFinished = true
    if (!line.startsWith('at ')) return
    const [acked = 0, arrived = 0, refused = 0, marks = 0] = line.split(' ').slice(1).map(Number)
    Object.assign(this, { acked, arrived, refused, marks })
  }
}

const program = fileURLToPath(new URL('./client-program.ts', import.meta.url))
const gaveUp = 3
const restartsMax = 20
