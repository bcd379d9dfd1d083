// One worker thread, from its start to its end, seen from the event loop. It carries out one group at a time.

import { Worker } from 'node:worker_threads'
import { SealwireError } from '../../protocol/errors.ts'
import type { Request } from '../store.ts'
import { type FromWorker, receiveError, sendGroup, type ToWorker, type WorkerSetup } from './messages.ts'

/** The answer to a group. */
export type Executed = Extract<FromWorker, { name: 'executed' }>

export class StoreWorker {
  readonly #worker: Worker
  readonly #ended: Promise<unknown>
  #alive = true
  /** Who waits for the next message; told `undefined` when the thread has ended. */
  #listener: ((message: FromWorker | undefined) => void) | undefined
  #failure: unknown

  private constructor(setup: WorkerSetup, program: URL) {
    this.#worker = new Worker(program, { workerData: setup, name: 'sealwire-store' })
    this.#worker.on('message', (message: FromWorker) => this.#tell(message))
    this.#worker.on('error', (reason) => {
      this.#failure = reason
    })
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (status) => {
        this.#alive = false
        this.#tell(undefined)
        resolve(status)
      })
    })
  }

  /**
   * Starts a worker and waits until it has opened the database. Tests give it a program of their own.
   * @throws {SealwireError} why it could not be opened; `unavailable` when the worker died before.
   */
  static async start(setup: WorkerSetup, program: URL = workerProgram()): Promise<StoreWorker> {
    const worker = new StoreWorker(setup, program)
    const message = await worker.#next()
    if (message?.name === 'ready') return worker
    if (message?.name !== 'refused') throw new SealwireError('unavailable', 'the store could not be started', { cause: worker.failure })
    await worker.#ended
    throw receiveError(message.error, message.detail)
  }

  /** False once the thread has ended. */
  get alive(): boolean {
    return this.#alive
  }

  /** What ended the thread, as far as it said so. */
  get failure(): unknown {
    return this.#failure
  }

  /** Resolves with `undefined` when the worker died before it answered. The next group is given after that only. */
  async execute(group: readonly Request[]): Promise<Executed | undefined> {
    const answer = this.#next()
    const sent = sendGroup(group)
    this.#say({ name: 'execute', group: sent }, sent.others.posts && [sent.others.posts.buffer])
    const message = await answer
    return message?.name === 'executed' ? message : undefined
  }

  /** Lets the worker close the database and end. Never terminates it: that has crashed the process with a database open. */
  async close(): Promise<void> {
    if (this.#alive) this.#say({ name: 'close' })
    await this.#ended
  }

  /** `handed`: what need not be copied, and is this thread's no more. */
  #say(message: ToWorker, handed: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handed)
  }

  #next(): Promise<FromWorker | undefined> {
    return new Promise((resolve) => {
      this.#listener = resolve
    })
  }

  #tell(message: FromWorker | undefined): void {
    const listener = this.#listener
    this.#listener = undefined
    listener?.(message)
  }
}

/** The worker beside this file: TypeScript as it was written, or JavaScript as it was built. */
export function workerProgram(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
}
