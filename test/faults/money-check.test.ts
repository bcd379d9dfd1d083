// The checker finds what it should find: a small run of a real server, sound, and then with one thing wrong each time, in the journals,
// in the export, which is chained again behind it as a liar would, or in the database.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isMissing } from '../support/python.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { checkMoney, type MoneyVerdict } from './money-checker.ts'
import { type JournalLine, MoneyEvidence, type Row } from './money-evidence.ts'
import { runMoney } from './money-run.ts'
import { MoneyWorld } from './money-world.ts'

const skip = isMissing('python3-cbor2')
const operations = 1_200
let sound: StoreFolder
let verdict: MoneyVerdict

beforeAll(async () => {
  if (skip) return
  const people = { accounts: 6, payers: 8, processes: 1, inFlight: 8, friends: true }
  await using world = await MoneyWorld.make({ ...people, operations, seed: 5, diskBytes: undefined })
  verdict = await runMoney(world, [], { msMax: 60_000 })
  sound = new StoreFolder()
  const names = readdirSync(world.path).filter((name) => /\.jsonl$|^plan\.json$/.test(name))
  for (const name of [...names, 'disk/data/sealwire.db']) cpSync(join(world.path, name), join(sound.path, name))
}, 120_000)

afterAll(() => sound?.[Symbol.dispose]())

