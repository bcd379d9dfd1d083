import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import type { LedgerOrder } from '../../../../src/store/index.ts'
import { Engine } from '../../../../src/store/sqlite/engine.ts'
import type { Request } from '../../../../src/store/store.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { LedgerStage } from './ledger-stage.ts'

const [alice, bob, carol] = [1n, 2n, 3n]
const day = 86_400_000n
const unit = 'credits'

describe('what an account may pay in a day', () => {
  test('no kind of order gets round it, and no other device', () => {
    using stage = new LedgerStage(3, 1_000n)
    stage.enrol(alice, 2)
    const received = stage.pay(bob, alice, 500n)
    stage.order(received)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n })
    stage.order(stage.pay(alice, bob, 60n))
    const hold = stage.hold(alice, bob, 30n)
    stage.order(hold)
    const tries = [
      stage.pay(alice, bob, 11n),
      stage.pay(alice, bob, 11n, { device: 2 }),
      stage.hold(alice, bob, 11n),
      stage.split(alice, [
        [bob, 6n],
        [carol, 5n],
      ]),
      stage.refund(alice, received, 11n),
      stage.pay(alice, bob, 11n, { at: (stage.at / day) * day + day - 1n, expiresAt: 9n * day }),
    ]
    expect(tries.map((order) => stage.refusal(order))).toEqual(tries.map(() => 'limit_exceeded'))
    // What was given back, captured, or refused counts neither twice nor less.
    stage.order(stage.capture(bob, hold, 10n))
    expect(stage.refusal(stage.pay(alice, bob, 11n))).toBe('limit_exceeded')
    stage.order(stage.pay(alice, bob, 10n, { device: 2 }))
    expect(stage.refusal(stage.pay(alice, carol, 1n))).toBe('limit_exceeded')
    expect(stage.order(stage.pay(bob, alice, 1n)).repeated).toBe(false)
    stage.at += day
    stage.order(stage.pay(alice, bob, 100n))
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('limit_exceeded')
  })

  test('a hold that was given back opens the day no more', () => {
    using stage = new LedgerStage(2, 1_000n)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n })
    const hold = stage.hold(alice, bob, 100n)
    stage.order(hold)
    stage.order(stage.void(bob, hold))
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('limit_exceeded')
  })

  test('a device has its own; a bound that comes later counts what was before it', () => {
    using stage = new LedgerStage(2, 1_000n)
    stage.enrol(alice, 2)
    stage.order(stage.pay(alice, bob, 50n))
    stage.run('ledger.limits', { unit, deviceDayMax: 60n })
    expect(stage.refusal(stage.pay(alice, bob, 11n))).toBe('limit_exceeded')
    stage.order(stage.pay(alice, bob, 10n))
    stage.order(stage.pay(alice, bob, 60n, { device: 2 }))
    expect(stage.refusal(stage.pay(alice, bob, 1n, { device: 2 }))).toBe('limit_exceeded')
    stage.run('ledger.limits', { unit, accountId: alice, deviceDayMax: 70n })
    stage.order(stage.pay(alice, bob, 10n, { device: 2 }))
    expect(stage.refusal(stage.pay(alice, bob, 1n, { device: 2 }))).toBe('limit_exceeded')
    // Forgotten is what is no longer counted.
    stage.run('ledger.expireHolds', { at: stage.at, max: 9n })
    expect(stage.refusal(stage.pay(alice, bob, 1n, { device: 2 }))).toBe('limit_exceeded')
    expect(stage.run('ledger.limits', { unit, deviceDayMax: null })).toMatchObject({ deviceDayMax: undefined })
    expect(stage.run('ledger.limits', { unit, accountId: alice, deviceDayMax: null, dayMax: 0n })).toMatchObject({ dayMax: 0n })
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('limit_exceeded')
  })

  test('many small orders are as much as a large one, of one device or of several', () => {
    using stage = new LedgerStage(3, 1_000n)
    for (const device of [2, 3]) stage.enrol(alice, device)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n, deviceDayMax: 60n })
    const orders = Array.from({ length: 300 }, (_, at) => stage.pay(alice, at % 2 === 0 ? bob : carol, 1n, { device: 1 + (at % 3) }))
    const codes = orders.map((order) => stage.refusal(order))
    expect(codes.filter((code) => code === undefined).length).toBe(100)
    expect(new Set(codes)).toEqual(new Set([undefined, 'limit_exceeded']))
    expect([alice, bob, carol].map((account) => stage.balance(account))).toEqual([900n, 1_050n, 1_050n])
  })

  test('a split counts with all its parts, however small, and to pay what somebody asks for is to pay', () => {
    using stage = new LedgerStage(52, 1_000n)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n })
    const parts = (amount: bigint) => Array.from({ length: 50 }, (_, at) => [BigInt(at + 2), amount] as const)
    expect(stage.refusal(stage.split(alice, parts(3n)))).toBe('limit_exceeded')
    stage.order(stage.split(alice, parts(1n)))
    const asked = { id: stage.id(), fromId: bob, toId: alice, unit, amount: 80n, expiresAt: stage.at + day, at: stage.at }
    const { id: request } = stage.run('ledger.request', asked).request
    expect(stage.refusal(stage.pay(alice, bob, 51n, { request }))).toBe('limit_exceeded')
    stage.order(stage.pay(alice, bob, 50n, { request }))
    expect(stage.refusal(stage.pay(alice, bob, 1n, { request }))).toBe('limit_exceeded')
    expect(stage.run('ledger.requests', { accountId: bob, max: 9n }).requests).toMatchObject([{ paid: 50n, status: 'open' }])
  })

  test('a day ends at midnight (UTC): what was ordered before counts then, also when it is captured after, or the clock goes back', () => {
    using stage = new LedgerStage(2, 1_000n)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n })
    const midnight = 20_000n * day
    const expiresAt = midnight + 9n * day
    stage.at = midnight - 1n
    const hold = stage.hold(alice, bob, 70n, { expiresAt })
    stage.order(hold)
    stage.order(stage.pay(alice, bob, 30n, { expiresAt }))
    expect(stage.refusal(stage.pay(alice, bob, 1n, { expiresAt }))).toBe('limit_exceeded')
    stage.at = midnight
    stage.order(stage.capture(bob, hold, 70n))
    stage.order(stage.pay(alice, bob, 100n, { expiresAt }))
    expect(stage.refusal(stage.hold(alice, bob, 1n, { expiresAt }))).toBe('limit_exceeded')
    stage.run('ledger.expireHolds', { at: stage.at, max: 9n })
    stage.run('ledger.expireHolds', { at: midnight + 30n * day, max: 9n })
    for (const at of [midnight - 1n, midnight + day - 1n]) {
      stage.at = at
      expect(stage.refusal(stage.pay(alice, bob, 1n, { expiresAt }))).toBe('limit_exceeded')
    }
    stage.at = midnight + day
    stage.order(stage.pay(alice, bob, 100n, { expiresAt }))
  })

  test('each unit has its own, and none opens that of another', () => {
    using stage = new LedgerStage(2, 1_000n)
    stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
    stage.mint(alice, 1_000n, { unit: 'gold' })
    for (const code of [unit, 'gold']) stage.run('ledger.limits', { unit: code, dayMax: 100n })
    stage.order(stage.pay(alice, bob, 100n))
    stage.order(stage.pay(alice, bob, 100n, { unit: 'gold' }))
    for (const code of [unit, 'gold']) expect(stage.refusal(stage.pay(alice, bob, 1n, { unit: code }))).toBe('limit_exceeded')
    stage.run('ledger.limits', { unit: 'gold', accountId: alice, dayMax: 200n })
    stage.order(stage.pay(alice, bob, 100n, { unit: 'gold' }))
    for (const code of [unit, 'gold']) expect(stage.refusal(stage.pay(alice, bob, 1n, { unit: code }))).toBe('limit_exceeded')
  })

  test('a device that is revoked has nothing, and a new one no more than the account has left', () => {
    using stage = new LedgerStage(2, 1_000n)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n, deviceDayMax: 60n })
    stage.order(stage.pay(alice, bob, 60n))
    stage.run('device.revoke', { accountId: alice, id: `k${alice}.1`, at: stage.at })
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('signature_invalid')
    stage.enrol(alice, 2)
    expect(stage.refusal(stage.pay(alice, bob, 41n, { device: 2 }))).toBe('limit_exceeded')
    stage.order(stage.pay(alice, bob, 40n, { device: 2 }))
    stage.enrol(alice, 3)
    expect(stage.refusal(stage.pay(alice, bob, 1n, { device: 3 }))).toBe('limit_exceeded')
  })

  test('what was refused, and what was said twice, counts once or not at all', () => {
    using stage = new LedgerStage(2, 1_000n)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n })
    expect(stage.refusal(stage.pay(alice, bob, 101n))).toBe('limit_exceeded')
    const order = stage.pay(alice, bob, 50n)
    for (const _ of [1, 2, 3]) stage.order(order)
    expect(stage.refusal(stage.pay(alice, 99n, 50n))).toBe('not_found')
    stage.order(stage.pay(alice, bob, 50n))
    expect(stage.order(order).repeated).toBe(true)
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('limit_exceeded')
  })
})

