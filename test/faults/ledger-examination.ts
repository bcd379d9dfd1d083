// Whether a ledger is what the deeds of ledger-deeds.ts have made of it, wherever the program that did them was ended. What was
// acknowledged is there once, in its place, and moves what was meant; nothing is there that nobody meant; balances are what the
// postings make; and asking again with the same bytes brings the same answers and nothing twice.

import { systemClock } from '../../src/domain/index.ts'
import { orderSigner } from '../../src/protocol/contract/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { proveLedger } from '../../src/server/money/ledger-proof.ts'
import { Signatures } from '../../src/server/money/signatures.ts'
import { type ChainedPosting, openInProcessStore, type Output, type SynchronousStore } from '../../src/store/index.ts'
import {
  deedAccounts,
  deedFortune,
  deedKey,
  deedOf,
  deedServer,
  makeAccount,
  makeDevice,
  makeMint,
  movesOf,
  orderOf,
} from '../support/ledger-deeds.ts'

/** What was found. */
export interface Examined {
  readonly postings: number
  /** Orders that are in the ledger, though nobody was told so. */
  readonly untold: number
  /** What is wrong; empty when nothing is. */
  readonly wrong: readonly string[]
}

/** What a deed was answered with. */
interface Told {
  readonly posting: string
  readonly balance: string
}

/** Looks at the database of a folder. `acknowledged`: `LANE:STEP:POSTING:BALANCE` or `mint:ACCOUNT:POSTING:BALANCE`. */
export async function examine(folder: string, acknowledged: readonly string[], lanes: number): Promise<Examined> {
  using store = openInProcessStore(folder, limits)
  const told = new Map(acknowledged.map(readTold))
  const wrong: string[] = []
  const postings = await look(store, told, wrong)
  askAgain(store, told, lanes, wrong)
  // What was asked again may have been carried out now, and only now: once.
  const after = await look(store, told, wrong)
  return { postings, untold: postings - told.size, wrong: after < postings ? [...wrong, 'postings are gone'] : wrong }
}

/** How many postings there are, each of which was looked at. */
async function look(store: SynchronousStore, told: ReadonlyMap<string, Told>, wrong: string[]): Promise<number> {
  const postings = allPostings(store)
  const byDeed = new Map(postings.map((posting) => [deedBehind(posting), posting]))
  if (byDeed.size !== postings.length) wrong.push('something is there twice')
  if (byDeed.has(nobody)) wrong.push('there is a posting that nobody meant')
  for (const [name, { posting }] of told) {
    if (byDeed.get(name)?.seq !== BigInt(posting)) wrong.push(`${name} was acknowledged as posting ${posting} and is not there`)
  }
  for (const [name, posting] of byDeed) if (name !== nobody && !movesAsMeant(name, posting)) wrong.push(`${name} moves something else`)
  wrong.push(...wrongBalances(store, postings))
  const { fault } = await proveLedger(partsOf(store))
  if (fault !== undefined) wrong.push(`${fault.row}: ${fault.what}`)
  return postings.length
}

/** Everything once more, as after answers that never came, up to a little beyond what was acknowledged. */
function askAgain(store: SynchronousStore, told: ReadonlyMap<string, Told>, lanes: number, wrong: string[]): void {
  for (const account of deedAccounts) {
    attempt(() => store.run('account.create', makeAccount(account)))
    attempt(() => store.run('device.enrol', makeDevice(account)))
    compare(`mint:${account}`, told, () => store.run('ledger.mint', makeMint(account)), wrong)
  }
  for (let lane = 0; lane < lanes; lane++) {
    let beyond = 0
    for (let step = 0; beyond < 2; step++) {
      const name = `${lane}:${step}`
      if (!told.has(name)) beyond++
      compare(name, told, () => store.run('ledger.order', deedOf(lane, step)), wrong)
    }
  }
}

function compare(name: string, told: ReadonlyMap<string, Told>, ask: () => Output<'ledger.order'>, wrong: string[]): void {
  try {
    const { transfer, balance, repeated } = ask()
    const before = told.get(name)
    if (before === undefined) return
    const isSame = repeated && before.posting === String(transfer.posting) && before.balance === String(balance)
    if (!isSame) wrong.push(`${name} is answered otherwise when it is asked again`)
  } catch (reason) {
    wrong.push(`${name} is refused when it is asked again: ${SealwireError.from(reason).code}`)
  }
}