describe.skipIf(skip)('the checker of payments', () => {
  test('finds nothing wrong with a sound run, and counts it', () => {
    expect(verdict.first).toEqual([])
    expect(verdict.problems).toEqual({})
    expect(verdict.attempts).toBe(operations)
    expect(verdict.acknowledged + verdict.refused).toBe(operations)
    for (const kind of ['mint', 'pay', 'hold', 'capture', 'void', 'refund', 'split'])
      expect([kind, (verdict.kinds[kind] ?? 0) > 0]).toEqual([kind, true])
  })

  test.each<[string, string, (evidence: MoneyEvidence) => void]>([
    ['chain', 'a posting that is missing', (evidence) => evidence.lines.splice(20, 1)],
    ['chain', 'a hash with one bit changed', (evidence) => evidence.edit(20, (line) => ({ ...line, hash: flipped(line['hash']) }))],
    ['chain', 'a row with one bit changed', (evidence) => evidence.edit(20, (line) => ({ ...line, row: flipped(line['row']) }))],
    ['chain', 'a line that says another amount than its row', (evidence) => evidence.edit(20, withOtherDelta)],
    ['chain', 'two postings in each other’s place', (evidence) => evidence.relink((rows) => swap(rows, 20, 21))],
    ['sum', 'money from nothing', (evidence) => evidence.relink((rows) => void legs(find(rows, 'pay'))[1]?.splice(2, 1, 1_000_000))],
    ['floor', 'a balance below its floor', (evidence) => evidence.relink((rows) => void scale(find(rows, 'pay'), 1_000_000n))],
    ['legs', 'a payment of another amount than was signed', (evidence) => evidence.relink((rows) => void scale(find(rows, 'pay'), 2n))],
    ['legs', 'a payment to somebody else', (evidence) => evidence.relink((rows) => redirect(rows, find(rows, 'pay')))],
    ['legs', 'a payment that is there twice', (evidence) => evidence.relink((rows) => append(rows, find(rows, 'pay')))],
    ['legs', 'a payment after its expiry', (evidence) => evidence.relink((rows) => void find(rows, 'pay').splice(2, 1, 2 ** 45))],
    ['legs', 'a mint that somebody ordered', (evidence) => evidence.relink((rows) => void find(rows, 'mint').splice(8, 1, 1))],
    ['hold', 'a hold that was captured twice', (evidence) => evidence.relink((rows) => append(rows, find(rows, 'capture')))],
    ['hold', 'a hold that was given back after it was captured', (evidence) => evidence.relink((rows) => expireCaptured(rows))],
    ['hold', 'a void that settles another posting', (evidence) => evidence.relink((rows) => void find(rows, 'void').splice(7, 1, 1))],
    ['refund', 'more refunds than there was paid', (evidence) => evidence.relink(refundOften)],
    ['bound', 'more in a day than was allowed', (evidence) => evidence.operator.forEach(lowerBound)],
    ['bound', 'payments of a frozen account', freezeEverybody],
    ['once', 'what was acknowledged and is not in the ledger', (evidence) => evidence.relink((rows) => rows.splice(rows.length / 2))],
    [
      'once',
      'an acknowledgement of another posting',
      (evidence) => outcome(evidence, (line) => Object.assign(line, { posting: Number(line['posting']) + 1 })),
    ],
    ['once', 'an acknowledgement of another amount', (evidence) => outcome(evidence, (line) => Object.assign(line, { amount: '0.00' }))],
    ['once', 'an order for somebody else', (evidence) => intent(evidence, (line) => Object.assign(line, { to: 77 }))],
    ['once', 'a mint of another amount', (evidence) => Object.assign(evidence.operator[0] ?? {}, { amount: 1 })],
    ['refused', 'a refusal of what is in the ledger', (evidence) => outcome(evidence, refuse)],
    [
      'refused',
      'a burn that was refused and is there',
      (evidence) => evidence.operator.filter((line) => 'posting' in line).forEach(refuse),
    ],
    [
      'unknown',
      'an order without an outcome',
      (evidence) =>
        evidence.journal.splice(
          evidence.journal.findIndex((line) => 'posting' in line),
          1,
        ),
    ],
    [
      'unknown',
      'an order with two outcomes',
      (evidence) => outcome(evidence, (line) => evidence.journal.push({ n: line['n'], code: 'frozen' })),
    ],
    ['unknown', 'bytes that were refused and carried out', (evidence) => evidence.journal.push(...repeatRefused(evidence))],
    ['unsaid', 'an order of nobody', (evidence) => without(evidence, (line) => 'posting' in line)],
    ['unsaid', 'money of nobody', (evidence) => evidence.operator.splice(0, 2)],
    ['database', 'a balance that does not follow', sql(`update ledger_account set balance = balance + 1 where kind = 'user'`)],
    ['database', 'a leg with another balance', sql('drop trigger leg_fixed; update leg set balance = balance + 1 where posting = 30')],
    ['database', 'a leg that is missing', sql('drop trigger leg_stays; delete from leg where posting = 30')],
    ['database', 'a row that was written anew', sql(`drop trigger posting_fixed; update posting set row = x'80' where seq = 30`)],
    [
      'database',
      'a posting that is missing',
      sql('drop trigger posting_stays; delete from posting where seq = (select max(seq) from posting)'),
    ],
    [
      'database',
      'a hold that ended otherwise',
      sql(
        `drop trigger transfer_ended; update transfer set status = 'voided', captured = 0 where kind = 'hold' and status = 'posted' and refunded = 0`,
      ),
    ],
    [
      'database',
      'a refund that does not count',
      sql('drop trigger transfer_refunded; update transfer set refunded = 0 where refunded > 0'),
    ],
    ['request', 'a request that counts as paid', sql('update payment_request set paid = paid + 1 where paid < amount - 1')],
    ['request', 'a request that is gone', sql('delete from payment_request')],
    ['message', 'a payment without its message', sql(`delete from entry where type = 'application/vnd.sealwire.payment+cbor'`)],
    [
      'message',
      'a message without its payment',
      sql(`update entry set id = randomblob(16) where type = 'application/vnd.sealwire.payment+cbor'`),
    ],
  ])('finds (%s) %s', async (rule, _, spoil) => {
    using folder = new StoreFolder()
    cpSync(sound.path, folder.path, { recursive: true })
    const evidence = new MoneyEvidence(folder.path)
    spoil(evidence)
    evidence.write()
    expect(Object.keys((await checkMoney(folder.path)).problems)).toContain(rule)
  })
})

/** The first posting of a kind. */
function find(rows: readonly Row[], kind: string): Row {
  const found = rows.find((row) => row[3] === kind)
  if (found === undefined) throw new Error(`the run has no ${kind}`)
  return found
}

function legs(row: Row): (number | bigint)[][] {
  return row[6] as (number | bigint)[][]
}

function scale(row: Row, factor: bigint): void {
  for (const leg of legs(row)) leg[2] = BigInt(leg[2] ?? 0) * factor
}

/** The payee of another payment gets it. */
function redirect(rows: readonly Row[], row: Row): void {
  const payee = legs(row)[1]
  const other = rows.filter(({ 3: kind }) => kind === 'mint').map((mint) => legs(mint)[1])
  const another = other.find((leg) => leg !== undefined && legs(row).every(([account]) => account !== leg[0]))
  payee?.splice(0, 2, another?.[0] ?? 0, another?.[1] ?? 0)
}

