// The store of a world: the product's engine and its groups, with a database file in memory that survives the server. Between a
// request and its commit, and between the commit and the answer, time passes, in which the server may be killed. A commit may
// fail, and then nobody knows whether it was made.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Limits, SealwireError } from '../../src/protocol/index.ts'
import type { Outcome, Request } from '../../src/store/store.ts'
import { Engine } from '../../src/store/sqlite/engine.ts'
import { type GroupWorker, SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Chance } from './chance.ts'
import type { Schedule } from './schedule.ts'

/** How often a group of ten thousand fails, in which way. */
export interface StoreFaults {
  /** It was committed, and is answered `unknown_outcome`. */
  made: number
  /** It was not, and is answered the same. */
  unmade: number
  /** Nothing has happened: `unavailable`. */
  refused: number
}

/** A folder in memory where there is one: nothing here has to survive the machine. */
export function scratchFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sealwire-simulation-'))
}

/** The disk of the server. */
export class ServerDisk implements Disposable {
  readonly path: string
  readonly #folder = scratchFolder()
  readonly #limits: Limits
  #engine: Engine

  /** Begins with the bytes of a database. */
  constructor(database: Uint8Array, limits: Limits) {
    this.path = join(this.#folder, 'sealwire.db')
    this.#limits = limits
    writeFileSync(this.path, database)
    this.#engine = new Engine(this.path, limits)
  }

  get engine(): Engine {
    return this.#engine
  }

  /** The server was killed: what was committed is there again. */
  reopen(): void {
    this.#engine.close()
    this.#engine = new Engine(this.path, this.#limits, { presence: 'must-exist' })
  }

  [Symbol.dispose](): void {
    this.#engine.close()
    rmSync(this.#folder, { recursive: true })
  }
}

export interface SimWorkerParts {
  readonly schedule: Schedule
  readonly chance: Chance
  readonly disk: ServerDisk
  readonly faults: StoreFaults
  /** Told after each group that may have changed something. */
  readonly committed: () => void
}

/** What stands in the place of the worker thread. */
class SimWorker implements GroupWorker {
  readonly #parts: SimWorkerParts
  isKilled = false

  constructor(parts: SimWorkerParts) {
    this.#parts = parts
  }

  /** What it is given is copied, as a thread would. */
  async execute(group: readonly Request[]): Promise<readonly Outcome[]> {
    const { schedule, chance } = this.#parts
    const copy = structuredClone(group)
    await this.#while(schedule.pause(chance.delay(8, 400), 'store: commit'))
    const outcomes = this.#carryOut(copy)
    await this.#while(schedule.pause(chance.delay(4, 200), 'store: answer'))
    return outcomes
  }

  async close(): Promise<void> {}

  #carryOut(group: readonly Request[]): readonly Outcome[] {
    const { chance, disk, faults, schedule, committed } = this.#parts
    const part = chance.below(10_000)
    const names = group.map(({ name }) => name).join(' ')
    if (part < faults.refused) {
      schedule.note(`store: unavailable ${names}`)
      return all(group, new SealwireError('unavailable', 'the store has failed'))
    }
    const isMade = part >= faults.refused + faults.unmade
    const outcomes = isMade ? disk.engine.execute(group) : []
    committed()
    const isKnown = part >= faults.refused + faults.unmade + faults.made
    schedule.note(`store: ${isMade ? 'made' : 'unmade'} ${isKnown ? 'known' : 'unknown'} ${names} ${codesOf(outcomes)}`)
    return isKnown ? outcomes : all(group, new SealwireError('unknown_outcome', 'it may or may not have been stored'))
  }

  /** Never goes on once the server was killed. */
  async #while(pause: Promise<void>): Promise<void> {
    await pause
    if (this.isKilled) await new Promise(() => {})
  }
}

/** The store of one run of the server. */
export class SimStore extends SqliteStore {
  readonly #worker: SimWorker

  constructor(limits: Limits, parts: SimWorkerParts) {
    const worker = new SimWorker(parts)
    super(limits, worker)
    this.#worker = worker
  }

  /** Nothing that was asked is carried out or answered any more. */
  kill(): void {
    this.#worker.isKilled = true
  }
}

function all(group: readonly Request[], error: SealwireError): readonly Outcome[] {
  return group.map(() => ({ error }))
}

function codesOf(outcomes: readonly Outcome[]): string {
  return outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error.code] : [])).join(' ')
}
