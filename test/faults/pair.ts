// Two people, each a program of the SDK with a home of its own, who talk to each other and pay each other while something goes wrong.
// In the end each has heard what the other said, once and in order, and has the money that this leaves them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { askServer } from '../../src/cli/operator/connection.ts'
import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { messageId } from '../support/device-client.ts'
import { Processes } from '../support/network-processes.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { minorOf, type PairLine, type PairSettings } from './pair-plan.ts'
import { until } from './until.ts'

/** Where one of the two is. */
export interface PairPlace {
  readonly server: { readonly host: string; readonly port: number }
  /** What makes a command line one of its machine. Default: this one's. */
  readonly prefix?: readonly string[]
}

export interface PairOptions {
  /** Folder of the server's data. */
  readonly data: string
  /** The pin of the server. */
  readonly pin: string
  readonly places: readonly [PairPlace, PairPlace]
  /** Between the answer to one message and payment and the next. */
  readonly paceMs: number
  /** Default: one, other. */
  readonly names?: readonly [string, string]
}

/** What came of it. */
export interface PairFigures {
  /** Messages and payments of each, as many of the one as of the other. */
  readonly said: readonly number[]
  readonly wrong: readonly string[]
}

export class Pair implements AsyncDisposable {
  readonly #folder = new StoreFolder()
  readonly #processes = new Processes()
  readonly #people: readonly Person[]

  private constructor({ pin, places, paceMs, names = ['one', 'other'] }: PairOptions) {
    this.#people = places.map(({ server, prefix = [] }, index) => {
      const [name, to] = index === 0 ? names : (names.toReversed() as [string, string])
      const [home, journal] = [join(this.#folder.path, name), join(this.#folder.path, `${name}.jsonl`)]
      return new Person({ name, to, home, journal, server, pin, paceMs }, { prefix, processes: this.#processes })
    })
  }

  /** Two who are contacts, have money, and talk. */
  static async start(options: PairOptions): Promise<Pair> {
    const pair = new Pair(options)
    try {
      await pair.#begin(options.data)
      return pair
    } catch (reason) {
      await pair[Symbol.asyncDispose]()
      throw reason
    }
  }

  /** What was said and acknowledged: messages, and as many payments. */
  get said(): number {
    return this.#people.reduce((sum, { said }) => sum + said, 0)
  }

  /** Waits until so many more were said. */
  async get(on: number, msMax: number): Promise<void> {
    const goal = this.said + on
    await until(`${on} more are said`, msMax, () => this.#people.every((each) => each.isAlive) && this.said >= goal)
  }

  /** Lets them finish, and looks at what they have. */
  async finish(msMax: number): Promise<PairFigures> {
    await Promise.all(this.#people.map((each) => each.told('enough', msMax)))
    const [one, other] = this.#people as readonly [Person, Person]
    const isAllHeard = (): boolean => one.isAlive && other.isAlive && one.heard >= other.said && other.heard >= one.said
    await until('both have heard everything', msMax, isAllHeard)
    const wrong = [...(await findings(one, other, msMax)), ...(await findings(other, one, msMax))]
    return { said: this.#people.map(({ said }) => said), wrong }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #begin(data: string): Promise<void> {
    const [one, other] = this.#people as readonly [Person, Person]
    await Promise.all([one.done(beginMsMax), other.done(beginMsMax)])
    await one.told('request', beginMsMax)
    await other.told('accept', beginMsMax)
    for (const { settings } of this.#people) {
      const params = { id: messageId(), name: settings.name, amount: `${startMinor / 100n}` }
      await askServer(data, 'ledger.mint', params, { clock: systemClock, limits: resolveLimits() })
    }
    for (const each of this.#people) each.say('begin')
  }
}

/** One of the two: its process, and what it has told. */
class Person {
  readonly settings: PairSettings
  readonly #child
  said = 0
  heard = 0
  #done: string[] = []
  #errors = ''

  constructor(settings: PairSettings, { prefix, processes }: { readonly prefix: readonly string[]; readonly processes: Processes }) {
    this.settings = settings
    this.#child = processes.start([...prefix, process.execPath, program, JSON.stringify(settings)])
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text))
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const [word, ...values] = line.split(' ')
      if (word === 'at') [this.said = 0, this.heard = 0] = values.map(Number)
      else this.#done.push(values.join(' '))
    })
  }

  /** True; @throws when the program has ended. */
  get isAlive(): true {
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null) return true
    throw new Error(`${this.settings.name} has ended (${exitCode ?? signalCode}): ${this.#errors}`)
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  /** What it says when it has done something. */
  async done(msMax: number): Promise<string> {
    await until(`${this.settings.name} has done something`, msMax, () => this.isAlive && this.#done.length > 0)
    return this.#done.shift() ?? ''
  }

  async told(line: string, msMax: number): Promise<string> {
    this.say(line)
    return this.done(msMax)
  }

  get lines(): readonly PairLine[] {
    const lines = readFileSync(this.settings.journal, 'utf8').split('\n').slice(0, -1)
    return lines.map((line): PairLine => JSON.parse(line))
  }
}

/** What is wrong with what `one` has heard and owns. */
async function findings(one: Person, other: Person, msMax: number): Promise<readonly string[]> {
  const { name } = one.settings
  const heard = one.lines.flatMap((line) => ('heard' in line ? [Number(line.heard)] : []))
  const late = heard.findIndex((number, index) => number !== index)
  const balance = BigInt(await one.told('balance', msMax))
  const due = startMinor - paidBy(one) + paidBy(other)
  return [
    ...(late < 0 ? [] : [`${name} has heard ${heard[late]} in place of ${late}`]),
    ...(heard.length === other.said ? [] : [`${name} has heard ${heard.length} of ${other.said}`]),
    ...(balance === due ? [] : [`${name} has ${balance} and not ${due}`]),
  ]
}

function paidBy({ said }: Person): bigint {
  return Array.from({ length: said }, (_, number) => minorOf(number)).reduce((sum, each) => sum + each, 0n)
}

const program = fileURLToPath(new URL('./pair-program.ts', import.meta.url))
const startMinor = 100_000_000n
const beginMsMax = 60_000