function append(rows: Row[], row: Row): void {
  rows.push(structuredClone(row))
}

function swap(rows: Row[], one: number, other: number): void {
  const [first, second] = [rows[one], rows[other]]
  if (first !== undefined && second !== undefined) rows.splice(one, 2, second, first)
}

/** As its time would have given it back. */
function expireCaptured(rows: Row[]): void {
  const capture = find(rows, 'capture')
  const hold = rows[Number(capture[7]) - 1] ?? []
  const [payer, held] = legs(hold)
  const back = [...(payer ?? [])]
  const out = [...(held ?? [])]
  back[2] = -BigInt(back[2] ?? 0)
  out[2] = -BigInt(out[2] ?? 0)
  rows.push([1, 0, 2 ** 45, 'expire', hold[4], hold[5], [out, back], capture[7], hold[8], hold[9], null, null])
}

function refundOften(rows: Row[]): void {
  const refund = find(rows, 'refund')
  const original = rows[Number(refund[7]) - 1] ?? []
  const often = Number(BigInt(legs(original)[0]?.[2] ?? 0) / BigInt(legs(refund)[0]?.[2] ?? 1)) + 1
  for (let count = 0; count < often; count++) append(rows, refund)
}

function lowerBound(line: JournalLine): void {
  if (line['kind'] === 'bound') line['amount'] = 1
}

function freezeEverybody({ operator, lines }: MoneyEvidence): void {
  const accounts = operator.filter(({ kind }) => kind === 'mint').map(({ account }) => account)
  const until = Date.parse(String(lines.at(-1)?.['at'])) + 1
  for (const [index, account] of accounts.entries()) {
    const n = 10_000 + 2 * index
    operator.push(
      { n, at: 0, kind: 'freeze', account },
      { n, at: 1 },
      { n: n + 1, at: until, kind: 'thaw', account },
      { n: n + 1, at: until },
    )
  }
}

/** The first outcome that is a posting. */
function outcome({ journal }: MoneyEvidence, spoil: (line: JournalLine) => void): void {
  const found = journal.find((line) => 'posting' in line)
  if (found === undefined) throw new Error('nothing was carried out')
  spoil(found)
}

/** The first payment that was carried out. */
function intent({ journal }: MoneyEvidence, spoil: (line: JournalLine) => void): void {
  const posted = new Set(journal.filter((line) => 'posting' in line).map(({ n }) => n))
  const found = journal.find((line) => line['kind'] === 'pay' && posted.has(line['n']))
  if (found === undefined) throw new Error('nothing was paid')
  spoil(found)
}

function refuse(line: JournalLine): void {
  delete line['posting']
  delete line['amount']
  line['code'] = 'frozen'
}

/** One of the payers said that it was refused what it had been acknowledged. */
function repeatRefused({ journal }: MoneyEvidence): JournalLine[] {
  const posted = journal.find((line) => 'posting' in line)
  const attempt = journal.find((line) => 'kind' in line && line['n'] === posted?.['n'])
  return [
    { ...attempt, n: 99_999 },
    { n: 99_999, code: 'frozen' },
  ]
}

/** The first attempt with such an outcome, and all that is about its bytes, as if it had never been. */
function without(evidence: MoneyEvidence, wanted: (line: JournalLine) => boolean): void {
  const { journal } = evidence
  const found = journal.find(wanted)
  const digest = journal.find((line) => 'kind' in line && line['n'] === found?.['n'])?.['digest']
  const gone = new Set(journal.filter((line) => line['digest'] === digest).map(({ n }) => n))
  journal.splice(0, journal.length, ...journal.filter(({ n }) => !gone.has(n)))
}

function withOtherDelta(line: JournalLine): JournalLine {
  const [first, ...others] = line['legs'] as JournalLine[]
  return { ...line, legs: [{ ...first, delta: '-0.01' }, ...others] }
}

function flipped(hex: unknown): string {
  const bytes = Buffer.from(String(hex), 'hex')
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return bytes.toString('hex')
}

function sql(statements: string): (evidence: MoneyEvidence) => void {
  return ({ database }) => {
    using connection = new DatabaseSync(database, { enableForeignKeyConstraints: false })
    connection.exec(statements)
  }
}
