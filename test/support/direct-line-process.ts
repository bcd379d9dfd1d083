// A program of a test that takes commands and tells what happens, in lines of JSON: commands are `{id, do, …}`, each is answered with
// `{id, ok}` or `{id, error, sentence}`, and every other line is something that happened.

import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { until } from '../faults/until.ts'
import type { Network } from './network-kinds.ts'

/** What a program says of a command. */
export type Answer = { readonly id: number } & ({ readonly ok: unknown } | { readonly error: string; readonly sentence: string })

/** Where a program runs, and with what. */
export interface LineProgram {
  readonly network: Network
  readonly host: string
  readonly name: string
  readonly program: string
  readonly settings: unknown
}

export class LineProcess<D extends { readonly do: string }, E extends object> {
  readonly name: string
  /** What happened, in order. */
  readonly events: E[] = []
  errors = ''
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers = new Map<number, (answer: Answer) => void>()
  #id = 0
  #hasEnded = false

  constructor({ network, host, name, program, settings }: LineProgram) {
    this.name = name
    this.#child = network.processes.start([...network.host(host).prefix, process.execPath, program, JSON.stringify(settings)])
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    this.#child.once('exit', () => this.#end())
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(JSON.parse(line) as E | Answer))
  }

  /** Waits for something that it tells. @throws {Error} when it ends before, or nothing comes; with the last that it has told. */
  async until(what: string, condition: () => boolean, msMax = patienceMs): Promise<void> {
    try {
      await until(what, msMax, () => condition() || this.#hasEnded)
    } catch (reason) {
      throw new Error(`${this.name}: ${String(reason)}\n${this.#told()}`, { cause: reason })
    }
    if (!condition()) throw new Error(`${this.name} has ended and not: ${what}\n${this.#told()}`)
  }

  /** Tells it to do something; resolves with what it answers. @throws {Refusal} */
  async ask<T>(deed: D): Promise<T> {
    const id = ++this.#id
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#answers.set(id, resolve)
    if (this.#hasEnded) this.#end()
    else this.#child.stdin.write(`${JSON.stringify({ id, ...deed })}\n`)
    const answer = await promise
    if ('error' in answer) throw new Refusal(answer.error, `${this.name} ${deed.do}: ${answer.error}: ${answer.sentence}`)
    return answer.ok as T
  }

  /** Tells it to do something; resolves with the code that it is refused with. */
  async refusal(deed: D): Promise<string> {
    return this.ask(deed).then(
      () => 'it was not refused',
      (reason: unknown) => (reason instanceof Refusal ? reason.code : String(reason)),
    )
  }

  #hear(what: E | Answer): void {
    if (!isAnswer(what)) {
      this.events.push(what)
      return
    }
    this.#answers.get(what.id)?.(what)
    this.#answers.delete(what.id)
  }

  #end(): void {
    this.#hasEnded = true
    for (const [id, answer] of this.#answers) answer({ id, error: 'ended', sentence: this.errors })
    this.#answers.clear()
  }

  #told(): string {
    return [...this.events.slice(-eventsShown).map((event) => JSON.stringify(event)), this.errors].join('\n')
  }
}

/** What a command was answered with instead. */
export class Refusal extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

function isAnswer(what: object): what is Answer {
  return 'ok' in what || 'error' in what
}

/** For what takes a moment, on a machine that has other things to do. */
const patienceMs = 60_000
const eventsShown = 12