function movesAsMeant(name: string, { legs, kind, unit }: ChainedPosting): boolean {
  const [lane = '', step = ''] = name.split(':')
  const isMint = lane === 'mint'
  const expected = isMint
    ? new Map([[0n, -deedFortune] as const, [BigInt(step), deedFortune] as const])
    : movesOf(Number(lane), Number(step))
  const meant = isMint ? 'mint' : orderOf(Number(lane), Number(step)).kind
  const isSame = legs.length === expected.size && legs.every(({ holderId, delta }) => expected.get(holderId) === delta)
  return isSame && kind === meant && unit === 'credits'
}

/** Which deed a posting is of: found by its id. */
function deedBehind({ signerId, id }: ChainedPosting): string {
  return deedIds().get(`${signerId} ${hex(id)}`) ?? nobody
}

let known: ReadonlyMap<string, string> | undefined

function deedIds(): ReadonlyMap<string, string> {
  known ??= new Map([
    ...deedAccounts.map((account) => [`0 ${hex(makeMint(account).id)}`, `mint:${account}`] as const),
    ...Array.from({ length: lanesMax }, (_, lane) => Array.from({ length: stepsMax }, (__, step) => nameOf(lane, step))).flat(),
  ])
  return known
}

function nameOf(lane: number, step: number): readonly [string, string] {
  const order = orderOf(lane, step)
  return [`${orderSigner(order)} ${hex(order.id)}`, `${lane}:${step}`]
}

function wrongBalances(store: SynchronousStore, postings: readonly ChainedPosting[]): readonly string[] {
  const sums = new Map<bigint, bigint>()
  for (const { legs } of postings)
    for (const { ledgerAccountId, delta } of legs) sums.set(ledgerAccountId, (sums.get(ledgerAccountId) ?? 0n) + delta)
  const accounts = store.run('ledger.accounts', { after: 0n, max: 100n })
  const wrong = accounts.filter(({ id, balance }) => (sums.get(id) ?? 0n) !== balance).map(({ id }) => `account ${id} has another balance`)
  for (const accountId of deedAccounts) {
    const told = balanceTold(store, accountId)
    if (told === undefined) continue
    const has = accounts.find(({ holder }) => holder?.id === accountId)?.balance ?? 0n
    if (told !== has) wrong.push(`account ${accountId} is told another balance`)
  }
  const total = accounts.reduce((sum, { balance }) => sum + balance, 0n)
  return total === 0n ? wrong : [...wrong, `the total is ${total}`]
}

/** Undefined where the store knows that it is wrong, and says so. */
function balanceTold(store: SynchronousStore, accountId: bigint): bigint | undefined {
  try {
    return store.run('ledger.balance', { accountId, unit: 'credits' })[0]?.balance ?? 0n
  } catch (reason) {
    if (SealwireError.is(reason) && reason.code === 'ledger_broken') return undefined
    throw reason
  }
}

function allPostings(store: SynchronousStore): readonly ChainedPosting[] {
  const all: ChainedPosting[] = []
  for (let page = store.run('ledger.export', { after: 0n, max: 500n }); page.length > 0; ) {
    all.push(...page)
    page = store.run('ledger.export', { after: all.at(-1)?.seq ?? 0n, max: 500n })
  }
  return all
}

function partsOf(store: SynchronousStore): Parameters<typeof proveLedger>[0] {
  const run: Parameters<typeof proveLedger>[0]['store']['run'] = async (name, input) => store.run(name, input)
  const signatures = new Signatures(limits)
  return { store: { run }, clock: systemClock, limits, signatures, serverId: deedServer, publicKey: deedKey.publicKey }
}

function readTold(line: string): readonly [string, Told] {
  const [lane = '', step = '', posting = '', balance = ''] = line.split(':')
  return [`${lane}:${step}`, { posting, balance }]
}

function attempt(action: () => unknown): void {
  try {
    action()
  } catch {
    // It is there already.
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const nobody = 'nobody'
/** More than a program does before it is ended. */
const lanesMax = 16
const stepsMax = 2_000
