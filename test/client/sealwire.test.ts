import { describe, expect, test } from 'bun:test'
import { blobSource, MemoryOutbox, Sealwire } from '../../src/client/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'
import { DeliveryServer } from './delivery-server.ts'

describe('Sealwire', () => {
  test('connects at once when the network is back, and listens to it no longer when it is closed', async () => {
    const server = new DeliveryServer()
    const network = new EventTarget()
    let dials = 0
    const open = async (): Promise<never> => {
      dials++
      throw new SealwireError('unreachable', 'nobody is there')
    }
    const me = new Sealwire({ open, clock: server.clock, outbox: new MemoryOutbox(), network })
    await server.settle()
    expect([dials, me.state]).toEqual([1, 'offline'])
    network.dispatchEvent(new Event('online'))
    await server.settle()
    expect(dials).toBe(2)
    await me.close()
    network.dispatchEvent(new Event('online'))
    await server.settle()
    expect([dials, server.clock.timers]).toEqual([2, 0])
  })

  test('tells what is live to everybody who listens, and the inbox to its reader alone', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    await me.online()
    const [first, second] = [me.events(), me.events()]
    server.receive('not live')
    server.server?.event('presence.typing', { conversation: 7, name: 'bob' })
    for (const events of [first, second]) {
      expect(await events.next()).toEqual({ done: false, value: { event: 'presence.typing', data: { conversation: 7, name: 'bob' } } })
    }
    await me.close()
    expect(await first.next()).toEqual({ done: true, value: undefined })
  })

  test('loses the oldest live events of a listener that does not take them, and its connection never', async () => {
    const server = new DeliveryServer({ clientLiveEventsMax: 10 })
    const me = server.sealwire()
    await me.online()
    const events = me.events()
    for (let each = 0; each < 3_000; each++) {
      server.server?.event('presence.typing', { conversation: each, name: 'bob' })
      if (each % 100 === 0) await settle()
    }
    await server.settle()
    expect([(await events.next()).value, me.state, server.dials]).toMatchObject([{ data: { conversation: 2_990 } }, 'online', 1])
    await me.close()
  })

  test('calls any method, waits for a connection no longer than a request may take, and repeats nothing by itself', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const me = server.sealwire()
    const waiting = me.call('session.ping', {})
    await server.settle()
    server.refuseDial = undefined
    await server.clock.move(500)
    expect(await waiting).toEqual({ time: 1 })
    server.refuse = () => 'cut'
    expect(await rejectionOf(me.call('session.ping', {}))).toBe('connection_lost')
    expect(server.asked).toHaveLength(2)
    server.refuseDial = 'unreachable'
    const never = rejectionOf(me.call('session.ping', {}))
    await server.clock.move(30_000)
    expect(await never).toBe('unreachable')
    await me.close()
  })

  test('takes for an answer that nobody can be asked, or accepted, now', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    server.refuse = () => 'busy'
    expect([await rejectionOf(me.request('bob')), await rejectionOf(me.accept('bob'))]).toEqual(['busy', 'busy'])
    expect(server.asked).toHaveLength(2)
    await me.close()
  })

  test.each([
    ['done at the fifth try', 4, undefined],
    ['refused after five tries', 5, 'rate_limited'],
  ])('has what may be done twice %s', async (_, refusals, told) => {
    const server = new DeliveryServer({}, { 'room.update': () => ({ seq: 9 }) })
    const me = server.sealwire()
    server.refuse = () => (server.asked.length <= refusals ? 'rate_limited' : undefined)
    let isOver = false
    const outcome = rejectionOf(me.rooms.update(5, { title: 'Shed' })).finally(() => (isOver = true))
    for (let turn = 0; turn < 20 && !isOver; turn++) {
      await server.settle()
      await server.clock.move(10_000)
    }
    expect([isOver, server.asked.length]).toEqual([true, 5])
    expect(await outcome).toBe(told as never)
    await me.close()
  })

  test('changes rooms through connections that are lost with the answer: what is so already is done', async () => {
    const answers = {
      'room.leave': () => ({}),
      'room.remove': () => ({ seq: 7 }),
      'room.role': () => ({ seq: 8 }),
      'room.update': () => ({ seq: 9 }),
    }
    const server = new DeliveryServer({}, answers)
    const me = server.sealwire()
    const cut = new Set<string>()
    server.refuse = (method) => (method.startsWith('room.') && !cut.has(method) ? (cut.add(method), 'cut') : undefined)
    const changes = [
      me.rooms.update(5, { title: 'Shed' }),
      me.rooms.role(5, 'bob', 'owner'),
      me.rooms.remove(5, 'carol'),
      me.rooms.leave(5),
    ]
    let left = changes.length
    for (const change of changes) void change.then(() => left--)
    for (let tries = 0; left > 0 && tries < 50; tries++) {
      await server.settle()
      await server.clock.move(1_000)
    }
    expect(left).toBe(0)
    expect(cut.size).toBe(4)
    const asked = server.asked.filter(({ method }) => method === 'room.role')
    expect(asked.length).toBeGreaterThan(1)
    expect(asked.map(({ params }) => params)).toEqual(asked.map(() => ({ conversation: 5, name: 'bob', role: 'owner' })))
    await me.close()
  })

  test('closes once what is sent is stored and what is done with is acknowledged', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    server.receive('one')
    const me = server.sealwire({ outbox })
    for await (const item of me.inbox()) {
      item.done()
      break
    }
    const sent = me.send('bob', 'last word')
    await me.close()
    expect([(await sent).seq, server.acked, await outbox.load(), me.state]).toEqual([1, 1, [], 'closed'])
  })

  test('says of what is said behind its end that it was not taken', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    await me.online()
    await me.close()
    expect(await rejectionOf(me.send('bob', 'too late'))).toBe('unreachable')
    expect(await outbox.load()).toEqual([])
  })

  test('takes nothing for a message that is none, as programs without types may give it', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    await me.online()
    for (const content of [{ text: 'hello' }, { text: 'hello', replyTo: 1 }, {}, 42, true, ['a'], new Date(0), null] as never[]) {
      expect(await me.send('bob', content).catch((reason: unknown) => reason)).toBeInstanceOf(TypeError)
    }
    expect(await outbox.load()).toEqual([])
    await me.close()
  })

  test('closes in its time although the server is silent, and keeps what is not sent', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    await me.online()
    server.refuse = () => 'silent'
    const [sent, asked] = [rejectionOf(me.send('bob', 'last word')), rejectionOf(me.call('directory.who', {}))]
    await settle()
    const closed = me.close()
    await server.clock.move(server.limits.clientCloseMsMax)
    await closed
    expect([await sent, await asked, (await outbox.load()).length]).toEqual(['connection_lost', 'connection_lost', 1])
  })

  test('is closed by a bug in what connects, and says which', async () => {
    const open = (): Promise<never> => Promise.reject(new TypeError('a bug'))
    const me = new Sealwire({ open, clock: new DeliveryServer().clock, outbox: new MemoryOutbox() })
    expect(await rejectionOf(me.online())).toBe('internal')
    expect([me.state, me.reason?.cause]).toEqual(['closed', new TypeError('a bug')])
  })
})

test('a blob is a source of its bytes, with its name or another', async () => {
  const blob = new Blob([Uint8Array.from({ length: 100 }, (_, each) => each)])
  expect(blobSource(blob)).toMatchObject({ name: 'file', size: 100 })
  expect(blobSource(new File([blob], 'a.bin')).name).toBe('a.bin')
  expect([...(await blobSource(blob).read(98, 2))]).toEqual([98, 99])
})
