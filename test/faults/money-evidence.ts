// What the checker of payments reads, to be altered: the export as lines or as rows that are chained again, the journal of the first
// payer, that of the operator, and the path of the database.

import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatAmount } from '../../src/domain/index.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../src/protocol/contract/index.ts'

export type JournalLine = Record<string, unknown>
/** The fields of a posting, in the order of ledger.md. */
export type Row = unknown[]

export class MoneyEvidence {
  readonly lines: JournalLine[]
  readonly journal: JournalLine[]
  readonly operator: JournalLine[]
  readonly database: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    this.lines = this.#read('ledger.jsonl')
    this.journal = this.#read('payer-0.jsonl')
    this.operator = this.#read('operator.jsonl')
    this.database = join(folder, 'disk/data/sealwire.db')
  }

  edit(at: number, change: (line: JournalLine) => JournalLine): void {
    this.lines[at] = change(this.lines[at] ?? {})
  }

  /** Changes rows, then numbers and chains what is left of them, and lets the lines say what the rows say. */
  relink(change: (rows: Row[]) => unknown): void {
    const rows = this.lines.map((line) => decodeCbor(Buffer.from(String(line['row']), 'hex')) as Row)
    const numbers = rows.map((row) => row[1])
    change(rows)
    const isOrdered = rows.every((row, at) => at >= numbers.length || numbers.indexOf(row[1]) <= at)
    let hash = Buffer.alloc(32)
    const lines = rows.map((row, at) => {
      if (isOrdered) row[1] = at + 1
      const bytes = encodeCbor(row as CborValue)
      hash = createHash('sha256').update(hash).update(bytes).digest()
      return lineOf(row, bytes, hash)
    })
    this.lines.splice(0, this.lines.length, ...lines)
  }

  write(): void {
    this.#write('ledger.jsonl', this.lines)
    this.#write('payer-0.jsonl', this.journal)
    this.#write('operator.jsonl', this.operator)
  }

  #read(name: string): JournalLine[] {
    const lines = readFileSync(join(this.#folder, name), 'utf8').split('\n')
    return lines.slice(0, -1).map((line): JournalLine => JSON.parse(line))
  }

  #write(name: string, lines: readonly JournalLine[]): void {
    writeFileSync(join(this.#folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
}

/** As `sealwire ledger export` prints it, as far as the checker looks. */
function lineOf(row: Row, bytes: Uint8Array, hash: Uint8Array): JournalLine {
  const [, posting, at, kind, unit, decimals, legs, settles, signer, id] = row
  const moves = (legs as (number | bigint)[][]).map(([ledgerAccount, account, delta = 0]) => {
    return { ledgerAccount, account, delta: formatAmount(BigInt(delta), BigInt(Number(decimals))) }
  })
  return {
    ...{ posting, at: new Date(Number(at)).toISOString(), kind, unit, decimals, signer, legs: moves },
    ...(settles === null ? {} : { settles }),
    ...{
      id: Buffer.from(id as Uint8Array).toString('hex'),
      row: Buffer.from(bytes).toString('hex'),
      hash: Buffer.from(hash).toString('hex'),
    },
  }
}
