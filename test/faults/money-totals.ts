// Looks into the database of a running server, in one statement each time, which sees one moment: whatever was paid, the sum of all
// balances of a unit is 0, nobody is below the lowest floor that there ever was, and the ledger never gets shorter.

import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export class MoneyTotals {
  readonly #database: string
  /** Looks that saw something. */
  reads = 0
  /** What must not be, of these. */
  readonly wrong: string[] = []
  #size = 0n
  #isOver = false
  #reading: Promise<void> | undefined

  /** `data`: folder of a server. */
  constructor(data: string) {
    this.#database = join(data, 'sealwire.db')
  }

  start(): void {
    this.#reading = this.#readOn()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#reading
  }

  /** Opened anew each time: whoever opens it first after a crash has to recover the log, and that may be the server. */
  read(): void {
    let row: Record<string, unknown> | undefined
    try {
      using database = new DatabaseSync(this.#database, { readOnly: true, readBigInts: true, timeout: busyMsMax })
      row = database.prepare(totals).get()
    } catch {
      // Between two servers, or while one of them recovers.
      return
    }
    this.reads++
    const { size, total, room, units } = row as Record<string, bigint>
    if (total !== 0n || units !== 0n) this.wrong.push(`the sum of all balances is ${total} at ${size}`)
    if ((room ?? 0n) < 0n) this.wrong.push(`somebody is ${room} below the floor at ${size}`)
    if ((size ?? 0n) < this.#size) this.wrong.push(`the ledger had ${this.#size} postings and has ${size}`)
    this.#size = size ?? this.#size
  }

  async #readOn(): Promise<void> {
    while (!this.#isOver) {
      this.read()
      await wait(everyMs)
    }
  }
}

const totals = `select
  (select coalesce(max(seq), 0) from posting) as size,
  (select sum(balance) from ledger_account) as total,
  (select count(*) from (select 1 from ledger_account group by unit having sum(balance) <> 0)) as units,
  (select min(balance - floor_min) from ledger_account where kind <> 'issuance') as room`
const everyMs = 50
const busyMsMax = 200
