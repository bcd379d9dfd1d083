// Everything that an account has is spent 500 times at once: by two devices, over eight connections, to other accounts and in
// every way that takes money. Exactly one of them is carried out, round after round; whoever got the money spends it next.

import { expect, test } from 'bun:test'
import type { Client } from '../../src/client/node.ts'
import { formatAmount } from '../../src/domain/money.ts'
import type { DeviceKeys } from '../../src/pki/index.ts'
import type { Order, Result } from '../../src/protocol/contract/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { runCli } from '../cli/cli-process.ts'
import { deviceClient, enrolDevice } from '../support/device-client.ts'
import { newId, noMemo, signedOrder } from '../support/payer.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { form } from './form.ts'
import { ignoreEvents } from './plain-client.ts'
import { below, type Random, randomOf, seedOf } from './random.ts'

const rounds = form(50, 1_000)
const spends = 500
const names = ['alice', 'bob', 'carol', 'dave']
const devices = 2
const connectionsOfDevice = 4
const fortune = 100_000n
const kinds = ['pay', 'hold', 'split'] as const
const limits = {
  ...liftedRates,
  requestsApartMax: 64,
  messagesPerSecondPerAccountMax: 1_000_000,
  messagesBurstPerAccountMax: 1_000_000,
  diskBytesFreeMin: 0,
} as const

/** One connection of one device. */
interface Lane {
  readonly keys: DeviceKeys
  readonly client: Client
}

interface Spender {
  readonly name: string
  readonly account: bigint
  readonly server: Uint8Array
  readonly lanes: readonly Lane[]
}

type Answer = Result<'payment.order'>

test(
  `of ${spends} spends of all there is exactly one succeeds, ${rounds} times`,
  async () => {
    const random = randomOf(seedOf('full balance'))
    await using server = await ServerProcess.start({ flags: ['--mutual-tls', 'optional'], limits })
    const spenders = await Promise.all(names.map((name) => enter(server, name)))
    const minted = await runCli(['admin', 'mint', 'alice', formatAmount(fortune, 2n), '--data', server.data])
    expect(minted.exitCode).toBe(0)
    const began = performance.now()
    const refused = new Map<string, number>()
    let [owner] = spenders as [Spender]
    let postings = 1
    const winners = new Set<string>()
    for (let round = 1; round <= rounds; round++) {
      const { won, codes } = await spendAll(owner, spenders, random)
      for (const code of codes) refused.set(code, (refused.get(code) ?? 0) + 1)
      const [winner] = won
      // The next number of the ledger: nothing else was posted meanwhile.
      expect([round, won.length, winner?.posting]).toEqual([round, 1, postings + 1])
      postings += 1 + (await gather(winner as Answer, owner, spenders))
      winners.add(winner?.kind ?? '')
      owner = await whoHasAll(spenders)
    }
    const figures = {
      rounds,
      orders: rounds * spends,
      won: [...winners],
      seconds: Math.round((performance.now() - began) / 1_000),
      ...Object.fromEntries(refused),
    }
    console.log('full balance:', JSON.stringify(figures))
    expect(Object.fromEntries(refused)).toEqual({ insufficient_funds: rounds * (spends - 1) })
    await Promise.all(spenders.flatMap(({ lanes }) => lanes.map(({ client }) => client.drain())))
    const exported = await runCli(['ledger', 'export', '--data', server.data])
    expect(exported.stdout.trimEnd().split('\n').length).toBe(postings)
    expect((await runCli(['ledger', 'verify', '--data', server.data])).stdout).toMatch(/^good: /)
  },
  form(180_000, 1_800_000),
)

/** An account on several devices, each with several connections. */
async function enter(server: ServerProcess, name: string): Promise<Spender> {
  const lanes: Lane[] = []
  for (let device = 0; device < devices; device++) {
    const enrolled = await enrolDevice(server, name, device === 0)
    for (let at = 0; at < connectionsOfDevice; at++) {
      const client = await deviceClient(server, enrolled)
      lanes.push({ keys: enrolled.keys, client })
      void ignoreEvents(client)
    }
  }
  const [{ client }] = lanes as [Lane]
  const { account } = await client.request('payment.units', {})
  return { name, account: BigInt(account), server: client.welcome.server ?? new Uint8Array(16), lanes }
}

/** What was carried out, and the codes of what was not. All orders are signed before the first one is sent. */
async function spendAll(
  owner: Spender,
  all: readonly Spender[],
  random: Random,
): Promise<{ won: readonly Answer[]; codes: readonly string[] }> {
  const others = all.filter((each) => each !== owner)
  const orders = Array.from({ length: spends }, (_, at) => {
    const { keys, client } = owner.lanes[at % owner.lanes.length] as Lane
    const first = below(random, others.length)
    const payees = [others[first], others[(first + 1) % others.length]] as [Spender, Spender]
    const what = spend(owner, payees, kinds[below(random, kinds.length)] ?? 'pay')
    return { client, kind: what.kind, order: signedOrder(what, keys) }
  })
  const outcomes = await Promise.allSettled(orders.map(({ client, kind, order }) => client.request('payment.order', { kind, order })))
  return {
    won: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    codes: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [SealwireError.from(outcome.reason).code] : [])),
  }
}

/** A payment or a hold of all there is, or a split of it. */
function spend({ account: payer, server }: Spender, payees: readonly [Spender, Spender], kind: 'pay' | 'hold' | 'split'): Order {
  const [payee, other] = payees
  const common = { server, payer, unit: 'credits', id: newId(), expiresAt: BigInt(Date.now() + 600_000) }
  if (kind !== 'split') return { kind, ...common, payee: payee.account, amount: fortune, memoHash: noMemo }
  const half = fortune / 2n
  const parts = [payee, other].map(({ account }) => ({ payee: account, amount: half, memoHash: noMemo }))
  return { kind, ...common, parts }
}

/** Brings all of it to one account; answers how many postings that took. */
async function gather(
  { kind, id, payee, parts }: Answer,
  { account: holdPayer, server }: Spender,
  all: readonly Spender[],
): Promise<number> {
  if (kind === 'pay') return 0
  const called = (name: string | undefined): Spender => all.find((each) => each.name === name) as Spender
  if (kind === 'hold') {
    const taker = called(payee)
    await carryOut(taker, { kind: 'capture', server, payee: taker.account, holdPayer, hold: id, amount: fortune, id: newId() })
    return 1
  }
  const [one, other] = (parts ?? []).map((part) => called(part.payee)) as [Spender, Spender]
  const amount = fortune / 2n
  const common = { server, payer: other.account, payee: one.account, unit: 'credits', id: newId(), memoHash: noMemo }
  await carryOut(other, { kind: 'pay', ...common, amount, expiresAt: BigInt(Date.now() + 600_000) })
  return 1
}

async function carryOut({ lanes }: Spender, what: Order): Promise<void> {
  const [{ client, keys }] = lanes as [Lane]
  await client.request('payment.order', { kind: what.kind, order: signedOrder(what, keys) })
}

/** One of them has everything, and the others have nothing. */
async function whoHasAll(spenders: readonly Spender[]): Promise<Spender> {
  const balances = await Promise.all(
    spenders.map(
      async ({ lanes }) => (await (lanes[0] as Lane).client.request('payment.balance', { unit: 'credits' })).balances[0]?.balance,
    ),
  )
  const full = formatAmount(fortune, 2n)
  const owners = spenders.filter((_, at) => balances[at] === full)
  const empty = balances.filter((balance) => balance === undefined || balance === '0.00')
  expect([owners.length, empty.length]).toEqual([1, spenders.length - 1])
  return owners[0] as Spender
}
