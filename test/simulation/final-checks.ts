// What must be true when nothing breaks any more and everybody has had time: everything that was acknowledged is where it must be, once,
// what was refused is nowhere, and the sums are those of what happened.

import type { AccountRow, Books, TransferRow } from './books.ts'
import type { Checks } from './checks.ts'
import { type Deed, orderKinds } from './deeds.ts'
import type { Device } from './device.ts'
import { accountOf } from './load.ts'
import type { People } from './people.ts'

export interface FinalParts {
  readonly books: Books
  readonly people: People
  readonly devices: readonly Device[]
  readonly deeds: readonly Deed[]
  readonly checks: Checks
  /** `conversation/seq` of everything that was there when the world began. */
  readonly before: ReadonlySet<string>
}

export function checkEnd(parts: FinalParts): void {
  for (const deed of parts.deeds) checkDeed(deed, parts)
  for (const device of parts.devices) if (!device.isOut) checkInbox(device, parts)
  checkWords(parts)
  checkSaid(parts)
  checkMoney(parts)
}

/** What a device got is what was said there, or an edit of it. */
function checkSaid({ checks, deeds, before }: FinalParts): void {
  const texts = new Map<string, Set<string>>()
  for (const { what, result, state } of deeds) {
    if (what.kind !== 'say' || state !== 'done') continue
    const { conversation, seq } = result as { conversation: number; seq: number }
    texts.set(`${conversation}/${seq}`, new Set([what.text]))
  }
  for (const { what } of deeds) if (what.kind === 'edit') texts.get(`${what.conversation}/${what.target}`)?.add(what.text)
  for (const [name, all] of checks.kept) {
    for (const { conversation, seq, text } of all) {
      const place = `${conversation}/${seq}`
      const said = texts.get(place)
      if (said === undefined || text === undefined || before.has(place)) continue
      if (!said.has(text)) checks.failed(`heard: ${name} got ${place} with other words than were said`)
    }
  }
}

function checkDeed(deed: Deed, { books, people, checks, devices }: FinalParts): void {
  const person = people.persons.find(({ name }) => name === accountOf(deed))
  if (person === undefined) return
  const what = `deed ${deed.number} (${deed.what.kind} of ${deed.by})`
  const device = devices.find(({ name }) => name === deed.by)
  if (deed.state === 'open' && device?.isOut !== true) checks.failed(`unknown: nobody knows what became of ${what}`)
  if (deed.state === 'refused' && books.has(deed, person.id)) checks.failed(`refused: ${what} was refused (${deed.code}) and is there`)
  if (deed.state !== 'done') return
  const stays = deed.what.kind === 'ask' || books.has(deed, person.id) || !(orderKinds.has(deed.what.kind) || deed.what.kind === 'say')
  if (!stays) checks.failed(`lost: ${what} was acknowledged and is not there`)
}

/** Everything for the account but what was said on this very device, once. */
function checkInbox({ of, name }: Device, { books, checks, before }: FinalParts): void {
  const id = Number(of.person.id)
  const got = new Set((checks.kept.get(name) ?? []).map(({ conversation, seq }) => `${conversation}/${seq}`))
  for (const { conversation, seq, author, device, kind } of books.entriesFor(of.person.id)) {
    const place = `${conversation}/${seq}`
    if (before.has(place) || (author === id && device === of.id)) continue
    if (!got.delete(place)) checks.failed(`lost: ${name} never got ${kind} ${place}`)
  }
  for (const place of got) checks.failed(`doubled: ${name} got ${place}, which is not for it`)
}

