// What orders that follow each other need to read only once: who may sign, the accounts that they move, where the ledger ends. And
// what those of a group need to write only once: how much each device has ordered today. It lives from one order to the next,
// also of a later group; what else is written, and whatever is undone, ends it. Nothing is decided by it alone: a balance moves
// only if it is in the database what it is here (ledger-post.ts), and if not, the order is carried out again without it.

import { balanceMax } from '../../../domain/money.ts'
import type { Request, StoreLimits } from '../../store.ts'
import type { Database, Deferred } from '../database.ts'
import type { AccountEnd, Book } from './ledger-books.ts'

/** The last posting; 0 when there is none. */
export interface LedgerEnd {
  readonly seq: bigint
  readonly hash: Uint8Array
}

/** What a device has ordered from an account in a day, and is not written yet. */
interface Spent {
  readonly day: bigint
  readonly ledgerAccountId: bigint
  readonly device: Uint8Array
  amount: bigint
}

/** How many accounts, and how many keys, are remembered from one group to the next. */
type MemoLimits = Pick<StoreLimits, 'peersRememberedMax'>

export class LedgerMemo implements Deferred {
  /** By holder and unit. */
  readonly books = new Map<string, Book>()
  /** By ledger account. */
  readonly ends = new Map<bigint, AccountEnd>()
  /** Accounts with keys of theirs that may sign. */
  readonly signers = new Set<string>()
  end: LedgerEnd | undefined
  readonly #database: Database
  readonly #accountsMax: number
  readonly #spent = new Map<string, Spent>()

  private constructor(database: Database, { peersRememberedMax }: MemoLimits) {
    this.#database = database
    this.#accountsMax = peersRememberedMax
  }

  /** That of the orders before, or a new one. Only for the step of an order: others change what is remembered here. */
  static begin(database: Database, limits: MemoLimits): LedgerMemo {
    const known = LedgerMemo.of(database)
    if (known !== undefined) return known
    const memo = new LedgerMemo(database, limits)
    database.defer(memo)
    return memo
  }

  /** Undefined in steps other than that of an order which write. */
  static of({ deferred }: Database): LedgerMemo | undefined {
    return deferred instanceof LedgerMemo ? deferred : undefined
  }

  /** That somebody has read what waits for them comes between orders all the time, and changes nothing of this. */
  covers({ name }: Request, kind: 'read' | 'write'): boolean {
    return name === 'ledger.order' || name === 'inbox.ack' || kind === 'read'
  }

  get lasts(): boolean {
    return this.books.size <= this.#accountsMax && this.signers.size <= this.#accountsMax
  }

  /** Counts what a device has ordered; {@link write} writes it. */
  count(day: bigint, ledgerAccountId: bigint, device: Uint8Array, amount: bigint): void {
    this.#database.noteDeferred()
    const key = `${day} ${ledgerAccountId} ${nameOf(device)}`
    const known = this.#spent.get(key)
    if (known === undefined) this.#spent.set(key, { day, ledgerAccountId, device, amount })
    else known.amount += amount
  }

  write(): void {
    for (const { day, ledgerAccountId: id, device, amount } of this.#spent.values()) {
      this.#database
        .prepare(
          `insert into spent (day, ledger_account_id, device, amount) values (:day, :id, :device, :amount)
           on conflict (day, ledger_account_id, device) do update set amount = min(amount + excluded.amount, ${spentCounted})`,
        )
        .run({ day, id, device, amount })
    }
    this.#spent.clear()
  }
}

/** More than any bound, and so little that it can be added to: what is ordered beyond it in a day is not counted. */
export const spentCounted = 4n * balanceMax

/** Bytes as a key of a map. */
export function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
