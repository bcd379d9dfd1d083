import { describe, expect, test } from 'bun:test'
import { SealwireError } from '../../../../src/protocol/errors.ts'
import type { LedgerOrder } from '../../../../src/store/index.ts'
import { LedgerStage } from './ledger-stage.ts'

const [alice, bob, carol, dave] = [1n, 2n, 3n, 4n]
const yearMs = 365n * 24n * 60n * 60n * 1_000n

describe('a payment', () => {
  test('moves the amount, says so to both, and is in the ledger', () => {
    using stage = new LedgerStage(2, 1_000n)
    const order = stage.pay(alice, bob, 250n, { memo: 'lunch' })
    const { transfer, balance, repeated } = stage.order(order)
    expect(transfer).toMatchObject({
      signerId: alice,
      kind: 'pay',
      status: 'posted',
      unit: 'credits',
      decimals: 2n,
      amount: 250n,
      memo: 'lunch',
      posting: 3n,
    })
    expect([transfer.payer?.name, transfer.payee?.name, balance, repeated]).toEqual(['a1', 'a2', 750n, false])
    expect([stage.balance(alice), stage.balance(bob)]).toEqual([750n, 1_250n])
    const [line] = stage.run('ledger.statement', { accountId: bob, max: 1n }).lines
    expect(line).toMatchObject({ posting: 3n, kind: 'pay', delta: 250n, balance: 1_250n, transfer: { memo: 'lunch' } })
    const [, , posting] = stage.run('ledger.export', { after: 0n, max: 9n })
    expect(posting).toMatchObject({
      seq: 3n,
      kind: 'pay',
      signerId: alice,
      legs: [
        { holderId: alice, delta: -250n },
        { holderId: bob, delta: 250n },
      ],
    })
    expect(posting?.signed).toEqual(order.signed)
    expect(stage.verify()).toMatchObject({
      fault: undefined,
      signatures: [{ row: 'posting 3', purpose: 'sealwire/pay/1', signerId: alice }],
    })
  })

  test('that is refused leaves nothing, not even its id', () => {
    using stage = new LedgerStage(3, 100n)
    const before = stage.run('ledger.state', {})
    const refused: readonly (readonly [string, LedgerOrder])[] = [
      ['insufficient_funds', stage.pay(alice, bob, 101n)],
      ['is_self', stage.pay(alice, alice, 1n)],
      ['not_found', stage.pay(alice, 99n, 1n)],
      ['not_found', stage.pay(alice, bob, 1n, { unit: 'gold' })],
      ['expired', stage.pay(alice, bob, 1n, { expiresAt: stage.at })],
      ['limit_exceeded', stage.pay(alice, bob, 1n, { expiresAt: stage.at + yearMs + 1n })],
      ['limit_exceeded', stage.split(alice, [[bob, 1n]], { expiresAt: 2n ** 53n - 1n })],
      ['amount_invalid', stage.pay(alice, bob, 0n)],
      ['amount_invalid', stage.pay(alice, bob, -1n)],
      ['amount_invalid', stage.pay(alice, bob, 10n ** 15n + 1n)],
      ['amount_invalid', stage.pay(alice, bob, 2n ** 63n)],
      ['signature_invalid', { ...stage.pay(alice, bob, 1n), key: stage.pay(bob, alice, 1n).key }],
      ['signature_invalid', stage.pay(alice, bob, 1n, { device: 2 })],
      ['not_found', stage.pay(alice, bob, 1n, { request: stage.id() })],
      [
        'is_self',
        stage.split(alice, [
          [bob, 1n],
          [alice, 1n],
        ]),
      ],
      [
        'malformed',
        stage.split(alice, [
          [bob, 1n],
          [bob, 1n],
        ]),
      ],
      [
        'insufficient_funds',
        stage.split(alice, [
          [bob, 60n],
          [carol, 60n],
        ]),
      ],
      ['limit_exceeded', stage.hold(alice, bob, 1n, { expiresAt: stage.at + 31n * 86_400_000n })],
      ['not_found', stage.capture(bob, stage.hold(alice, bob, 1n), 1n)],
      ['not_found', stage.refund(bob, stage.pay(alice, bob, 1n), 1n)],
    ]
    for (const [code, order] of refused) expect([code, stage.refusal(order)]).toEqual([code, code])
    expect(stage.run('ledger.state', {})).toEqual(before)
    for (const [, { order }] of refused)
      expect(stage.run('ledger.transfer', { accountId: alice, signerId: alice, id: order.id })).toBeUndefined()
    expect([alice, bob, carol].map((id) => stage.balance(id))).toEqual([100n, 100n, 100n])
    expect(stage.verify().fault).toBeUndefined()
  })

  test('of a device that is revoked, or of a banned account, is refused; a repetition is answered all the same', () => {
    using stage = new LedgerStage(2, 100n)
    const first = stage.pay(alice, bob, 1n)
    const answer = stage.order(first)
    stage.run('device.revoke', { id: 'k1.1', at: 2n })
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('signature_invalid')
    expect(stage.order(first)).toEqual({ ...answer, repeated: true })
    stage.run('account.ban', { key: 'a2', at: 2n })
    expect(stage.refusal(stage.pay(bob, alice, 1n))).toBe('account_banned')
  })
})

