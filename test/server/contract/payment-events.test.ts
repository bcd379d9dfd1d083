import { describe, expect, test } from 'bun:test'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { newId, Payer } from '../../support/payer.ts'
import { password, ServerStage } from '../../support/server-stage.ts'

interface Scene {
  readonly alice: Payer
  /** Another session of alice. */
  readonly other: ContractPeer
  readonly bob: Payer
}

async function sceneOn(stage: ServerStage): Promise<Scene> {
  const [alice, bob] = [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
  const other = await stage.guest()
  await other.ask('account.login', { name: 'alice', password })
  return { alice, other, bob }
}

describe('a payment', () => {
  test('is told to the other sessions of who pays, not to the one that has the answer', async () => {
    using stage = new ServerStage()
    const { alice, other, bob } = await sceneOn(stage)
    await alice.order(alice.pay(bob, 1250n))
    expect(await news(other)).toMatchObject({ transfer: { amount: '12.50', payee: 'bob' } })
    await bob.order(bob.pay(alice, 1n))
    expect(await news(alice.peer)).toMatchObject({ transfer: { payer: 'bob' } })
  })

  test('to somebody who blocks the payer is in the inboxes of the payer as every other', async () => {
    using stage = new ServerStage()
    const { alice, other, bob } = await sceneOn(stage)
    await alice.peer.ask('contact.request', { name: 'bob', id: newId() })
    await bob.peer.ask('contact.accept', { name: 'alice' })
    await bob.peer.ask('directory.block', { name: 'alice' })
    await other.ask('inbox.open', {})
    const order = alice.pay(bob, 1250n)
    await alice.order(order)
    const [, , data] = await other.next(([, event, entry]) => event === 'inbox.entry' && JSON.stringify(entry).includes('payment+cbor'))
    expect(data).toMatchObject({ entry: { id: order.id } })
  })
})

async function news(peer: ContractPeer): Promise<unknown> {
  const [, , data] = await peer.next(([, event]) => event === 'payment.changed')
  return data
}
