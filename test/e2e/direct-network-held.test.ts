// A payment between two who have both lost the server, and nothing but each other. On all networks at once (direct-network.test.ts):
// most of it is waiting for answers that do not come, as long as a program waits for them.

import { expect, test } from 'bun:test'
import { networkKinds } from '../support/network-kinds.ts'
import type { Paid } from './direct-payment.ts'
import { DirectWorld } from './direct-world.ts'

test.concurrent.each(networkKinds())(
  'what is handed over while nobody reaches the server is worth nothing, and is settled when the payee is back ($kind)',
  async (kind) => {
    await using world = await DirectWorld.start(kind, ['alice', 'bob'])
    const [alice, bob] = await world.pair()
    await world.operate('admin', 'mint', 'alice', '100.00')
    const order = await alice.ask<string>({ do: 'newId' })
    const payment = { do: 'pay', to: 'bob', minor: '500', order } as const
    for (const name of ['alice', 'bob']) await world.network.cut(name, 'server')
    expect(await alice.refusal(payment)).toBe('unknown_outcome')
    const states = (): readonly string[] => bob.all('held').flatMap((held) => (held.order === order ? [held.state] : []))
    expect(states()).toEqual(['unsettled'])
    await world.network.restore('bob', 'server')
    await bob.until('it is settled', () => states().includes('settled'))
    expect(await bob.ask<string>({ do: 'balance' })).toBe('500')
    await world.network.restore('alice', 'server')
    expect((await alice.ask<Paid>(payment)).status).toBe('posted')
    expect([await alice.ask<string>({ do: 'balance' }), await bob.ask<string>({ do: 'balance' })]).toEqual(['9500', '500'])
  },
  180_000,
)
