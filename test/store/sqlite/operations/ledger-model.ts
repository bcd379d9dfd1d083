// What the ledger does, on paper: maps and plain rules, no code of the ledger, no database. It answers what an order must
// answer: the code of the refusal, or nothing when it is carried out.

export type Verdict = string | undefined
type Hold = { payer: bigint; payee: bigint; unit: string; held: bigint; captured: bigint; refunded: bigint; until: bigint; status: string }
type Paid = { payer: bigint; unit: string; parts: Map<bigint, { amount: bigint; refunded: bigint }> }

export class LedgerModel {
  readonly balances = new Map<string, bigint>()
  readonly floors = new Map<string, bigint>()
  readonly frozen = new Set<bigint>()
  readonly dayMax = new Map<string, bigint>()
  readonly holds = new Map<string, Hold>()
  readonly paid = new Map<string, Paid>()
  readonly #spent = new Map<string, bigint>()
  postings = 0n

  of(account: bigint, unit: string): bigint {
    return this.balances.get(`${account} ${unit}`) ?? 0n
  }

  /** Everything that is anywhere: with what was issued it makes nothing. */
  total(unit: string): bigint {
    const held = [...this.holds.values()].filter((hold) => hold.status === 'pending' && hold.unit === unit)
    const all = [...this.balances].filter(([key]) => key.endsWith(` ${unit}`)).map(([, balance]) => balance)
    return [...all, ...held.map((hold) => hold.held)].reduce((sum, each) => sum + each, 0n)
  }

  issue(account: bigint, unit: string, delta: bigint): Verdict {
    if (delta < 0n && !this.#has(account, unit, -delta)) return 'insufficient_funds'
    this.#add(account, unit, delta)
    this.postings++
    return undefined
  }

  /** Pays, splits, and puts on hold. */
  pay(
    name: string,
    payer: bigint,
    unit: string,
    parts: readonly (readonly [bigint, bigint])[],
    at: bigint,
    until: bigint,
    isHold = false,
  ): Verdict {
    const amount = parts.reduce((sum, [, each]) => sum + each, 0n)
    if (parts.some(([payee]) => payee === payer)) return 'is_self'
    if (at >= until) return 'expired'
    if ([payer, ...parts.map(([payee]) => payee)].some((id) => this.frozen.has(id))) return 'frozen'
    if (this.#isBeyond(payer, unit, amount, at)) return 'limit_exceeded'
    if (!this.#has(payer, unit, amount)) return 'insufficient_funds'
    this.#take(payer, unit, amount, at)
    const [[payee]] = parts as [[bigint, bigint]]
    if (isHold) this.holds.set(name, { payer, payee, unit, held: amount, captured: 0n, refunded: 0n, until, status: 'pending' })
    else this.paid.set(name, { payer, unit, parts: new Map(parts.map(([id, each]) => [id, { amount: each, refunded: 0n }])) })
    if (!isHold) for (const [id, each] of parts) this.#add(id, unit, each)
    return undefined
  }

  capture(name: string, by: bigint, amount: bigint, at: bigint): Verdict {
    const hold = this.holds.get(name)
    if (hold === undefined || (hold.payee !== by && hold.payer !== by)) return 'not_found'
    if (hold.payee !== by) return 'not_permitted'
    if (hold.status !== 'pending') return 'gone'
    if (at >= hold.until) return 'expired'
    if (amount > hold.held) return 'amount_invalid'
    if (this.frozen.has(hold.payer) || this.frozen.has(by)) return 'frozen'
    this.#end(hold, 'posted', hold.held - amount)
    hold.captured = amount
    this.#add(by, hold.unit, amount)
    return undefined
  }

  void(name: string, by: bigint, at: bigint): Verdict {
    const hold = this.holds.get(name)
    if (hold === undefined || (hold.payee !== by && hold.payer !== by)) return 'not_found'
    if (hold.status !== 'pending') return 'gone'
    if (hold.payee !== by && at < hold.until) return 'not_permitted'
    this.#end(hold, 'voided', hold.held)
    return undefined
  }

  expire(at: bigint): number {
    const over = [...this.holds.values()].filter((hold) => hold.status === 'pending' && hold.until <= at)
    for (const hold of over) this.#end(hold, 'expired', hold.held)
    return over.length
  }

  refund(name: string, by: bigint, amount: bigint, at: bigint): Verdict {
    const [hold, paid] = [this.holds.get(name), this.paid.get(name)]
    const part = paid?.parts.get(by) ?? (hold?.payee === by ? { amount: hold.captured, refunded: hold.refunded } : undefined)
    const of = paid ?? hold
    if (part === undefined || of === undefined) return 'not_found'
    if (part.refunded + amount > part.amount) return 'amount_invalid'
    if (this.frozen.has(by) || this.frozen.has(of.payer)) return 'frozen'
    if (this.#isBeyond(by, of.unit, amount, at)) return 'limit_exceeded'
    if (!this.#has(by, of.unit, amount)) return 'insufficient_funds'
    this.#take(by, of.unit, amount, at)
    this.#add(of.payer, of.unit, amount)
    if (paid === undefined && hold !== undefined) hold.refunded += amount
    else part.refunded += amount
    return undefined
  }

  #has(account: bigint, unit: string, amount: bigint): boolean {
    return this.of(account, unit) - amount >= (this.floors.get(`${account} ${unit}`) ?? 0n)
  }

  #isBeyond(account: bigint, unit: string, amount: bigint, at: bigint): boolean {
    const max = this.dayMax.get(`${account} ${unit}`)
    return max !== undefined && (this.#spent.get(`${account} ${unit} ${at / 86_400_000n}`) ?? 0n) + amount > max
  }

  #take(account: bigint, unit: string, amount: bigint, at: bigint): void {
    const key = `${account} ${unit} ${at / 86_400_000n}`
    this.#spent.set(key, (this.#spent.get(key) ?? 0n) + amount)
    this.#add(account, unit, -amount)
    this.postings++
  }

  #end(hold: Hold, status: string, back: bigint): void {
    hold.status = status
    this.#add(hold.payer, hold.unit, back)
    this.postings++
  }

  #add(account: bigint, unit: string, delta: bigint): void {
    this.balances.set(`${account} ${unit}`, this.of(account, unit) + delta)
  }
}
