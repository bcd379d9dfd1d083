// A payer: it orders at random, as much at once as it may, until it has done its number, and knows in the end what became of each
// order. What is without an answer is asked for again, in the same bytes, on the next connection, by the next process, or after
// `unknown_outcome`; some of it is looked up first.

import { createPrivateKey } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type Attempt, MoneyJournal, type MoneyLine, type Outcome } from './money-journal.ts'
import { hexOf, MoneyKnown } from './money-known.ts'
import { type Answer, MoneyLink, type MoneyPlace } from './money-link.ts'
import { type MoneyRequest, MoneySigner } from './money-orders.ts'
import { plan } from './money-plan.ts'
import { randomOf } from './random.ts'

/** What a payer is told. */
export interface SpenderSettings extends MoneyPlace {
  readonly name: string
  readonly account: number
  /** Names of all accounts by their numbers. */
  readonly accounts: Readonly<Record<string, number>>
  /** PEM of its Ed25519 key; a session's token and the id of the server, hexadecimal. */
  readonly key: string
  readonly token: string
  readonly server: string
  readonly journal: string
  /** Attempts in all, and at once. */
  readonly operations: number
  readonly inFlight: number
  readonly seed: number
}

export class Spender {
  readonly #settings: SpenderSettings
  readonly #journal: MoneyJournal
  readonly #signer: MoneySigner
  readonly #known: MoneyKnown
  readonly #accounts: readonly number[]
  readonly #random
  /** Without an outcome. */
  readonly #open = new Map<number, Attempt>()
  /** Of those: that have no request under way. */
  readonly #unasked = new Map<number, Attempt>()
  /** Of those: that were or may have been carried out before. */
  readonly #doubted = new Set<number>()
  #attempts = 0
  #isFilling = false
  #pauseUntil = 0
  #link: MoneyLink | undefined
  posted = 0
  refused = 0
  lost = 0

  constructor(settings: SpenderSettings) {
    const { accounts, key, server, name, account, seed } = settings
    const names = new Map(Object.entries(accounts).map(([each, number]) => [number, each]))
    this.#settings = settings
    this.#journal = new MoneyJournal(settings.journal)
    this.#accounts = Object.values(accounts)
    const nameOf = (number: number): string => names.get(number) ?? ''
    this.#signer = new MoneySigner({ server: Buffer.from(server, 'hex'), account, key: createPrivateKey(key), nameOf })
    this.#known = new MoneyKnown(name, (each) => accounts[each] ?? 0)
    for (const line of this.#journal.lines) this.#recall(line)
    for (const [n, attempt] of this.#open) {
      this.#unasked.set(n, attempt)
      this.#doubted.add(n)
    }
    this.#random = randomOf(seed + this.#journal.lines.length)
  }

  /** Resolves when everything has its outcome. */
  async run(): Promise<void> {
    while (!this.#isDone) {
      const closed = Promise.withResolvers<void>()
      try {
        const token = Buffer.from(this.#settings.token, 'hex')
        const event = (name: string, data: unknown): void => {
          if (name === 'payment.changed') this.#known.hear(data)
        }
        this.#link = await MoneyLink.dial(this.#settings, token, { event, rest: () => this.#soon(), closed: closed.resolve })
      } catch {
        await wait(againMs)
        continue
      }
      this.#soon()
      await closed.promise
      this.#link = undefined
    }
    this.#journal.flush()
  }

  get #isDone(): boolean {
    return this.#attempts >= this.#settings.operations && this.#open.size === 0
  }

  #recall(line: MoneyLine): void {
    if ('kind' in line) {
      this.#attempts = line.n + 1
      if (line.reuses === true) this.#known.reused.add(line.id)
      this.#open.set(line.n, line)
    } else if ('n' in line) {
      if ('lost' in line) this.lost++
      else this.#settle(line)
    }
  }