/** What was deleted is gone, what was edited is one of its edits, and everything else is what was said. */
function checkWords({ books, checks, deeds }: FinalParts): void {
  const texts = new Map<string, { readonly all: string[]; isDeleted: boolean }>()
  for (const { state, what, result } of deeds) {
    if (state !== 'done' || what.kind !== 'say') continue
    const { conversation, seq } = result as { conversation: number; seq: number }
    texts.set(`${conversation}/${seq}`, { all: [what.text], isDeleted: false })
  }
  for (const deed of deeds) {
    const { state, what } = deed
    if (what.kind !== 'edit' && what.kind !== 'delete') continue
    const text = texts.get(`${what.conversation}/${what.target}`)
    if (what.kind === 'edit' && state !== 'refused') text?.all.push(what.text)
    // What somebody who blocks the author can see stays for them as it is.
    if (what.kind === 'delete' && state === 'done' && text !== undefined && !books.isHidden(deed)) text.isDeleted = true
  }
  for (const [place, { all, isDeleted }] of texts) {
    const [conversation = 0, seq = 0] = place.split('/').map(Number)
    const body = books.bodyOf(conversation, seq)
    if (isDeleted && body !== undefined) checks.failed(`deleted: the words of ${place} are still there`)
    if (body !== undefined && !all.includes(body))
      checks.failed(`words: ${place} is ${JSON.stringify(body.slice(0, 40))}, which nobody said`)
  }
}

function checkMoney({ books, people, checks, deeds }: FinalParts): void {
  const transfers = books.transfers()
  for (const transfer of transfers) checkTransfer(transfer, deeds, people, checks)
  for (const transfer of transfers) checkRefunds(transfer, transfers, checks)
  const expected = balancesOf(transfers, books)
  for (const { kind, holder, balance } of books.accounts()) {
    const sum = expected.get(keyOf(kind, holder)) ?? 0
    if (sum !== balance) checks.failed(`balances: ${kind} ${holder} has ${balance}, and its transfers make ${sum}`)
  }
}

/** Each was ordered by somebody, and says what they ordered. */
function checkTransfer(transfer: TransferRow, deeds: readonly Deed[], people: People, checks: Checks): void {
  if (transfer.signer === 0) return
  const deed = deeds.find(({ id }) => id.replaceAll('-', '').toUpperCase() === transfer.id)
  const signer = people.persons.find(({ id }) => Number(id) === transfer.signer)
  if (deed === undefined || deed.what.kind !== transfer.kind || accountOf(deed) !== signer?.name) {
    return checks.failed(`doubled: nobody ordered the ${transfer.kind} of posting ${transfer.posting}`)
  }
  const { what } = deed
  if ('amount' in what && Number(what.amount) !== transfer.amount) {
    checks.failed(`amount: deed ${deed.number} ordered ${what.amount}, and moved ${transfer.amount}`)
  }
}

function checkRefunds({ signer, id, kind, amount, captured }: TransferRow, all: readonly TransferRow[], checks: Checks): void {
  const about = all.filter(({ ofSigner, ofId }) => ofSigner === signer && ofId === id)
  const sumOf = (which: string): number => about.filter((one) => one.kind === which).reduce((sum, one) => sum + one.amount, 0)
  const bound = kind === 'hold' ? captured : amount
  if (sumOf('refund') > bound) checks.failed(`refund: more was paid back than posting ${signer}/${id} paid`)
  if (sumOf('capture') > amount) checks.failed(`capture: more was taken than ${signer}/${id} put aside`)
}

/** What the transfers make, added up anew. */
function balancesOf(transfers: readonly TransferRow[], books: Books): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  const add = (kind: AccountRow['kind'], holder: number | null, amount: number): void => {
    const key = keyOf(kind, holder ?? 0)
    sums.set(key, (sums.get(key) ?? 0) + amount)
  }
  for (const { kind, payer, payee, amount, status, captured, signer, id } of transfers) {
    if (kind === 'mint') add('issuance', 0, -amount)
    else if (kind !== 'capture' && kind !== 'void') add('user', payer, kind === 'hold' && status !== 'pending' ? -captured : -amount)
    if (kind === 'pay' || kind === 'refund' || kind === 'mint') add('user', payee, amount)
    if (kind === 'hold' && status === 'pending') add('held', 0, amount)
    if (kind === 'hold') add('user', payee, captured)
    if (kind === 'split') for (const part of books.parts(signer, id)) add('user', part.payee, part.amount)
  }
  return sums
}

function keyOf(kind: string, holder: number): string {
  return `${kind} ${holder}`
}
