// What an operator does to money: functions on the store that know no sockets, as those of operator.ts.

import { type Clock, formatAmount, isNothing, parseAmount, waitAtMost } from '../../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { LedgerRoutes, OperatorParams, OperatorResult } from '../../protocol/operator.ts'
import type { Account, ChainedPosting, Store, Unit } from '../../store/index.ts'
import { type LedgerProofParts, proveLedger, type ProofOutcome } from '../money/ledger-proof.ts'
import type { Log } from '../log.ts'
import { found, keyOfNamed } from '../operator.ts'
import { Recent } from '../../domain/recent.ts'

/** What the functions work with. */
export interface OperatorLedgerParts extends LedgerProofParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  /** Told after each new posting. Default: nobody is. */
  readonly posted?: () => void
}

/** The functions under the names of the methods. */
export function ledgerRoutes(parts: OperatorLedgerParts): LedgerRoutes {
  const ledger = new OperatorLedger(parts)
  return {
    'unit.create': (params) => ledger.createUnit(params),
    'unit.list': async () => ({ units: (await ledger.units()).map(listed) }),
    'ledger.mint': (params) => ledger.issue('ledger.mint', params),
    'ledger.burn': (params) => ledger.issue('ledger.burn', params),
    'ledger.limits': (params) => ledger.setLimits(params),
    'account.freeze': ({ name }) => ledger.freeze(name, true),
    'account.unfreeze': ({ name }) => ledger.freeze(name, false),
    'ledger.export': (params) => ledger.export(params),
    'ledger.verify': ({ job }) => ledger.verify(job),
  }
}

interface Job {
  readonly id: Uint8Array
  readonly over: Promise<unknown>
  rows: number
  outcome?: ProofOutcome
  error?: SealwireError
}

class OperatorLedger {
  readonly #parts: OperatorLedgerParts
  readonly #names = new Recent<bigint, string | undefined>(namesMax)
  /** The newest proof. */
  #job: Job | undefined

  constructor(parts: OperatorLedgerParts) {
    this.#parts = parts
  }

  units(): Promise<readonly Unit[]> {
    return this.#parts.store.run('unit.list', {})
  }