describe('frozen', () => {
  test('no refund, no request and no split gets round it; what was answered before is answered still', () => {
    using stage = new LedgerStage(3, 1_000n)
    stage.enrol(alice, 2)
    const [paid, received] = [stage.pay(alice, bob, 10n), stage.pay(bob, alice, 10n)]
    for (const order of [paid, received]) stage.order(order)
    const request = (fromId: bigint, toId: bigint): Uint8Array =>
      stage.run('ledger.request', { id: stage.id(), fromId, toId, unit, amount: 5n, expiresAt: stage.at + day, at: stage.at }).request.id
    const [byBob, byAlice] = [request(bob, alice), request(alice, bob)]
    stage.run('ledger.freeze', { accountId: alice, frozen: true, at: 5n })
    const before = stage.run('ledger.export', { after: 0n, max: 100n }).length
    const tries = [
      stage.refund(bob, paid, 1n),
      stage.refund(alice, received, 1n),
      stage.pay(alice, bob, 5n, { request: byBob }),
      stage.pay(bob, alice, 5n, { request: byAlice }),
      stage.pay(alice, bob, 1n, { device: 2 }),
      stage.split(carol, [
        [bob, 1n],
        [alice, 1n],
      ]),
    ]
    expect(tries.map((order) => stage.refusal(order))).toEqual(tries.map(() => 'frozen'))
    expect(() => stage.order(stage.pay(bob, alice, 5n))).toThrow('the account of a1 is frozen')
    expect([paid, received].map((order) => stage.order(order).repeated)).toEqual([true, true])
    expect(stage.run('ledger.export', { after: 0n, max: 100n }).length).toBe(before)
    // A new device does not thaw it, nor does a new unit.
    stage.enrol(alice, 3)
    stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
    stage.mint(alice, 10n, { unit: 'gold' })
    expect(stage.refusal(stage.pay(alice, bob, 1n, { unit: 'gold', device: 3 }))).toBe('frozen')
  })

  test('a hold of a frozen payer or payee is not captured, and comes back: by its end, or by the payee', () => {
    using stage = new LedgerStage(3, 1_000n)
    const [byAlice, forAlice, other] = [stage.hold(alice, bob, 10n), stage.hold(bob, alice, 20n), stage.hold(alice, carol, 40n)]
    for (const order of [byAlice, forAlice, other]) stage.order(order)
    stage.run('ledger.freeze', { accountId: alice, frozen: true, at: 5n })
    for (const order of [stage.capture(bob, byAlice, 10n), stage.capture(alice, forAlice, 20n)]) expect(stage.refusal(order)).toBe('frozen')
    stage.order(stage.void(alice, forAlice))
    expect([stage.balance(alice), stage.balance(bob)]).toEqual([950n, 1_000n])
    expect(stage.run('ledger.expireHolds', { at: stage.at + 60_000n, max: 9n }).holds.length).toBe(2)
    expect([alice, bob, carol].map((account) => stage.balance(account))).toEqual([1_000n, 1_000n, 1_000n])
    expect(stage.refusal(stage.capture(carol, other, 1n))).toBe('gone')
    expect(stage.verify().fault).toBeUndefined()
  })

  test('nothing leaves, nothing comes in, in no unit, also of later; what is on hold comes back', () => {
    using stage = new LedgerStage(3, 1_000n)
    const [hold, payment] = [stage.hold(alice, bob, 10n), stage.pay(bob, alice, 10n)]
    for (const order of [hold, payment]) stage.order(order)
    const toAlice = stage.hold(bob, alice, 5n)
    stage.order(toAlice)
    expect(stage.run('ledger.freeze', { accountId: alice, frozen: true, at: 5n })).toMatchObject([{ frozen: true }])
    stage.run('unit.create', { code: 'gold', name: 'Gold', decimals: 0n, at: 1n })
    stage.mint(bob, 10n, { unit: 'gold' })
    const tries = [
      stage.pay(alice, bob, 1n),
      stage.pay(bob, alice, 1n),
      stage.pay(bob, alice, 1n, { unit: 'gold' }),
      stage.hold(alice, bob, 1n),
      stage.hold(bob, alice, 1n),
      stage.split(alice, [
        [bob, 1n],
        [carol, 1n],
      ]),
      stage.split(bob, [
        [alice, 1n],
        [carol, 1n],
      ]),
      stage.capture(bob, hold, 1n),
      stage.capture(alice, toAlice, 1n),
      stage.refund(alice, payment, 1n),
    ]
    expect(tries.map((order) => stage.refusal(order))).toEqual(tries.map(() => 'frozen'))
    stage.order(stage.void(bob, hold))
    expect(stage.balance(alice)).toBe(1_010n)
    stage.mint(alice, 1n)
    stage.run('ledger.burn', { id: stage.id(), accountId: alice, unit, amount: 1n, at: 1n })
    expect(stage.run('ledger.freeze', { accountId: alice, frozen: false, at: 9n })).toMatchObject([{ frozen: false }, { frozen: false }])
    stage.order(stage.pay(bob, alice, 1n, { unit: 'gold' }))
    stage.order(stage.pay(alice, bob, 1n))
  })

  test('also who never had anything', () => {
    using stage = new LedgerStage(2)
    stage.mint(bob, 5n)
    stage.run('ledger.freeze', { accountId: alice, frozen: true, at: 5n })
    expect(stage.refusal(stage.pay(bob, alice, 1n))).toBe('frozen')
    expect(stage.codeOf(() => stage.run('ledger.freeze', { accountId: 9n, frozen: true, at: 5n }))).toBe('not_found')
  })
})

