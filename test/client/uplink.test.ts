import { describe, expect, test } from 'bun:test'
import { Uplink } from '../../src/client/uplink.ts'
import { rejectionOf } from '../support/refusal.ts'
import { DeliveryServer } from './delivery-server.ts'

describe('a connection that is lost', () => {
  test('is made again after 0.5 s, 1 s, 2 s … 30 s at most, and at once when it is woken', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const me = server.sealwire()
    await server.settle()
    expect([me.state, server.dials, me.reason?.code]).toEqual(['offline', 1, 'unreachable'])
    for (const [wait, dials] of [
      [499, 1],
      [1, 2],
      [999, 2],
      [1, 3],
      [2_000, 4],
      [4_000, 5],
      [8_000, 6],
      [16_000, 7],
      [29_999, 7],
      [1, 8],
    ] as const) {
      await server.clock.move(wait)
      expect(server.dials).toBe(dials)
    }
    await server.clock.move(30_000)
    expect(server.dials).toBe(9)
    me.wake()
    await server.settle()
    expect(server.dials).toBe(10)
    server.refuseDial = undefined
    me.wake()
    await me.online()
    expect([me.state, me.name, me.reason]).toEqual(['online', 'alice', undefined])
    await me.close()
  })

  test('is told by its states', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    const states = me.states()
    expect((await states.next()).value).toBe('connecting')
    expect((await states.next()).value).toBe('online')
    server.cut()
    expect((await states.next()).value).toBe('offline')
    await server.clock.move(500)
    expect([(await states.next()).value, (await states.next()).value]).toEqual(['connecting', 'online'])
    await me.close()
    expect([await states.next(), await states.next()]).toEqual([
      { done: false, value: 'closed' },
      { done: true, value: undefined },
    ])
    expect(server.clock.timers).toBe(0)
  })

  test.each(['login_refused', 'account_banned', 'untrusted', 'version_unsupported'] as const)(
    'is not made again after %s',
    async (code) => {
      const server = new DeliveryServer()
      const me = server.sealwire()
      await me.online()
      const inbox = rejectionOf(me.inbox().next())
      const events = rejectionOf(me.events().next())
      server.refuseDial = code
      server.cut()
      await server.settle()
      await server.clock.move(500)
      await server.settle()
      expect([me.state, me.reason?.code]).toEqual(['closed', code])
      expect(await Promise.all([inbox, events, rejectionOf(me.online()), rejectionOf(me.send('bob', 'hi'))])).toEqual([
        code,
        code,
        code,
        code,
      ])
      expect(server.clock.timers).toBe(0)
    },
  )

  test('after the server has ended the session is made once more, and not again', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    await me.online()
    server.refuseDial = 'connection_lost'
    server.server?.fault(null, 'session_ended')
    await server.settle()
    expect(me.state).toBe('offline')
    await server.clock.move(500)
    await server.settle()
    expect([me.state, me.reason?.code]).toEqual(['closed', 'session_ended'])
  })
})

test('whoever is patient goes on, also where no connection was ever let in', async () => {
  const server = new DeliveryServer()
  server.refuseDial = 'connection_lost'
  const me = server.sealwire({ patient: true })
  await server.settle()
  await server.clock.move(600_000)
  expect([me.state, server.dials > 8]).toEqual(['offline', true])
  server.refuseDial = undefined
  await server.clock.move(31_000)
  expect(me.state).toBe('online')
  const closed = me.close()
  await server.settle()
  await closed
})

test('a server that ends every connection of somebody who was never let in is left after a while', async () => {
  const server = new DeliveryServer()
  server.refuseDial = 'connection_lost'
  const me = server.sealwire()
  const online = rejectionOf(me.online())
  await server.settle()
  await server.clock.move(31_499)
  expect([me.state, server.dials]).toEqual(['offline', 6])
  await server.clock.move(60_000)
  expect([me.state, server.dials, await online]).toEqual(['closed', 8, 'connection_lost'])

  const friendly = new DeliveryServer()
  const stays = friendly.sealwire()
  await stays.online()
  friendly.refuseDial = 'connection_lost'
  friendly.cut()
  await friendly.settle()
  await friendly.clock.move(600_000)
  expect(stays.state).not.toBe('closed')
  await stays.close()
})

test('a session in which an event could not be dealt with is over, and there is another one', async () => {
  const server = new DeliveryServer()
  const [heard, reasons]: [string[], unknown[]] = [[], []]
  const parts = { open: server.login.bind(server), clock: server.clock, limits: server.limits, random: () => 1 }
  const uplink = new Uplink(parts, {
    online() {},
    event: ({ event }) => {
      heard.push(event)
      if (heard.length === 1) throw new Error('as the test says')
    },
    changed: (state, reason) => void reasons.push(`${state} ${reason?.code}`),
  })
  const tell = async (): Promise<void> => {
    await uplink.ready()
    server.server?.event('presence.changed', { name: 'bob', here: true })
    await server.settle()
  }
  await tell()
  expect(reasons).toEqual(['online undefined', 'offline internal'])
  await server.clock.move(500)
  await tell()
  expect([heard.length, uplink.state, server.dials]).toEqual([2, 'online', 2])
  const closed = uplink.close()
  await server.settle()
  await closed
  expect(server.clock.timers).toBe(0)
})

describe('a server that says nothing', () => {
  test('is pinged after 30 s, and left 10 s later when it does not answer', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    await me.online()
    await server.clock.move(30_000)
    await server.settle()
    expect(server.asked.map(({ method }) => method)).toEqual(['session.ping'])
    await server.clock.move(29_999)
    expect([server.asked.length, me.state]).toEqual([1, 'online'])
    server.refuse = () => 'silent'
    await server.clock.move(1)
    await server.settle()
    await server.clock.move(9_999)
    expect([server.asked.length, me.state]).toEqual([2, 'online'])
    await server.clock.move(1)
    await server.settle()
    expect([me.state, me.reason?.code]).toEqual(['offline', 'connection_lost'])
    await me.close()
  })

  test('is not pinged while it talks, and is talked to', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    await me.online()
    await server.clock.move(20_000)
    server.server?.event('presence.changed', { name: 'bob', here: true })
    await server.settle()
    await server.clock.move(5_000)
    await me.call('session.ping', {})
    await server.clock.move(29_999)
    expect(server.asked.map(({ method }) => method)).toEqual(['session.ping'])
    await server.clock.move(1)
    await server.settle()
    expect(server.asked.map(({ method }) => method)).toEqual(['session.ping', 'session.ping'])
    await me.close()
  })
})

describe('a connection that may not last', () => {
  test('is replaced before it ends, and nothing is missed or told twice', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire({ ageMsMax: 10_000 })
    await me.online()
    const seen: string[] = []
    const states: string[] = []
    void (async () => {
      for await (const item of me.inbox()) seen.push(item.text ?? '')
    })()
    void (async () => {
      for await (const state of me.states()) states.push(state)
    })()
    await server.settle()
    for (let each = 0; each < 30; each++) {
      server.receive(`m${each}`)
      await server.settle()
      await server.clock.move(1_000)
    }
    await server.settle()
    expect(server.dials).toBe(4)
    expect(seen).toEqual(Array.from({ length: 30 }, (_, each) => `m${each}`))
    expect(new Set(states)).toEqual(new Set(['online']))
    await me.close()
  })
})
