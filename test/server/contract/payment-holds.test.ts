import { describe, expect, test } from 'bun:test'
import { memoHashOf, newId, Payer } from '../../support/payer.ts'
import { ServerStage } from '../../support/server-stage.ts'

describe('payment.holds', () => {
  test('tells both what waits, and its words once they talk; who is blocked says none', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
    await alice.order({ ...alice.pay(bob, 250n, { memoHash: memoHashOf('bike') }), kind: 'hold' }, { memo: 'bike' })
    const listed = async ({ peer }: Payer) => (await peer.ask('payment.holds', {})).holds
    const [atFirst] = await listed(bob)
    expect(atFirst).toMatchObject({ kind: 'hold', status: 'pending', payer: 'alice', payee: 'bob', amount: '2.50', signer: 'alice' })
    expect(Object.hasOwn(atFirst ?? {}, 'memo')).toBe(false)
    expect(await listed(alice)).toMatchObject([{ memo: 'bike', amount: '2.50' }])
    await alice.peer.ask('contact.request', { name: bob.name, id: newId() })
    await bob.peer.ask('contact.accept', { name: alice.name })
    expect(await listed(bob)).toMatchObject([{ memo: 'bike' }])
    await bob.peer.ask('directory.block', { name: 'alice' })
    expect(Object.hasOwn((await listed(bob))[0] ?? {}, 'memo')).toBe(false)
    expect(await bob.peer.ask('payment.holds', { before: atFirst?.posting })).toEqual({ holds: [], more: false })
  })
})
