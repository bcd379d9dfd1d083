// Payers at work while the server, their processes, their connections and the disk fail. When faults come is a matter of progress and
// not of time, as in fault-run.ts; how long a disk fails too, but it ends after a while where nothing gets on any more.

import { setTimeout as wait } from 'node:timers/promises'
import { checkMoney, exportLedger, type MoneyVerdict } from './money-checker.ts'
import { FailingCalls } from './money-disk.ts'
import { MoneyTotals } from './money-totals.ts'
import type { MoneyWorld } from './money-world.ts'
import { below, type Random, randomOf } from './random.ts'
import { until } from './until.ts'

/** `before`, `after`: a connection cut on the way of orders, or of answers. `full`: the disk. `sync`, `write`: system calls. */
export const moneyFaultKinds = ['server', 'client', 'before', 'after', 'full', 'sync', 'write'] as const
export type MoneyFaultKind = (typeof moneyFaultKinds)[number]

export interface MoneyFault {
  /** So many outcomes. */
  readonly after: number
  readonly kind: MoneyFaultKind
  /** From 0 to 1, for what is left to chance in it. */
  readonly chance: readonly [number, number, number]
}

export interface MoneyRan extends MoneyVerdict {
  readonly faults: Readonly<Record<MoneyFaultKind, number>>
  /** Connections that were cut, of those of `before` and `after`. */
  readonly cuts: number
  /** Calls that failed, and servers that ended by themselves. */
  readonly failedCalls: number
  readonly serversEnded: number
  readonly operatorActs: number
  /** Looks at the total, and what was wrong with it. */
  readonly reads: number
  readonly wrongTotals: readonly string[]
  readonly seconds: number
  /** What `ledger verify` says. */
  readonly proof: string
}

/** Shares of twenty. Those that cannot happen here are left out. */
const shares: Readonly<Record<MoneyFaultKind, number>> = { server: 4, client: 4, before: 4, after: 5, full: 1, sync: 1, write: 1 }
/** The part of all outcomes after which no fault comes. */
const lastMoment = 0.95

export function moneySchedule(random: Random, what: { count: number; outcomes: number; kinds: ReadonlySet<MoneyFaultKind> }): MoneyFault[] {
  const { count, outcomes, kinds } = what
  const bag = moneyFaultKinds.flatMap((kind) => (kinds.has(kind) ? Array.from({ length: shares[kind] }, () => kind) : []))
  const moments = Array.from({ length: count }, () => 1 + below(random, outcomes * lastMoment)).toSorted((one, other) => one - other)
  let left: MoneyFaultKind[] = []
  return moments.map((after) => {
    if (left.length === 0) left = [...bag]
    const [kind = 'server'] = left.splice(below(random, left.length), 1)
    return { after, kind, chance: [random(), random(), random()] }
  })
}

/** Lets everything of the schedule happen, waits until the payers know everything, and has it checked. */
export async function runMoney(world: MoneyWorld, faults: readonly MoneyFault[], { msMax }: { readonly msMax: number }): Promise<MoneyRan> {
  const begun = performance.now()
  const run = new MoneyRun(world, msMax)
  const totals = new MoneyTotals(world.data)
  for (const each of world.processes) each.start()
  totals.start()
  const operating = run.operate()
  try {
    await run.happen(faults)
    await run.finished()
  } finally {
    run.stop()
    await operating
    await totals.stop()
  }
  // Nothing moves any more: what is on hold would expire between the export and the look at the database.
  await world.server.stop()
  const proof = await exportLedger(world)
  const { counts, failedCalls, serversEnded } = run
  return {
    ...(await checkMoney(world.path)),
    ...{
      faults: counts,
      cuts: world.proxies.reduce((sum, { cuts }) => sum + cuts, 0),
      failedCalls,
      serversEnded,
      operatorActs: world.operator.attempts,
    },
    ...{ reads: totals.reads, wrongTotals: totals.wrong, seconds: Math.round((performance.now() - begun) / 1000), proof },
  }
}

class MoneyRun {
  readonly counts: Record<MoneyFaultKind, number> = { server: 0, client: 0, before: 0, after: 0, full: 0, sync: 0, write: 0 }
  failedCalls = 0
  serversEnded = 0
  readonly #world: MoneyWorld
  readonly #end: number
  readonly #random: Random
  readonly #underWay = new Map<'server' | number, Promise<void>>()
  #isOver = false

