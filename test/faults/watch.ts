// What a server holds, again and again: its heap without garbage, its memory, its descriptors, and how late its event loop was.

import { fileURLToPath } from 'node:url'
import type { ServerProcess } from '../support/server-process.ts'
import { until } from './until.ts'

/** The program that can be watched. */
export const watchedProgram: string = fileURLToPath(new URL('./watched-server.ts', import.meta.url))

/** What a server had at one moment. */
export interface Look {
  /** Since the watch began. */
  readonly seconds: number
  readonly heapBytes: number
  readonly objects: number
  /** The commonest kinds of them. */
  readonly most: Readonly<Record<string, number>>
  readonly residentBytes: number
  readonly descriptors: number
  /** How late the event loop was since the look before, in ms. */
  readonly late: { readonly p50: number; readonly p99: number; readonly max: number }
}

export class Watch {
  readonly looks: Look[] = []
  readonly #server: ServerProcess
  readonly #begun = performance.now()

  constructor(server: ServerProcess) {
    this.#server = server
  }

  async look(): Promise<Look> {
    const before = this.#told()
    this.#server.signal('SIGUSR2')
    await until('the server tells what it holds', answerMsMax, () => this.#told() > before || !this.#server.isRunning)
    const told = /^watched (\{.*\})$/m.exec(this.#server.stdout.slice(this.#server.stdout.lastIndexOf('\nwatched ')))?.[1]
    const { residentBytes, descriptors } = this.#server
    const look: Look = { ...JSON.parse(told ?? '{}'), seconds: (performance.now() - this.#begun) / 1_000, residentBytes, descriptors }
    this.looks.push(look)
    return look
  }

  /** Looks until two in a row differ by less than `bytes`: what was going on has ended. */
  async settled(bytes: number): Promise<Look> {
    let last = await this.look()
    for (let tries = 0; tries < settlingLooksMax; tries++) {
      await Bun.sleep(settlingMs)
      const next = await this.look()
      const isStill = Math.abs(next.heapBytes - last.heapBytes) < bytes && Math.abs(next.residentBytes - last.residentBytes) < bytes
      last = next
      if (isStill) break
    }
    return last
  }

  #told(): number {
    return this.#server.stdout.split('\nwatched ').length
  }
}

/** By how much `value` grows in an hour, by least squares. */
export function slopePerHour(looks: readonly Look[], value: (look: Look) => number): number {
  const middle = (pick: (look: Look) => number): number => looks.reduce((sum, each) => sum + pick(each), 0) / looks.length
  const [time, height] = [middle(({ seconds }) => seconds), middle(value)]
  const both = looks.reduce((sum, each) => sum + (each.seconds - time) * (value(each) - height), 0)
  const squares = looks.reduce((sum, { seconds }) => sum + (seconds - time) ** 2, 0)
  return (3_600 * both) / squares
}

const answerMsMax = 60_000
const settlingMs = 500
const settlingLooksMax = 20
