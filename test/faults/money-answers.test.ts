// The answer to an order is cut off after the commit, and nothing else: the proxy in between lets everything pass to the server and
// nothing back. The same bytes on the next connection bring the answer, and the ledger has the order once.

import { expect, test } from 'bun:test'
import { createPrivateKey } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { messageId } from '../support/device-client.ts'
import { isMissing } from '../support/python.ts'
import type { CuttingProxy } from './cutting-proxy.ts'
import { form } from './form.ts'
import { checkMoney, exportLedger } from './money-checker.ts'
import { type Attempt, MoneyJournal } from './money-journal.ts'
import { hexOf } from './money-known.ts'
import { type Answer, MoneyLink } from './money-link.ts'
import { type MoneyRequest, MoneySigner } from './money-orders.ts'
import type { SpenderSettings } from './money-spender.ts'
import { MoneyWorld } from './money-world.ts'
import { type Random, randomOf, seedOf } from './random.ts'

const answers = form(50, 1_000)
const lanes = 4
const orderMs = 600_000

test.skipIf(isMissing('python3-cbor2'))(
  `${answers} answers cut off after the commit: each order is carried out once`,
  async () => {
    const seed = seedOf('money answers')
    // One more account than lanes: whoever is paid is not here, so that nothing but answers comes back.
    const people = { accounts: lanes + 1, payers: lanes + 1, processes: lanes + 1 }
    await using world = await MoneyWorld.make({ ...people, operations: 0, inFlight: 1, friends: false, seed, diskBytes: undefined })
    const payee = Object.values(world.accounts).at(-1) ?? 0
    const payers = world.settings.slice(0, lanes).map((settings, at) => {
      const proxy = world.proxies[at]
      if (proxy === undefined) throw new Error('there is a proxy for everybody')
      return new Payer(settings, { proxy, random: randomOf(seed + at), data: world.data, payee })
    })
    await Promise.all(payers.map((payer, at) => payer.pay(Math.floor((answers + at) / lanes))))
    const cuts = world.proxies.reduce((sum, each) => sum + each.cuts, 0)
    expect(cuts).toBe(answers)
    await world.server.stop()
    const proof = await exportLedger(world)
    const { problems, first, ...figures } = await checkMoney(world.path)
    console.log(`money answers: SEED=${seed}`, JSON.stringify({ cuts, ...figures }), proof.trim())
    expect(first).toEqual([])
    expect(problems).toEqual({})
    expect(proof).toMatch(/^good: /)
    expect([figures.acknowledged, figures.resolved, figures.refused]).toEqual([2 * answers, answers, 0])
    expect(figures.kinds['pay']).toBe(answers)
  },
  answers * 2_000 + 60_000,
)

class Payer {
  readonly #settings: SpenderSettings
  readonly #proxy: CuttingProxy
  readonly #random: Random
  readonly #data: string
  readonly #payee: number
  readonly #signer: MoneySigner
  readonly #journal: MoneyJournal
  #attempts = 0

  constructor(settings: SpenderSettings, parts: { proxy: CuttingProxy; random: Random; data: string; payee: number }) {
    this.#settings = settings
    this.#proxy = parts.proxy
    this.#random = parts.random
    this.#data = parts.data
    this.#payee = parts.payee
    const { server, account, key, journal } = settings
    this.#signer = new MoneySigner({ server: Buffer.from(server, 'hex'), account, key: createPrivateKey(key), nameOf: String })
    this.#journal = new MoneyJournal(journal)
  }

  /** On one connection after the other: only that on which an answer is cut off ends. */
  async pay(count: number): Promise<void> {
    let link = await this.#dial()
    for (let paid = 0; paid < count; paid++) link = await this.#payOnce(link)
    link.close()
    this.#journal[Symbol.dispose]()
  }

  async #payOnce(link: MoneyLink): Promise<MoneyLink> {
    const meant = { kind: 'pay', id: hexOf(messageId()), to: this.#payee, amount: 7, expires: Date.now() + orderMs } as const
    const request = this.#signer.requestOf(meant)
    const n = this.#intend(meant, request)
    this.#proxy.cut({ up: false, bytes: 0, reset: this.#random() < 0.5 })
    const lost = await ask(link, request)
    if (!('lost' in lost)) throw new Error(`an answer has arrived: ${JSON.stringify(lost)}`)
    this.#note({ n, lost: lost.lost })
    expect(this.#stored(meant.id)).toBe(1)
    const next = await this.#dial()
    const answer = await ask(next, request)
    this.#settle(n, answer)
    // And once more: the same again.
    const again = this.#intend(meant, request)
    const same = await ask(next, request)
    this.#settle(again, same)
    expect(same).toEqual(answer)
    return next
  }

  #intend(meant: Omit<Attempt, 'n' | 'at'>, request: MoneyRequest): number {
    const n = this.#attempts++
    this.#note({ ...meant, n, at: Date.now(), ...('digest' in request ? { digest: request.digest } : {}) })
    return n
  }

  #settle(n: number, answer: Answer): void {
    if (!('result' in answer)) throw new Error(`no answer: ${JSON.stringify(answer)}`)
    const { posting, amount } = answer.result as { posting: number; amount: string }
    this.#note({ n, posting, amount })
  }

  #note(line: Parameters<MoneyJournal['add']>[0]): void {
    this.#journal.add(line)
    this.#journal.flush()
  }

  #dial(): Promise<MoneyLink> {
    return MoneyLink.dial(this.#settings, Buffer.from(this.#settings.token, 'hex'), nobody)
  }

  /** How often the database has it; whoever answers has committed. */
  #stored(id: string): number {
    using database = new DatabaseSync(join(this.#data, 'sealwire.db'), { readOnly: true, timeout: 5_000 })
    return Number(database.prepare('select count(*) as count from transfer where id = ?').get(Buffer.from(id, 'hex'))?.['count'])
  }
}

function ask(link: MoneyLink, { method, params }: MoneyRequest): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  link.ask(method, params, resolve)
  return promise
}

const nobody = { event: () => {}, rest: () => {}, closed: () => {} }