  constructor(world: MoneyWorld, msMax: number) {
    this.#world = world
    this.#end = performance.now() + msMax
    this.#random = randomOf(world.options.seed)
  }

  async happen(faults: readonly MoneyFault[]): Promise<void> {
    try {
      for (const fault of faults) {
        await this.#until(`${fault.after} outcomes`, () => this.#world.outcomes >= fault.after)
        await this.#begin(fault)
      }
    } finally {
      // What is being started would outlive whoever gives up.
      await Promise.allSettled(this.#underWay.values())
    }
    await Promise.all(this.#underWay.values())
  }

  async finished(): Promise<void> {
    await this.#until('every payer knows everything', () => this.#world.processes.every(({ hasFinished }) => hasFinished))
  }

  /** The operator does something now and then, and never two things at once. */
  async operate(): Promise<void> {
    const { operator, options } = this.#world
    const every = Math.max(100, options.operations / operatorActsMax)
    for (let next = every; !this.#isOver; ) {
      if (this.#world.outcomes < next) await wait(pollMs)
      else {
        next = this.#world.outcomes + every
        await operator.act(this.#random, frozenMs)
      }
    }
  }

  stop(): void {
    this.#isOver = true
  }

  async #begin({ kind, chance: [one, two, three] }: MoneyFault): Promise<void> {
    const { processes, proxies } = this.#world
    const working = [...processes.keys()].filter((each) => processes[each]?.hasFinished === false)
    const who = working[Math.floor(one * working.length)]
    if (who === undefined) return
    this.counts[kind]++
    switch (kind) {
      case 'server':
        return this.#next('server', () => this.#world.restartServer())
      case 'client':
        return this.#next(who, async () => processes[who]?.restart())
      case 'before':
        return proxies[who]?.cut({ up: true, bytes: Math.floor(two * cutBytesMax), reset: three < 0.5 })
      case 'after':
        return proxies[who]?.cut({ up: false, bytes: three < 0.3 ? 0 : Math.floor(two * cutBytesMax), reset: three < 0.6 })
      case 'full':
        return this.#next('server', () => this.#fill())
      case 'sync':
        return this.#next('server', () =>
          this.#fail('fsync,fdatasync', `error=EIO:when=${1 + Math.floor(two * 4)}+${1 + Math.floor(three * 4)}`),
        )
      case 'write':
        return this.#next('server', () =>
          this.#fail('pwrite64', `error=${two < 0.5 ? 'ENOSPC' : 'EIO'}:when=${1 + Math.floor(three * 30)}+1`),
        )
    }
  }

  /** What is being started again is killed again only when it is there; a server has one fault at a time. */
  async #next(what: 'server' | number, act: () => Promise<void>): Promise<void> {
    await this.#underWay.get(what)
    this.#underWay.set(what, act())
  }

  async #fill(): Promise<void> {
    const { disk } = this.#world
    if (!disk.canBeFilled) return this.#fail('pwrite64', 'error=ENOSPC')
    await disk.fill()
    await this.#while()
    disk.free()
  }

  async #fail(calls: string, what: string): Promise<void> {
    const { pid } = this.#world.server
    const failing = await FailingCalls.begin(pid, calls, what)
    try {
      await this.#while()
    } finally {
      await failing[Symbol.asyncDispose]()
      this.failedCalls += failing.failed
    }
    if (this.#world.server.isRunning) return
    this.serversEnded++
    await this.#world.startServer()
  }

  /** Some progress, or none for a while. */
  async #while(): Promise<void> {
    const [from, begun] = [this.#world.outcomes, performance.now()]
    while (this.#world.outcomes < from + whileOutcomes && performance.now() < begun + whileMsMax) await wait(pollMs)
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const { processes } = this.#world
    const isAlive = (): boolean => {
      for (const [index, { hasFailed, errors }] of processes.entries())
        if (hasFailed) throw new Error(`process ${index} has failed: ${errors}`)
      return condition()
    }
    try {
      await until(what, Math.max(1_000, this.#end - performance.now()), isAlive)
    } catch (reason) {
      throw new Error(`${String(reason)}; ${this.#world.outcomes} outcomes; ${this.#world.server.stderr.slice(-errorCharacters)}`, {
        cause: reason,
      })
    }
  }
}

const cutBytesMax = 20_000
const operatorActsMax = 1_000
const frozenMs = 200
const whileOutcomes = 300
const whileMsMax = 1_500
const pollMs = 10
const errorCharacters = 2_000
