// Orders that were carried out once are sent again, in every way that somebody might try: each brings the answer of the first
// time where it is the same account that asks, a refusal everywhere else, and never another posting.

import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { makeKeyStatement, makeLoginProof, newDeviceKeys } from '../../src/pki/index.ts'
import { coseMessage, enrolmentPurpose, loginPurpose } from '../../src/protocol/contract/cose.ts'
import { decodeCbor, encodeOrder, type Order, orderKinds, orderPurposes, type Result } from '../../src/protocol/contract/index.ts'
import type { ContractPeer } from '../support/contract-peer.ts'
import { memoHashOf, newId, noMemo, Payer, signedOrder } from '../support/payer.ts'
import { password, ServerStage, stageServerId } from '../support/server-stage.ts'
import { StoreFolder } from '../support/store-folder.ts'

const day = 24 * 60 * 60 * 1000

/** An order that was carried out. */
interface Played {
  readonly order: Order
  readonly by: 'alice' | 'bob'
  readonly signed: Uint8Array
  readonly memo: string | undefined
  readonly answer: Result<'payment.order'>
}

let folder: StoreFolder
let stage: ServerStage
let people: readonly [Payer, Payer]
let played: readonly Played[]
let before: readonly [postings: number, alice: string | undefined, bob: string | undefined]

