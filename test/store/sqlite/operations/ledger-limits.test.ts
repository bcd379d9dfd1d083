import { describe, expect, test } from 'bun:test'
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
})

describe('frozen', () => {
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
    expect(stage.codeOf(() => stage.run('unit.create', { ...gold, decimals: 8n }))).toBe('conflict')
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