describe('floors and ceilings', () => {
  test('credit goes down to its floor and not below; taken back it lets nothing out', () => {
    using stage = new LedgerStage(2)
    stage.run('ledger.limits', { unit, accountId: alice, floor: -100n })
    stage.order(stage.pay(alice, bob, 100n))
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('insufficient_funds')
    expect(stage.balance(alice)).toBe(-100n)
    stage.run('ledger.limits', { unit, accountId: alice, floor: 0n })
    stage.order(stage.pay(bob, alice, 50n))
    expect(stage.refusal(stage.pay(alice, bob, 1n))).toBe('insufficient_funds')
    expect(stage.codeOf(() => stage.run('ledger.limits', { unit, accountId: alice, floor: 1n }))).toBe('amount_invalid')
    expect(stage.verify().fault).toBeUndefined()
  })

  test('no balance is above 10^18, and none of an issuance below -10^18', () => {
    using stage = new LedgerStage(2)
    for (let index = 0; index < 1_000; index++) stage.mint(alice, 10n ** 15n)
    expect(stage.balance(alice)).toBe(10n ** 18n)
    expect(stage.codeOf(() => stage.mint(bob, 1n))).toBe('limit_exceeded')
    stage.order(stage.pay(alice, bob, 1n))
    expect(stage.codeOf(() => stage.mint(alice, 1n))).toBe('limit_exceeded')
    expect(stage.verify({ max: 500n }).fault).toBeUndefined()
  })
})