beforeEach(async () => {
  folder = new StoreFolder()
  stage = new ServerStage({}, { data: folder.path })
  people = [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
  played = await playAll(...people)
  before = await standing()
})

afterEach(() => {
  stage[Symbol.dispose]()
  folder[Symbol.dispose]()
})

/** One order of each kind, and a hold that stays open. */
async function playAll(alice: Payer, bob: Payer): Promise<readonly Played[]> {
  const all: Played[] = []
  const play = async (payer: Payer, order: Order, memo?: string): Promise<void> => {
    const answer = await payer.order(order, memo === undefined ? {} : { memo })
    all.push({ order, by: payer.name as 'alice', signed: signedOrder(order, payer.keys), memo, answer })
  }
  const common = () => ({ server: stageServerId, id: newId() })
  const pay = alice.pay(bob, 1_000n, { memoHash: memoHashOf('lunch') })
  const [taken, given, open] = [300n, 200n, 100n].map((amount) => ({ ...alice.pay(bob, amount), kind: 'hold' as const }))
  if (taken === undefined || given === undefined || open === undefined) throw new TypeError('three holds')
  await play(alice, pay, 'lunch')
  for (const hold of [taken, given, open]) await play(alice, hold)
  await play(bob, { kind: 'capture', ...common(), payee: bob.id, holdPayer: alice.id, hold: taken.id, amount: 250n })
  await play(bob, { kind: 'void', ...common(), actor: bob.id, holdPayer: alice.id, hold: given.id })
  const refund = { payee: bob.id, originalPayer: alice.id, original: pay.id, amount: 10n, memoHash: noMemo }
  await play(bob, { kind: 'refund', ...common(), ...refund })
  const parts = [bob, { id: carolId(bob) }].map(({ id }) => ({ payee: id, amount: 5n, memoHash: noMemo }))
  await play(alice, { kind: 'split', ...common(), payer: alice.id, unit: 'credits', expiresAt: pay.expiresAt, parts })
  return all
}

/** Somebody else whom a split can pay. */
function carolId({ id }: Payer): bigint {
  const { id: made } = stage.store('account.create', {
    name: 'carol',
    key: 'carol',
    skeleton: 'carol',
    passwordHash: undefined,
    createdAt: 1n,
  })
  expect(made).toBe(id + 1n)
  return made
}

async function standing(): Promise<typeof before> {
  const [alice, bob] = await Promise.all([login('alice'), login('bob')])
  const balance = async (peer: ContractPeer) => (await peer.ask('payment.balance', {})).balances[0]?.balance
  return [stage.store('ledger.export', { after: 0n, max: 1_000n }).length, await balance(alice), await balance(bob)]
}

/** Another session of an account. */
async function login(name: string): Promise<ContractPeer> {
  const peer = await stage.guest()
  await peer.ask('account.login', { name, password })
  return peer
}

/** Another session on another device. */
async function otherDevice(name: string): Promise<ContractPeer> {
  const peer = await login(name)
  await peer.ask('device.enrolKey', { statement: makeKeyStatement(newDeviceKeys(), stageServerId) })
  return peer
}

/** The server ends and starts again, on the same folder, so much later. */
function restart(afterMs = 0): void {
  const now = stage.clock.now()
  stage[Symbol.dispose]()
  stage = new ServerStage({}, { data: folder.path })
  stage.clock.jump(now - stage.clock.now() + afterMs)
}

/** Everything again; the answers must be those of the first time. */
async function sendAll(session: (name: string) => Promise<ContractPeer>): Promise<void> {
  const peers = { alice: await session('alice'), bob: await session('bob') }
  for (const { order, by, signed, memo, answer } of played) {
    const beside = memo === undefined ? {} : { memo }
    expect(await peers[by].ask('payment.order', { kind: order.kind, order: signed, ...beside })).toEqual(answer)
  }
  expect(await standing()).toEqual(before)
}

describe('an order that is sent again brings the answer of the first time', () => {
  test('in the same session, and many times at once', async () => {
    const [alice, bob] = people
    await sendAll(async (name) => (name === 'alice' ? alice.peer : bob.peer))
    const [{ signed, answer }] = played as [Played]
    const peers = await Promise.all([login('alice'), otherDevice('alice'), login('alice')])
    const order = { kind: 'pay', order: signed, memo: 'lunch' } as const
    expect(await Promise.all(peers.map((peer) => peer.ask('payment.order', order)))).toEqual(peers.map(() => answer))
    expect(await standing()).toEqual(before)
  })

  test('from another device of the account', () => sendAll(otherDevice))

  test('after a restart', () => {
    restart()
    return sendAll(login)
  })

  test('400 days later', () => {
    stage.clock.jump(400 * day)
    return sendAll(login)
  })

  test('400 days and a restart later, from another device', () => {
    restart(400 * day)
    return sendAll(otherDevice)
  })

  test('from a device that is not the one which has signed, when that one is revoked', async () => {
    const peer = await login('alice')
    for (const { device } of (await peer.ask('device.list', {})).devices) await peer.ask('device.revoke', { device })
    await sendAll(login)
  })
})

describe('an order that was carried out is worth nothing', () => {
  test('to another account', async () => {
    await Payer.on(stage, 'dave', 10_000n)
    for (const name of ['alice', 'bob', 'dave']) {
      const peer = await login(name)
      for (const { order, by, signed, memo } of played) {
        if (name === by) continue
        const beside = memo === undefined ? {} : { memo }
        expect(await peer.refusal('payment.order', { kind: order.kind, order: signed, ...beside })).toBe('signature_invalid')
      }
    }
    const [postings, alice, bob] = before
    expect(await standing()).toEqual([postings + 1, alice, bob])
  })

  test('as an order of another kind', async () => {
    const peers = { alice: await login('alice'), bob: await login('bob') }
    for (const { order, by, signed } of played) {
      for (const kind of orderKinds.filter((each) => each !== order.kind)) {
        const code = await peers[by].refusal('payment.order', { kind, order: signed })
        expect([order.kind, kind, code]).toEqual([order.kind, kind, expect.stringMatching(/^(signature_invalid|malformed)$/)])
      }
    }
    expect(await standing()).toEqual(before)
  })

  test('at another server, where the same people have the same numbers, keys and money', async () => {
    const id = new Uint8Array(16).fill(0x77)
    using other = new ServerStage({}, { serverId: id })
    for (const [index, name] of ['alice', 'bob'].entries()) {
      const peer = await other.member(name)
      const { keys, id: account } = people[index] as Payer
      await peer.ask('device.enrolKey', { statement: makeKeyStatement(keys, id) })
      other.store('ledger.mint', { id: newId(), accountId: account, unit: 'credits', amount: 10_000n, at: 1n })
      for (const { order, by, signed, memo } of played) {
        if (by !== name) continue
        const beside = memo === undefined ? {} : { memo }
        expect(await peer.refusal('payment.order', { kind: order.kind, order: signed, ...beside })).toBe('signature_invalid')
      }
    }
    expect(other.store('ledger.export', { after: 0n, max: 100n }).length).toBe(2)
  })

  test('with other words, another id, or another amount around its signature', async () => {
    const [alice, bob] = people
    const [{ signed }] = played as [Played]
    const [header, , , signature] = decodeCbor(signed) as [Uint8Array, unknown, Uint8Array, Uint8Array]
    for (const memo of ['dinner', undefined]) {
      expect(await alice.peer.refusal('payment.order', { kind: 'pay', order: signed, memo })).toBe('signature_invalid')
    }
    for (const change of [{ id: newId() }, { amount: 2_000n }, { payee: alice.id + 2n }]) {
      const order = coseMessage(header, encodeOrder({ ...alice.pay(bob, 1_000n), ...change }), signature)
      expect(await alice.peer.refusal('payment.order', { kind: 'pay', order })).toBe('signature_invalid')
    }
    expect(await standing()).toEqual(before)
  })
})

test('nothing else that a device signs is an order, also with the payload of one', async () => {
  const [alice, bob] = people
  const order = alice.pay(bob, 100n)
  const { ed25519 } = alice.keys
  const nonce = new Uint8Array(32).fill(9)
  const others = [
    makeLoginProof({ serverId: stageServerId, nonce }, ed25519),
    makeKeyStatement(alice.keys, stageServerId),
    ...[loginPurpose, enrolmentPurpose, 'sealwire/receipt/1', 'sealwire/checkpoint/1', ''].map((purpose) =>
      signedOrder(order, alice.keys, purpose),
    ),
    signedOrder({ ...order, kind: 'hold' }, alice.keys),
    signedOrder(order, alice.keys, orderPurposes.hold),
  ]
  for (const [index, other] of others.entries()) {
    const code = await alice.peer.refusal('payment.order', { kind: 'pay', order: other })
    expect([index, code]).toEqual([index, expect.stringMatching(/^(signature_invalid|malformed)$/)])
  }
  expect(await standing()).toEqual(before)
})
