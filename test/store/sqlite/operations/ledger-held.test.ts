import { describe, expect, test } from 'bun:test'
import { LedgerStage } from './ledger-stage.ts'

const [alice, bob, carol] = [1n, 2n, 3n]

describe('ledger.holds', () => {
  test('lists what waits, of the account and for it, newest first, page by page, and nothing of others', () => {
    using stage = new LedgerStage(3, 1_000n)
    const held = [stage.hold(alice, bob, 1n), stage.hold(bob, alice, 2n), stage.hold(carol, alice, 3n), stage.hold(alice, carol, 4n)]
    for (const hold of held) stage.order(hold)
    stage.order(stage.pay(alice, bob, 5n))
    const page = (accountId: bigint, max: bigint, before?: bigint) => {
      const { holds, more } = stage.run('ledger.holds', { accountId, max, before })
      return { amounts: holds.map(({ amount }) => amount), last: holds.at(-1)?.posting, more }
    }
    expect(page(alice, 9n)).toMatchObject({ amounts: [4n, 3n, 2n, 1n], more: false })
    expect(page(alice, 4n)).toMatchObject({ amounts: [4n, 3n, 2n, 1n], more: false })
    const first = page(alice, 3n)
    expect(first).toMatchObject({ amounts: [4n, 3n, 2n], more: true })
    expect(page(alice, 3n, first.last)).toMatchObject({ amounts: [1n], more: false })
    expect([page(bob, 9n).amounts, page(carol, 9n).amounts]).toEqual([
      [2n, 1n],
      [4n, 3n],
    ])
    const [one, two] = held
    if (one === undefined || two === undefined) throw new Error('four were made')
    stage.order(stage.capture(bob, one, 1n))
    stage.order(stage.void(alice, two))
    expect(page(alice, 9n).amounts).toEqual([4n, 3n])
    expect(stage.run('ledger.holds', { accountId: bob, max: 9n })).toEqual({ holds: [], more: false })
  })
})