describe('units', () => {
  test('there is one from the beginning; others are made once and stay', () => {
    using stage = new LedgerStage(1)
    const credits = { code: 'credits', name: 'Credits', decimals: 2n, standard: true, dayMax: undefined, deviceDayMax: undefined }
    expect(stage.run('unit.list', {})).toEqual([credits])
    const gold = { code: 'gold', name: 'Gold', decimals: 9n, at: 1n }
    expect(stage.run('unit.create', gold)).toMatchObject({ standard: false })
    expect(stage.run('unit.create', { ...gold, standard: true })).toMatchObject({ standard: true })
    expect(stage.run('unit.list', {}).map(({ code, standard }) => [code, standard])).toEqual([
      ['gold', true],
      ['credits', false],
    ])
    for (const other of [{ decimals: 8n }, { name: 'gold' }])
      expect(stage.codeOf(() => stage.run('unit.create', { ...gold, ...other }))).toBe('conflict')
    // What is not said stays, and is the usual of a new one.
    expect(stage.run('unit.create', { code: 'gold', at: 1n })).toMatchObject({ name: 'Gold', decimals: 9n })
    expect(stage.run('unit.create', { code: 'hours', at: 1n })).toMatchObject({ name: 'hours', decimals: 2n })
    for (const other of [
      { code: 'Gold' },
      { code: '' },
      { code: 'x'.repeat(17) },
      { code: 'a', decimals: 10n },
      { code: 'b', decimals: -1n },
    ]) {
      expect(stage.codeOf(() => stage.run('unit.create', { ...gold, ...other }))).toBe('malformed')
    }
  })

  test('not more than so many', () => {
    using stage = new LedgerStage(0, 0n, { limits: { unitsMax: 2 } })
    stage.run('unit.create', { code: 'a', name: 'A', decimals: 0n, at: 1n })
    expect(stage.codeOf(() => stage.run('unit.create', { code: 'b', name: 'B', decimals: 0n, at: 1n }))).toBe('busy')
  })
})