describe('the same order again', () => {
  const makers: Readonly<Record<string, (stage: LedgerStage) => LedgerOrder>> = {
    pay: (stage) => stage.pay(alice, bob, 10n, { memo: 'm' }),
    hold: (stage) => stage.hold(alice, bob, 10n),
    split: (stage) =>
      stage.split(
        alice,
        [
          [bob, 1n],
          [carol, 2n],
        ],
        { memos: ['x', 'y'] },
      ),
    capture: (stage) => stage.capture(bob, held(stage), 7n),
    void: (stage) => stage.void(bob, held(stage)),
    refund: (stage) => stage.refund(bob, paid(stage), 3n, { memo: 'sorry' }),
  }
  const held = (stage: LedgerStage): LedgerOrder => ordered(stage, stage.hold(alice, bob, 10n))
  const paid = (stage: LedgerStage): LedgerOrder => ordered(stage, stage.pay(alice, bob, 10n))

  test.each(Object.keys(makers))('%s: same bytes, same answer, for ever; other bytes, conflict; it happens once', (kind) => {
    using stage = new LedgerStage(3, 100n)
    const order = makers[kind]?.(stage) as LedgerOrder
    const answer = stage.order(order)
    expect(answer.repeated).toBe(false)
    const after = [alice, bob, carol].map((id) => stage.balance(id))
    const { size } = stage.run('ledger.state', {})
    // Much later, after the expiry and after other payments; and what was beside the order is not looked at.
    for (const at of [stage.at, stage.at + 400n * 86_400_000n]) {
      const again = stage.order({ ...order, at, memo: 'another' })
      expect(again).toEqual({ ...answer, repeated: true, posted: [], changed: undefined, request: undefined })
    }
    stage.mint(alice, 5n)
    if (kind === 'hold') stage.order(stage.capture(bob, order, 4n))
    if (kind === 'pay') stage.order(stage.refund(bob, order, 4n))
    expect(stage.order(order)).toMatchObject({ transfer: answer.transfer, balance: answer.balance, repeated: true })
    const signed = order.signed.map((byte, at) => (at === order.signed.length - 1 ? byte ^ 1 : byte))
    expect(stage.refusal({ ...order, signed })).toBe('conflict')
    const others = Object.entries(makers).filter(([other]) => other !== kind && makers[other] !== undefined)
    for (const [, make] of others) {
      const other = make(stage)
      const signer = 'payer' in order.order ? alice : bob
      const isSame = ('payer' in other.order ? alice : bob) === signer
      if (isSame) expect(stage.refusal({ ...other, order: { ...other.order, id: order.order.id } })).toBe('conflict')
    }
    expect(after).toHaveLength(3)
    expect(stage.run('ledger.state', {}).size).toBeGreaterThan(size)
    expect(stage.verify().fault).toBeUndefined()
  })

  test('mint and burn too', () => {
    using stage = new LedgerStage(1)
    const input = { id: stage.id(), accountId: alice, unit: 'credits', amount: 10n, memo: 'm', at: 5n }
    const answer = stage.run('ledger.mint', input)
    expect(answer).toMatchObject({ balance: 10n, repeated: false, transfer: { kind: 'mint', signerId: 0n, payer: undefined } })
    expect(stage.run('ledger.mint', { ...input, at: 6n })).toEqual({ ...answer, repeated: true })
    for (const other of [{ amount: 11n }, { memo: 'n' }])
      expect(stage.codeOf(() => stage.run('ledger.mint', { ...input, ...other }))).toBe('conflict')
    expect(stage.codeOf(() => stage.run('ledger.burn', input))).toBe('conflict')
    expect(stage.codeOf(() => stage.run('ledger.burn', { ...input, id: stage.id(), amount: 11n }))).toBe('insufficient_funds')
    expect(stage.run('ledger.burn', { ...input, id: stage.id(), amount: 4n })).toMatchObject({ balance: 6n })
    const issuance = stage.run('ledger.accounts', { after: 0n, max: 9n }).find(({ kind }) => kind === 'issuance')
    expect(issuance?.balance).toBe(-6n)
  })
})