  /** After all that one read has brought: then many are written at once. */
  #soon(): void {
    if (this.#isFilling) return
    this.#isFilling = true
    const delay = Math.max(0, this.#pauseUntil - performance.now())
    const fill = (): void => {
      this.#isFilling = false
      this.#fill()
    }
    if (delay > 0) setTimeout(fill, delay)
    else setImmediate(fill)
  }

  /** Everything that is sent stands in the journal before. */
  #fill(): void {
    const link = this.#link
    if (link === undefined) return
    const asked: [Attempt, MoneyRequest][] = []
    for (const [n, attempt] of this.#unasked) {
      asked.push([attempt, this.#signer.requestOf(attempt)])
      this.#unasked.delete(n)
    }
    const { operations, inFlight } = this.#settings
    while (this.#open.size < inFlight && this.#attempts < operations) asked.push(this.#next())
    this.#journal.flush()
    for (const [attempt, request] of asked) this.#ask(link, attempt, request)
    if (this.#isDone) link.close()
  }

  #next(): [Attempt, MoneyRequest] {
    const { account } = this.#settings
    const next = plan({ random: this.#random, account, accounts: this.#accounts, known: this.#known })
    const stamp = { n: this.#attempts++, at: Date.now() }
    const meant = 'again' in next ? next.again : next.fresh
    const request = this.#signer.requestOf(meant)
    if ('again' in next) this.#doubted.add(stamp.n)
    const attempt: Attempt = { ...meant, ...stamp, ...('digest' in request ? { digest: request.digest } : {}) }
    this.#journal.add(attempt)
    this.#open.set(attempt.n, attempt)
    if (attempt.kind !== 'request' && attempt.spoilt !== true) this.#known.sent.add(attempt)
    return [attempt, request]
  }

  #ask(link: MoneyLink, attempt: Attempt, { method, params }: MoneyRequest): void {
    link.ask(method, params, (answer) => this.#answered(link, attempt, answer))
  }

  #answered(link: MoneyLink, attempt: Attempt, answer: Answer): void {
    const { n } = attempt
    if ('result' in answer) return this.#settleNow(outcomeOf(n, answer.result, attempt))
    const code = 'code' in answer ? answer.code : undefined
    // Neither says that nothing has happened.
    if (code === undefined || code === 'unknown_outcome' || code === 'internal') return this.#lose(link, attempt, answer)
    if (isPassing(code)) {
      this.#pauseUntil = performance.now() + againMs
      // It says that this time nothing has happened, and nothing of the time before.
      if (this.#doubted.has(n)) return this.#lose(link, attempt, answer)
    }
    this.#settleNow({ n, code })
  }

  #lose(link: MoneyLink, attempt: Attempt, answer: Answer): void {
    this.lost++
    this.#doubted.add(attempt.n)
    this.#journal.add({ n: attempt.n, lost: 'code' in answer ? answer.code : 'lost' in answer ? answer.lost : '' })
    if ('code' in answer && answer.code === 'internal') this.#journal.add({ wrong: 'internal' })
    const mayLook = attempt.kind !== 'request' && attempt.spoilt !== true && !this.#known.reused.has(attempt.id)
    if ('lost' in answer || !mayLook || this.#random() < 0.5) return this.#askLater(attempt)
    // A look that finds nothing settles nothing: it may be on its way.
    link.ask('payment.transfer', { id: Buffer.from(attempt.id, 'hex') }, (found) => {
      if (!('result' in found)) return this.#askLater(attempt)
      this.#settleNow(outcomeOf(attempt.n, found.result, attempt))
      this.#soon()
    })
  }

  #askLater(attempt: Attempt): void {
    this.#unasked.set(attempt.n, attempt)
    this.#pauseUntil = performance.now() + againMs
    this.#soon()
  }

  #settleNow(outcome: Outcome): void {
    this.#journal.add(outcome)
    this.#settle(outcome)
  }

  #settle(outcome: Outcome): void {
    const attempt = this.#open.get(outcome.n)
    if (attempt === undefined) return
    this.#open.delete(outcome.n)
    this.#doubted.delete(outcome.n)
    if ('code' in outcome) this.refused++
    else this.posted++
    if ('posting' in outcome) this.#known.posted.add(attempt)
  }
}

function outcomeOf(n: number, result: unknown, attempt: Attempt): Outcome {
  const { id, posting, amount } = result as { id: Uint8Array; posting: number; amount: string }
  if (hexOf(id) !== attempt.id) throw new Error('an answer about something else')
  return attempt.kind === 'request' ? { n, asked: amount } : { n, posting, amount }
}

/** Codes that are about the moment, and not about the order. */
function isPassing(code: string): boolean {
  return code === 'storage_full' || code === 'unavailable' || code === 'busy' || code === 'rate_limited'
}

const againMs = 20