  /** @throws {SealwireError} `conflict` when it is there and another; `busy`; those of the store. */
  async createUnit({ unit: code, name, decimals, standard }: OperatorParams<'unit.create'>): Promise<OperatorResult<'unit.create'>> {
    const { store, log } = this.#parts
    const places = decimals === undefined ? undefined : BigInt(decimals)
    const unit = await store.run('unit.create', { code, name, decimals: places, standard, at: this.#now() })
    log.info('unit made', { unit: code })
    return listed(unit)
  }

  /** @throws {SealwireError} `not_found`, `amount_invalid`; those of `ledger.mint` and `ledger.burn`. */
  async issue(what: 'ledger.mint' | 'ledger.burn', params: OperatorParams<'ledger.mint'>): Promise<OperatorResult<'ledger.mint'>> {
    const { store, log, posted } = this.#parts
    const { id, memo } = params
    const [account, unit] = [await this.#account(params.name), await this.#unit(params.unit)]
    const amount = parseAmount(params.amount, unit.decimals)
    const { transfer, balance, repeated } = await store.run(what, {
      id,
      accountId: account.id,
      unit: unit.code,
      amount,
      memo,
      at: this.#now(),
    })
    if (!repeated) {
      posted?.()
      log.info(what === 'ledger.mint' ? 'money minted' : 'money burnt', { account: account.name, unit: unit.code })
    }
    const text = (minor: bigint): string => formatAmount(minor, unit.decimals)
    return { name: account.name, unit: unit.code, amount: text(amount), balance: text(balance), posting: Number(transfer.posting) }
  }

  /** Answers the bounds that apply. @throws {SealwireError} `usage`, `not_found`, `amount_invalid`; those of the store. */
  async setLimits(params: OperatorParams<'ledger.limits'>): Promise<OperatorResult<'ledger.limits'>> {
    const { store, log } = this.#parts
    if (params.credit !== undefined && params.name === undefined) {
      throw new SealwireError('usage', 'credit is granted to an account, not to all', { hint: 'name the account' })
    }
    const unit = await this.#unit(params.unit)
    const { code, decimals } = unit
    const account = params.name === undefined ? undefined : await this.#account(params.name)
    const bound = (text: string | undefined): bigint | null | undefined => (text === 'none' ? null : amountOf(text, decimals))
    const credit = amountOf(params.credit, decimals)
    const set = await store.run('ledger.limits', {
      ...{ unit: code, accountId: account?.id, dayMax: bound(params.dayMax), deviceDayMax: bound(params.deviceDayMax) },
      floor: credit === undefined ? undefined : -credit,
    })
    log.info('bounds of payments set', { unit: code, account: account?.name })
    const told = (key: string, minor: bigint | undefined) => (minor === undefined ? {} : { [key]: formatAmount(minor, decimals) })
    const granted = account === undefined ? undefined : -set.floor
    const { dayMax, deviceDayMax } =
      account === undefined ? set : { dayMax: set.dayMax ?? unit.dayMax, deviceDayMax: set.deviceDayMax ?? unit.deviceDayMax }
    return { unit: code, ...told('dayMax', dayMax), ...told('deviceDayMax', deviceDayMax), ...told('credit', granted) }
  }

  /** @throws {SealwireError} `not_found`; those of the store. */
  async freeze(name: string, frozen: boolean): Promise<OperatorResult<'account.freeze'>> {
    const { store, log } = this.#parts
    const account = await this.#account(name)
    await store.run('ledger.freeze', { accountId: account.id, frozen, at: this.#now() })
    log.info(frozen ? 'account frozen' : 'account unfrozen', { account: account.name })
    return { name: account.name }
  }

  /** As many postings as one answer holds. @throws {SealwireError} those of the store. */
  async export({ after }: OperatorParams<'ledger.export'>): Promise<OperatorResult<'ledger.export'>> {
    const { store, limits } = this.#parts
    const page = await store.run('ledger.export', { after: BigInt(after), max: exportMax })
    let bytes = 0
    const count = page.findIndex((posting, at) => (bytes += bytesOf(posting)) > limits.ledgerExportBytes && at > 0)
    const kept = count < 0 ? page : page.slice(0, count)
    const postings: OperatorResult<'ledger.export'>['postings'] = []
    for (const posting of kept) postings.push(await this.#exported(posting))
    return { postings, more: kept.length < page.length || page.length === Number(exportMax) }
  }

  /**
   * Begins a proof, or tells how far that one is; waits a little for its end.
   * @throws {SealwireError} `busy` while another one is under way; those of the store.
   */
  async verify(id: Uint8Array): Promise<OperatorResult<'ledger.verify'>> {
    const known = this.#job
    const isIts = known !== undefined && Buffer.compare(known.id, id) === 0
    if (!isIts && known !== undefined && known.outcome === undefined && known.error === undefined) {
      throw new SealwireError('busy', 'the ledger is being verified already')
    }
    const job = isIts ? known : this.#begin(id)
    await waitAtMost(this.#parts.clock, answerMs, job.over)
    if (job.error !== undefined) throw job.error
    const { rows, outcome } = job
    return { rows, done: outcome !== undefined, ...(outcome?.fault === undefined ? {} : { fault: outcome.fault }) }
  }

  #begin(id: Uint8Array): Job {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const job: Job = { id, over, rows: 0 }
    this.#job = job
    void this.#prove(job).finally(resolve)
    return job
  }

  async #prove(job: Job): Promise<void> {
    const { log } = this.#parts
    try {
      const outcome = await proveLedger(this.#parts, { progress: (rows) => (job.rows = rows), rest: () => this.#turn() })
      job.rows = outcome.rows
      job.outcome = outcome
      if (outcome.fault === undefined) log.info('ledger proved', { rows: outcome.rows })
      else log.error('the ledger is not what it must be: payments are refused', { row: outcome.fault.row, what: outcome.fault.what })
    } catch (reason) {
      job.error = SealwireError.from(reason)
    }
  }

  /** Others have their turn: without a server the store answers at once. */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }

  async #exported(posting: ChainedPosting): Promise<OperatorResult<'ledger.export'>['postings'][number]> {
    const { seq, at, kind, unit, decimals, legs, ref, signerId, id, row, hash } = posting
    const named = legs.map(async ({ ledgerAccountId, holderId, delta }) => {
      const name = await this.#nameOf(holderId)
      const whose = { ledgerAccount: Number(ledgerAccountId), account: Number(holderId), delta: formatAmount(delta, decimals) }
      return name === undefined ? whose : { ...whose, name }
    })
    const settles = ref === undefined ? {} : { settles: Number(ref) }
    return {
      ...{ posting: Number(seq), at: Number(at), kind, unit, decimals: Number(decimals), ...settles, id, signer: Number(signerId) },
      ...{ legs: await Promise.all(named), row, hash },
    }
  }

  async #nameOf(id: bigint): Promise<string | undefined> {
    if (id === 0n) return undefined
    const known = this.#names.find(id)
    if (known !== undefined) return known
    const name = (await this.#parts.store.run('account.findById', { id }))?.name
    this.#names.add(id, name)
    return name
  }

  async #account(name: string): Promise<Account> {
    const { store, limits } = this.#parts
    return found(await store.run('account.find', { key: keyOfNamed(name, limits) }))
  }

  async #unit(code: string | undefined): Promise<Unit> {
    const units = await this.units()
    const unit = code === undefined ? units[0] : units.find((each) => each.code === code)
    if (unit === undefined) throw new SealwireError('not_found', 'there is no such unit', { hint: 'sealwire admin unit list shows them' })
    return unit
  }

  #now(): bigint {
    return BigInt(this.#parts.clock.now())
  }
}

function listed({ code, name, decimals, standard }: Unit): OperatorResult<'unit.create'> {
  return { unit: code, name, decimals: Number(decimals), standard }
}

/** Nothing is an amount here: no credit, nothing in a day. */
function amountOf(text: string | undefined, decimals: bigint): bigint | undefined {
  if (text === undefined) return undefined
  return isNothing(text) ? 0n : parseAmount(text, decimals)
}

/** What a posting takes in an answer; at most. */
function bytesOf({ row, legs }: ChainedPosting): number {
  return postingBytes + row.length + legs.length * legBytes
}

const exportMax = BigInt(limitTable.exportPageMax.value)
const postingBytes = 256
const legBytes = 256
const namesMax = limitTable.exportNamesMax.value
/** An answer of a proof that goes on comes after so long. */
const answerMs = 1_000