describe('a hold', () => {
  test('is captured in part, the rest goes back; then it has ended', () => {
    using stage = new LedgerStage(2, 100n)
    const hold = ordered(stage, stage.hold(alice, bob, 60n))
    expect(stage.run('ledger.balance', { accountId: alice })).toMatchObject([{ balance: 40n, held: 60n }])
    for (const amount of [61n, 10n ** 15n]) expect(stage.refusal(stage.capture(bob, hold, amount))).toBe('amount_invalid')
    expect(stage.refusal(stage.capture(alice, hold, 1n))).toBe('not_permitted')
    const { transfer, balance, changed } = stage.order(stage.capture(bob, hold, 45n))
    expect([transfer.amount, balance, changed?.status, changed?.captured]).toEqual([45n, 145n, 'posted', 45n])
    expect(stage.run('ledger.balance', { accountId: alice })).toMatchObject([{ balance: 55n, held: 0n }])
    expect([stage.refusal(stage.capture(bob, hold, 1n)), stage.refusal(stage.void(bob, hold))]).toEqual(['gone', 'gone'])
    expect(sentence(stage, stage.refund(bob, hold, 46n))).toBe('only 0.45 credits can still be refunded')
    stage.order(stage.refund(bob, hold, 45n))
    expect([stage.balance(alice), stage.balance(bob)]).toEqual([100n, 100n])
    expect(stage.verify().fault).toBeUndefined()
  })

  test('is given back by the payee at any time, by the payer when it is over, by nobody else', () => {
    using stage = new LedgerStage(3, 100n)
    const [first, second] = [ordered(stage, stage.hold(alice, bob, 10n)), ordered(stage, stage.hold(alice, bob, 20n))]
    expect([
      stage.refusal(stage.void(alice, first)),
      stage.refusal(stage.void(carol, first)),
      stage.refusal(stage.capture(carol, first, 1n)),
    ]).toEqual(['not_permitted', 'not_found', 'not_found'])
    expect(stage.order(stage.void(bob, first))).toMatchObject({ transfer: { amount: 10n }, balance: 100n, changed: { status: 'voided' } })
    stage.at += 60_000n
    expect(stage.refusal(stage.capture(bob, second, 1n))).toBe('expired')
    stage.order(stage.void(alice, second))
    expect(stage.balance(alice)).toBe(100n)
    expect(stage.verify().fault).toBeUndefined()
  })

  test('is over in its time, once, however often it is looked for', () => {
    using stage = new LedgerStage(2, 100n)
    const holds = [1n, 2n, 3n].map((amount) => ordered(stage, stage.hold(alice, bob, amount, { expiresAt: stage.at + amount })))
    expect(stage.run('ledger.expireHolds', { at: stage.at + 2n, max: 1n })).toMatchObject({
      holds: [{ status: 'expired', amount: 1n }],
      more: true,
    })
    expect(stage.run('ledger.expireHolds', { at: stage.at + 2n, max: 9n })).toMatchObject({ holds: [{ amount: 2n }], more: false })
    expect(stage.run('ledger.expireHolds', { at: stage.at + 2n, max: 9n }).holds).toEqual([])
    expect(stage.balance(alice)).toBe(97n)
    stage.at += 9n
    expect(stage.refusal(stage.capture(bob, holds[0] as LedgerOrder, 1n))).toBe('gone')
    const [line] = stage.run('ledger.statement', { accountId: alice, max: 1n }).lines
    expect(line).toMatchObject({ kind: 'expire', delta: 2n, transfer: { kind: 'hold', status: 'expired' } })
    expect(stage.verify().fault).toBeUndefined()
  })

  test('that cannot go back keeps no other from it, nor a request from its end, however small the steps', () => {
    using stage = new LedgerStage(4, 100n)
    const expiresAt = stage.at + 1n
    const full = stage.hold(alice, bob, 1n, { expiresAt })
    for (const order of [full, stage.hold(bob, carol, 2n, { expiresAt }), stage.hold(carol, bob, 3n, { expiresAt })]) stage.order(order)
    const request = { id: stage.id(), fromId: alice, toId: bob, unit: 'credits', amount: 5n, at: stage.at, expiresAt }
    stage.run('ledger.request', request)
    for (let minted = 1n; minted < 1_000n; minted++) stage.mint(alice, 10n ** 15n)
    stage.run('ledger.limits', { unit: 'credits', accountId: dave, floor: -(10n ** 15n) })
    stage.order(stage.pay(dave, alice, 10n ** 15n - 99n))
    stage.at = expiresAt
    const first = stage.run('ledger.expireHolds', { at: stage.at, max: 1n })
    expect(first).toMatchObject({ holds: [], stuck: [{ signerId: alice, id: full.order.id, why: 'limit_exceeded' }], more: true })
    expect(first.requests).toHaveLength(1)
    const rest = stage.run('ledger.expireHolds', { at: stage.at, max: 9n, after: first.next })
    expect(rest).toMatchObject({ holds: [{ amount: 2n }, { amount: 3n }], stuck: [], more: false })
    expect([stage.balance(bob), stage.balance(carol)]).toEqual([100n, 100n])
    expect(stage.verify().fault).toBeUndefined()
    stage.run('ledger.burn', { id: stage.id(), accountId: alice, unit: 'credits', amount: 1n, at: stage.at })
    expect(stage.run('ledger.expireHolds', { at: stage.at, max: 9n }).holds).toMatchObject([{ amount: 1n, status: 'expired' }])
  })
})

