import { describe, expect, test } from 'bun:test'
import { settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'
import { DeliveryServer } from './delivery-server.ts'

describe('inbox', () => {
  test('hands out what waits and what comes, as text, and acknowledges what is done with', async () => {
    const server = new DeliveryServer()
    server.receive('one')
    const me = server.sealwire()
    const inbox = me.inbox()
    const first = (await inbox.next()).value
    expect(first).toMatchObject({ position: 1, text: 'one', from: 'bob', id: '01010101-0101-0101-0101-010101010101' })
    await server.settle()
    expect(server.acked).toBe(0)
    const second = inbox.next()
    await server.settle()
    expect(server.acked).toBe(1)
    server.receive('two', { type: 'image/png' })
    expect((await second).value).toMatchObject({ position: 2, text: undefined, type: 'image/png' })
    ;(await second).value?.done()
    await server.settle()
    expect(server.acked).toBe(2)
    await me.close()
    expect(await inbox.next()).toEqual({ done: true, value: undefined })
  })

  test('is the same through lost connections: nothing twice, nothing missed, in order', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    const seen: string[] = []
    void (async () => {
      for await (const { text } of me.inbox()) seen.push(text ?? '')
    })()
    await me.online()
    for (let each = 0; each < 200; each++) {
      server.receive(`m${each}`)
      if (each % 3 === 0) await settle()
      if (each % 7 === 0) server.cut()
      await server.clock.move(250)
    }
    await server.clock.move(10_000)
    await server.settle()
    expect(seen).toEqual(Array.from({ length: 200 }, (_, each) => `m${each}`))
    expect(server.acked).toBe(200)
    expect(server.dials).toBeGreaterThan(20)
    await me.close()
  })

  test('gives what was not acknowledged to the next run, and to the next reader', async () => {
    const server = new DeliveryServer()
    for (const text of ['one', 'two', 'three']) server.receive(text)
    const first = server.sealwire()
    for await (const { text } of first.inbox()) if (text === 'two') break
    const again = first.inbox()
    expect((await again.next()).value).toMatchObject({ text: 'two' })
    await again.return?.()
    await first.close()
    expect(server.acked).toBe(1)
    const second = server.sealwire()
    const inbox = second.inbox()
    expect([(await inbox.next()).value?.text, (await inbox.next()).value?.text]).toEqual(['two', 'three'])
    await second.close()
  })

  test('begins behind the position that the program has stored', async () => {
    const server = new DeliveryServer()
    for (const text of ['one', 'two', 'three']) server.receive(text)
    const me = server.sealwire()
    expect((await me.inbox({ after: 2 }).next()).value).toMatchObject({ position: 3, text: 'three' })
    expect(server.acked).toBe(2)
    await me.close()
  })

  test('leaves out what was said on this very device', async () => {
    const server = new DeliveryServer()
    server.receive('mine', { from: 'alice', device: 'd1' })
    server.receive('mine elsewhere', { from: 'alice', device: 'd2' })
    server.receive('mine again', { from: 'alice', device: 'd1' })
    const me = server.sealwire()
    const inbox = me.inbox()
    expect((await inbox.next()).value).toMatchObject({ text: 'mine elsewhere' })
    const next = inbox.next()
    await server.settle()
    expect(server.acked).toBe(3)
    server.receive('yours')
    expect((await next).value).toMatchObject({ text: 'yours', position: 4 })
    await me.close()
  })

  test.each([
    ['messages', { clientInboxEntriesMax: 16 }, 1],
    ['bytes', { clientInboxBytesMax: 65_536 }, 65_536 / 32],
  ] as const)('keeps no more %s than its bound of a reader that is slow, and asks for the rest again', async (_what, limits, bytes) => {
    const server = new DeliveryServer(limits)
    for (let each = 0; each < 300; each++) server.receive(`m${each}`.padEnd(bytes))
    const me = server.sealwire()
    const seen: string[] = []
    for await (const { text } of me.inbox()) {
      seen.push(text?.trimEnd() ?? '')
      if (seen.length % 5 === 0) await settle()
      if (seen.length === 100) server.receive('m300')
      if (seen.length === 301) break
    }
    expect(seen).toEqual(Array.from({ length: 301 }, (_, each) => `m${each}`))
    expect(server.asked.filter(({ method }) => method === 'inbox.open').length).toBeGreaterThan(8)
    await me.close()
  })

  test('tells what left the inbox before it was read', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    for (const text of ['one', 'two', 'three', 'four']) server.receive(text)
    const lost: number[] = []
    const inbox = me.inbox({ after: 1, lost: (position) => lost.push(position) })
    server.lost = 3
    expect((await inbox.next()).value).toMatchObject({ text: 'four', position: 4 })
    expect(lost).toEqual([3])
    await me.close()
  })

  test('tells it also a run that names no place, once', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    for (const text of ['one', 'two', 'three', 'four']) server.receive(text)
    const lost: number[] = []
    const inbox = me.inbox({ lost: (position) => lost.push(position) })
    server.lost = 3
    expect((await inbox.next()).value).toMatchObject({ text: 'four', position: 4 })
    server.cut()
    await server.settle()
    await server.clock.move(500)
    server.receive('five')
    expect((await inbox.next()).value).toMatchObject({ text: 'five', position: 5 })
    expect(lost).toEqual([3])
    await me.close()
  })

  test.each([
    ['was lost', [3]],
    ['another program of this home has taken', []],
  ])('asks what has become of entries that do not come, and goes on behind them: what %s', async (how, told) => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    const lost: number[] = []
    const inbox = me.inbox({ lost: (position) => lost.push(position) })
    server.receive('one')
    expect((await inbox.next()).value).toMatchObject({ text: 'one', position: 1 })
    server.gone.add(2).add(3)
    if (how === 'was lost') server.lost = 3
    else server.acked = 3
    for (const text of ['two', 'three', 'four', 'five']) server.receive(text)
    const next = [inbox.next(), inbox.next()]
    await server.settle()
    server.receive('six')
    expect((await Promise.all([...next, inbox.next()])).map(({ value }) => value?.position)).toEqual([4, 5, 6])
    expect(lost).toEqual([...told])
    await me.close()
  })

  test('goes on where the server does not say what has become of an entry', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    const inbox = me.inbox()
    server.receive('one')
    expect((await inbox.next()).value).toMatchObject({ position: 1 })
    server.gone.add(2)
    for (const text of ['two', 'three']) server.receive(text)
    expect((await inbox.next()).value).toMatchObject({ position: 3 })
    await me.close()
  })

  test('of a server that was set back begins anew: what comes afterwards is not lost, and no place of before is acknowledged', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    const rewound: number[] = []
    const inbox = me.inbox({ rewound: (position) => rewound.push(position) })
    for (const text of ['one', 'two', 'three', 'four', 'five']) server.receive(text)
    const before = []
    for (let each = 0; each < 4; each++) before.push((await inbox.next()).value)
    await server.settle()
    expect(server.acked).toBe(3)
    // 'five' was read ahead, and is nowhere else any more.
    server.inbox.length = 2
    server.acked = 1
    server.cut()
    for (let each = 0; each < 10 && rewound.length === 0; each++) {
      await server.settle()
      await server.clock.move(5_000)
    }
    expect(rewound).toEqual([1])
    server.receive('another three')
    await server.settle()
    before[3]?.done()
    const after = []
    for (let each = 0; each < 3; each++) after.push((await inbox.next()).value)
    expect(after.map((item) => [item?.text, item?.position])).toEqual([
      ['five', 0],
      ['two', 2],
      ['another three', 3],
    ])
    before[2]?.done()
    await server.settle()
    expect(server.acked).toBe(2)
    const next = inbox.next()
    await server.settle()
    expect(server.acked).toBe(3)
    server.receive('another four')
    expect((await next).value).toMatchObject({ text: 'another four', position: 4 })
    await me.close()
  })

  test('begins anew where the program has stored more than there is', async () => {
    const server = new DeliveryServer()
    for (const text of ['one', 'two']) server.receive(text)
    const me = server.sealwire()
    const rewound: number[] = []
    const inbox = me.inbox({ after: 9, rewound: (position) => rewound.push(position) })
    expect((await inbox.next()).value).toMatchObject({ text: 'one', position: 1 })
    expect([rewound, server.dials]).toEqual([[0], 1])
    await me.close()
  })

  test('is read by one at a time, until its signal', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    const abort = new AbortController()
    const inbox = me.inbox({ signal: abort.signal })
    expect(() => me.inbox()).toThrow(TypeError)
    const waiting = inbox.next()
    abort.abort()
    expect(await waiting).toEqual({ done: true, value: undefined })
    server.receive('one')
    expect((await me.inbox().next()).value).toMatchObject({ text: 'one' })
    await me.close()
    expect(await rejectionOf(me.inbox().next())).toBeUndefined()
  })

  test.each([
    ['the same', 4, 1],
    ['another', 5, 2],
  ])('is asked for again on %s connection while the rate is used up %d times', async (_, times, dials) => {
    const server = new DeliveryServer()
    server.receive('one')
    let asked = 0
    server.refuse = (method) => (method === 'inbox.open' && asked++ < times ? 'rate_limited' : undefined)
    const me = server.sealwire()
    const next = me.inbox().next()
    for (let each = 0; each < 20; each++) {
      await server.settle()
      await server.clock.move(2_000)
    }
    expect((await next).value).toMatchObject({ text: 'one' })
    expect([asked, server.dials]).toEqual([times + 1, dials])
    await me.close()
  })

  test('of another installation begins anew', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    for (const text of ['one', 'two']) server.receive(text)
    const inbox = me.inbox()
    expect((await inbox.next()).value).toMatchObject({ text: 'one' })
    server.device = 'd2'
    server.inbox.length = 0
    server.acked = 0
    server.receive('other')
    server.cut()
    await server.settle()
    await server.clock.move(500)
    expect((await inbox.next()).value).toMatchObject({ text: 'other', position: 1 })
    await me.close()
  })
})
