// Looks into the database of a world with SQL of its own: what the store says of itself is no evidence.

import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Deed, entryKinds, orderKinds } from './deeds.ts'
import { anyIdBytes } from '../../src/client/outbox/message-id.ts'

export interface EntryRow {
  readonly conversation: number
  readonly seq: number
  readonly author: number
  readonly device: string | null
  readonly kind: string
  readonly hiddenFrom: number | null
  readonly id: string
}

export interface TransferRow {
  readonly posting: number
  readonly signer: number
  readonly id: string
  readonly kind: string
  readonly amount: number
  readonly payer: number | null
  readonly payee: number | null
  readonly status: string
  readonly captured: number
  readonly refunded: number
  readonly ofSigner: number | null
  readonly ofId: string | null
}

export interface AccountRow {
  readonly kind: 'user' | 'issuance' | 'held'
  readonly holder: number
  readonly balance: number
  readonly floor: number
}

export class Books implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  /** By unit, what the issuance account has when the world begins: nobody mints or burns in a world. */
  readonly #issued: ReadonlyMap<unknown, unknown>

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true })
    this.#issued = new Map(this.#totals().map(({ unit, issued }) => [unit, issued]))
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  /** What is wrong with the balances now. */
  imbalance(): string | undefined {
    for (const { unit, total, least, issued } of this.#totals()) {
      if (total !== 0) return `the total of ${String(unit)} is ${String(total)}`
      const before = this.#issued.get(unit)
      if (issued !== before) return `${String(issued)} of ${String(unit)} was issued, which was ${String(before)}`
      if (Number(least) < 0) return `an account in ${String(unit)} is ${String(least)} under its floor`
    }
    return undefined
  }

  /** The place of what a deed said; undefined where there is none. */
  placeOf({ id }: Pick<Deed, 'id'>, author: bigint): { readonly conversation: number; readonly seq: number } | undefined {
    const [row, more] = this.#all(
      'select key / 4294967296 as conversation, key % 4294967296 as seq from entry where author_id = ? and id = ?',
      [author, anyIdBytes(id)],
    )
    if (more !== undefined) return { conversation: -1, seq: -1 }
    return row === undefined ? undefined : { conversation: Number(row['conversation']), seq: Number(row['seq']) }
  }

  /** What a deed moved; undefined where it moved nothing. */
  transferOf({ id }: Pick<Deed, 'id'>, signer: bigint): TransferRow | undefined {
    const [row] = this.#transfers('where signer_id = ? and id = ?', [signer, anyIdBytes(id)])
    return row
  }

  /** Whether there is anything of a deed. */
  has(deed: Deed, account: bigint): boolean {
    if (entryKinds.has(deed.what.kind)) return this.placeOf(deed, account) !== undefined
    if (orderKinds.has(deed.what.kind)) return this.transferOf(deed, account) !== undefined
    if (deed.what.kind === 'ask') return this.#all('select 1 from payment_request where id = ?', [anyIdBytes(deed.id)]).length > 0
    return false
  }

  hasEntry(conversation: number, seq: number): boolean {
    return this.#all('select 1 from entry where key = ?', [conversation * 2 ** 32 + seq]).length > 0
  }

  /** Whether what a deed said is kept from the other one, who blocks its author. */
  isHidden({ id }: Pick<Deed, 'id'>): boolean {
    return this.#all('select 1 from entry where id = ? and hidden_from is not null', [anyIdBytes(id)]).length > 0
  }

  lastSeq(conversation: number): number {
    return Number(this.#all('select last_seq from conversation where id = ?', [conversation])[0]?.['last_seq'] ?? 0)
  }

  /** How long each conversation is. */
  lastSeqs(): ReadonlyMap<number, number> {
    return new Map(this.#all('select id, last_seq from conversation').map((row) => [Number(row['id']), Number(row['last_seq'])]))
  }

  /** The direct conversation of two accounts. */
  direct(one: bigint, other: bigint): number | undefined {
    const [row] = this.#all('select id from conversation where low = min(?1, ?2) and high = max(?1, ?2)', [one, other])
    return row === undefined ? undefined : Number(row['id'])
  }

  /** Entries that an account is to get, in the order of their places. */
  entriesFor(account: bigint): readonly EntryRow[] {
    return this.#all(
      `select key / 4294967296 as conversation, key % 4294967296 as seq, author_id as author, device, entry.kind as kind,
       hidden_from as hiddenFrom, hex(id) as id from entry join member on member.conversation_id = key / 4294967296
       where account_id = ?1 and invited = 0 and key % 4294967296 >= first_seq and hidden_from is not ?1 order by key`,
      [account],
    ) as unknown as readonly EntryRow[]
  }

  /** Stays as it is while nothing is said and nothing moves. */
  marks(): string {
    return JSON.stringify(this.#all('select (select count(*) from entry) as said, (select count(*) from posting) as moved'))
  }

  /** Its entry as it is now: the body as text. */
  bodyOf(conversation: number, seq: number): string | undefined {
    const [row] = this.#all('select cast(body as text) as body from entry where key = ?', [conversation * 2 ** 32 + seq])
    return row?.['body'] === null || row === undefined ? undefined : String(row['body'])
  }

  transfers(): readonly TransferRow[] {
    return this.#transfers('order by posting', [])
  }

  parts(signer: number, id: string): readonly { readonly payee: number; readonly amount: number; readonly refunded: number }[] {
    return this.#all('select payee_id as payee, amount, refunded from split_part where signer_id = ? and hex(id) = ?', [
      signer,
      id,
    ]) as unknown as readonly { payee: number; amount: number; refunded: number }[]
  }

  accounts(): readonly AccountRow[] {
    return this.#all(
      "select kind, holder_id as holder, balance, floor from ledger_account where unit = 'credits'",
    ) as unknown as AccountRow[]
  }

  /** How many entries of its inbox a device has not stored that were not said on it. */
  missing(account: bigint, device: string, position: number): number {
    const [row] = this.#all(
      `select count(*) as missing from inbox_entry join entry using (key)
       where account_id = ?1 and seq > ?3 and not (author_id = ?1 and device is ?2)`,
      [account, device, position],
    )
    return Number(row?.['missing'])
  }

  #totals(): readonly Record<string, unknown>[] {
    return this.#all(
      `select unit, sum(balance) as total, min(iif(kind = 'issuance', 0, balance - floor)) as least,
       sum(iif(kind = 'issuance', balance, 0)) as issued from ledger_account group by unit`,
    )
  }

  #transfers(where: string, values: readonly (bigint | Uint8Array)[]): readonly TransferRow[] {
    return this.#all(
      `select posting, signer_id as signer, hex(id) as id, kind, amount, payer_id as payer, payee_id as payee, status, captured,
       refunded, of_signer_id as ofSigner, hex(of_id) as ofId from transfer ${where}`,
      values,
    ) as unknown as readonly TransferRow[]
  }

  #all(sql: string, values: readonly (bigint | number | string | Uint8Array)[] = []): readonly Record<string, unknown>[] {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)))
    return statement.all(...values)
  }
}