describe('a refund', () => {
  test('is never more than the original, over all refunds, and only from who was paid', () => {
    using stage = new LedgerStage(3, 100n)
    const payment = ordered(stage, stage.pay(alice, bob, 50n))
    expect(stage.refusal(stage.refund(carol, payment, 1n))).toBe('not_found')
    expect(stage.refusal(stage.refund(alice, payment, 1n))).toBe('not_found')
    for (const amount of [20n, 29n]) expect(stage.order(stage.refund(bob, payment, amount)).transfer.amount).toBe(amount)
    expect(stage.refusal(stage.refund(bob, payment, 2n))).toBe('amount_invalid')
    expect(sentence(stage, stage.refund(bob, payment, 2n))).toBe('only 0.01 credits can still be refunded')
    // To anybody else the payment is not there.
    for (const other of [alice, carol]) expect(sentence(stage, stage.refund(other, payment, 2n))).toBe('there is no such payment')
    expect(stage.order(stage.refund(bob, payment, 1n)).changed?.refunded).toBe(50n)
    expect(stage.refusal(stage.refund(bob, payment, 1n))).toBe('amount_invalid')
    expect(sentence(stage, stage.refund(bob, payment, 1n))).toBe('nothing is left to be refunded')
    expect([stage.balance(alice), stage.balance(bob)]).toEqual([100n, 100n])
  })

  test('of a part of a split is that of the part; a refund is not refunded', () => {
    using stage = new LedgerStage(4, 100n)
    const split = ordered(
      stage,
      stage.split(alice, [
        [bob, 10n],
        [carol, 20n],
      ]),
    )
    expect(sentence(stage, stage.refund(bob, split, 11n))).toBe('only 0.10 credits can still be refunded')
    expect(stage.refusal(stage.refund(dave, split, 1n))).toBe('not_found')
    const refund = ordered(stage, stage.refund(carol, split, 15n))
    // What the others have is nothing to this one.
    expect(sentence(stage, stage.refund(carol, split, 6n))).toBe('only 0.05 credits can still be refunded')
    const refundOfRefund = stage.refund(alice, { ...refund, order: { ...refund.order, payer: carol } as never }, 1n)
    expect(stage.refusal(refundOfRefund)).toBe('not_found')
    const { transfer } = stage.run('ledger.transfer', { accountId: bob, signerId: alice, id: split.order.id }) ?? {}
    expect(transfer).toMatchObject({ refunded: 15n, parts: [{ refunded: 0n }, { refunded: 15n }] })
    expect(stage.verify().fault).toBeUndefined()
  })
})