describe('orders that are committed together', () => {
  /** Carries out requests as one group, on a store of three accounts with 1,000 each. */
  function together(requests: (stage: LedgerStage) => readonly Request[]): readonly (string | undefined)[] {
    using folder = new StoreFolder()
    using stage = new LedgerStage(3, 1_000n, { folder: folder.path })
    for (const device of [2, 3]) stage.enrol(alice, device)
    stage.run('ledger.limits', { unit, accountId: alice, dayMax: 100n, deviceDayMax: 60n })
    const group = requests(stage)
    stage.store.close()
    using engine = new Engine(folder.database, { ...resolveLimits(), diskBytesFreeMin: 0 })
    const outcomes = engine.execute(group)
    const [verified] = engine.execute([{ name: 'ledger.verify', input: { max: 100_000n } }])
    expect(verified).toMatchObject({ value: { fault: undefined } })
    return outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : undefined))
  }

  const order = (input: LedgerOrder): Request => ({ name: 'ledger.order', input })

  test('keep to the bounds of a day, refused ones between them or not', () => {
    const codes = together((stage) =>
      Array.from({ length: 300 }, (_, at) =>
        order(stage.pay(alice, at % 2 === 0 ? bob : carol, at % 7 === 0 ? 101n : 1n, { device: 1 + (at % 3) })),
      ),
    )
    expect(codes.filter((code) => code === undefined).length).toBe(100)
    expect(codes.filter((code) => code === 'limit_exceeded').length).toBe(200)
  })

  test('see what happened between them: a freeze, a device that was revoked, another bound, a verification that failed', () => {
    const pay = (stage: LedgerStage, device = 1): Request => order(stage.pay(alice, bob, 1n, { device }))
    const around = (between: Request) => together((stage) => [pay(stage), between, pay(stage), order(stage.pay(bob, carol, 1n))])
    const at = 5n
    expect(around({ name: 'ledger.freeze', input: { accountId: alice, frozen: true, at } })).toEqual([
      undefined,
      undefined,
      'frozen',
      undefined,
    ])
    expect(around({ name: 'device.revoke', input: { accountId: alice, id: `k${alice}.1`, at } })).toEqual([
      ...[undefined, undefined, 'signature_invalid', undefined],
    ])
    expect(around({ name: 'ledger.limits', input: { unit, accountId: alice, dayMax: 1n } })).toEqual([
      ...[undefined, undefined, 'limit_exceeded', undefined],
    ])
    expect(around({ name: 'ledger.condemn', input: { row: 'posting 1', what: 'a test', at } })).toEqual([
      ...[undefined, undefined, 'ledger_broken', 'ledger_broken'],
    ])
  })
})