test('five hundred payments of everything: exactly one succeeds', () => {
  using stage = new LedgerStage(4, 100n)
  for (let round = 0; round < 20; round++) {
    const payer = [alice, bob, carol, dave].find((id) => stage.balance(id) >= 100n) ?? alice
    const everything = stage.balance(payer)
    const orders = Array.from({ length: 500 }, (_, at) =>
      stage.pay(payer, [alice, bob, carol, dave].filter((id) => id !== payer)[at % 3] ?? bob, everything),
    )
    const codes = orders.map((order) => stage.refusal(order))
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(codes.filter((code) => code === 'insufficient_funds')).toHaveLength(499)
    expect([alice, bob, carol, dave].reduce((sum, id) => sum + stage.balance(id), 0n)).toBe(400n)
  }
  expect(stage.verify().fault).toBeUndefined()
})

test('who is no party of a transfer learns nothing of it', () => {
  using stage = new LedgerStage(3, 100n)
  const { order } = ordered(stage, stage.pay(alice, bob, 1n))
  const seen = [alice, bob, carol].map((accountId) => stage.run('ledger.transfer', { accountId, signerId: alice, id: order.id })?.balance)
  expect(seen).toEqual([99n, 101n, undefined])
})

test('a statement has pages, units, and both sides of everything', () => {
  using stage = new LedgerStage(2, 100n)
  stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
  stage.mint(alice, 7n, { unit: 'gold' })
  for (let index = 0; index < 5; index++) stage.order(stage.pay(alice, bob, 1n))
  const page = stage.run('ledger.statement', { accountId: alice, max: 4n })
  expect([page.lines.map(({ posting }) => posting), page.more]).toEqual([[8n, 7n, 6n, 5n], true])
  const rest = stage.run('ledger.statement', { accountId: alice, before: 5n, max: 4n })
  expect(rest.lines.map(({ kind, unit, delta }) => [kind, unit, delta])).toEqual([
    ['pay', 'credits', -1n],
    ['mint', 'gold', 7n],
    ['mint', 'credits', 100n],
  ])
  expect(stage.run('ledger.statement', { accountId: alice, unit: 'gold', max: 9n }).lines).toHaveLength(1)
  expect(stage.run('ledger.balance', { accountId: alice }).map(({ unit, balance }) => [unit, balance])).toEqual([
    ['credits', 95n],
    ['gold', 7n],
  ])
})

/** What a refusal says. */
function sentence(stage: LedgerStage, order: LedgerOrder): string | undefined {
  try {
    stage.order(order)
  } catch (reason) {
    return SealwireError.from(reason).sentence
  }
  return undefined
}

function ordered(stage: LedgerStage, order: LedgerOrder): LedgerOrder {
  stage.order(order)
  return order
}
