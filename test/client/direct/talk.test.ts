import { describe, expect, test } from 'bun:test'
import { messageKey } from '../../../src/client/direct/heard.ts'
import { anyIdBytes } from '../../../src/client/outbox/message-id.ts'
import type { Limits } from '../../../src/protocol/index.ts'
import { paymentType } from '../../../src/protocol/contract/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { conversation } from './order-wires.ts'
import { type Device, type Process, World } from './order-world.ts'

describe('what is said directly', () => {
  test('is there before the server has it, and its copy only tells its place', async () => {
    const { world, a1, b1, b2 } = await linked()
    const [delivered, placed] = [taken(now(a1).talk.deliveries.read(undefined)), taken(now(b1).talk.placed.read(undefined))]
    a1.say()
    await flow(world, { server: false })
    expect(b1.gotten).toMatchObject([{ way: 'direct', position: 0 }])
    expect([world.server.log.length, a1.gotten, b2.gotten, delivered]).toEqual([0, [], [], []])
    now(b1).reader?.next()
    await flow(world, { server: false })
    expect(delivered).toMatchObject([{ id: id(1), name: 'bob', device: 'b1' }])
    expect(b1.heard.size).toBe(1)
    await flow(world)
    expect(b2.gotten).toMatchObject([{ way: 'relayed', position: 1 }])
    expect(b1.gotten).toHaveLength(1)
    expect(placed).toEqual([{ id: id(1), conversation, seq: 1, at: 1 }])
    expect([b1.heard.size, world.server.acked.get('b1')]).toEqual([0, 1])
  })

  test('has the same answerId whichever way it came, made of conversation, author and id', async () => {
    const { world, a1, b1, b2 } = await linked({}, { read: false })
    const items = [b1, b2].map((device) => now(device).inbox?.next())
    a1.say()
    await flow(world, { server: false })
    await flow(world)
    const [direct, relayed] = [await items[0], await items[1]]
    expect([direct?.value?.way, relayed?.value?.way]).toEqual(['direct', 'relayed'])
    expect(direct?.value).toMatchObject({ seq: 0, position: 0, from: 'alice', device: 'a1', text: 'a1 1', id: id(1) })
    expect(direct?.value?.answerId).toBe(relayed?.value?.answerId ?? '')
    expect(direct?.value?.answerId).toBe(messageKey({ conversation, from: 'ALICE', id: anyIdBytes(id(1)) }))
  })

  test('goes on both ways while one of the two has no server, and everybody has the same order in the end', async () => {
    const { world, a1, b1, b2 } = await linked()
    now(a1).cut()
    for (let each = 0; each < 20; each++) {
      const [speaker, hearer] = each % 3 === 0 ? [b1, a1] : [a1, b1]
      now(hearer).reader?.next()
      const before = hearer.gotten.length
      speaker.say()
      await flow(world)
      expect(hearer.gotten.slice(before)).toMatchObject([{ way: 'direct' }])
    }
    expect(b2.gotten).toHaveLength(7)
    now(a1).connect()
    await flow(world)
    expect(b2.gotten.map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, each) => each + 1))
    expect([a1.gotten.length, b1.gotten.length]).toEqual([7, 13])
  })

  test('is left to its copy where nobody reads, or no more is read ahead', async () => {
    const { world, a1, b1 } = await linked({ clientInboxEntriesMax: 1 })
    now(b1).stop()
    a1.say()
    await flow(world, { server: false })
    expect(world.refusals).toEqual(new Map([['busy', 1]]))
    now(b1).read()
    now(b1).reader?.next()
    await flow(world)
    a1.say()
    a1.say()
    await flow(world, { server: false })
    expect(world.refusals).toEqual(new Map([['busy', 2]]))
    for (let each = 0; each < 4; each++) {
      now(b1).reader?.next()
      await flow(world)
    }
    expect(b1.gotten.map(({ way, id: own }) => [way, own.slice(-1)])).toEqual([
      ['relayed', '1'],
      ['direct', '2'],
      ['relayed', '3'],
    ])
  })

  test('of a reader that goes is refused, and its copy comes to the next one', async () => {
    const { world, a1, b1 } = await linked()
    a1.say()
    a1.say()
    await flow(world, { server: false })
    expect(b1.gotten).toHaveLength(1)
    now(b1).stop()
    await flow(world, { server: false })
    expect(world.refusals).toEqual(new Map([['busy', 2]]))
    now(b1).read()
    await readAll(world, b1)
    expect(b1.gotten.map(({ way, id: own }) => [way, own.slice(-1)])).toEqual([
      ['direct', '1'],
      ['relayed', '1'],
      ['relayed', '2'],
    ])
  })

  test('is done with also behind the end of its reader: then it does not come again', async () => {
    const { world, a1, b1 } = await linked()
    const { reader } = now(b1)
    a1.say()
    await flow(world)
    now(b1).stop()
    reader?.done()
    now(b1).read()
    await readAll(world, b1)
    expect(b1.gotten).toHaveLength(1)
    expect([b1.heard.size, world.server.acked.get('b1')]).toEqual([0, 1])
  })

  test('comes again when a crash was quicker than the disk, and not when it was slower', async () => {
    const { world, a1, b1 } = await linked()
    for (const isKept of [false, true]) {
      a1.say()
      await flow(world, { server: false })
      now(b1).reader?.done()
      if (isKept) await flow(world, { server: false })
      now(b1).crash()
      b1.start()
      now(b1).read()
      now(b1).connect()
      await readAll(world, b1)
      world.link(now(a1), now(b1))
      await flow(world)
    }
    expect(b1.gotten.map(({ way, id: own }) => [way, own.slice(-1)])).toEqual([
      ['direct', '1'],
      ['relayed', '1'],
      ['direct', '2'],
    ])
  })

  test('on a full disk is told so, the next is left to its copy, and nothing comes twice', async () => {
    const { world, a1, b1 } = await linked()
    world.diskFull = 1
    for (let each = 0; each < 2; each++) {
      a1.say()
      await flow(world, { server: false })
      now(b1).reader?.next()
      await flow(world, { server: false })
    }
    expect(world.refusals).toEqual(new Map([['storage_full', 2]]))
    await flow(world)
    a1.say()
    await flow(world, { server: false })
    world.diskFull = 0
    await readAll(world, b1)
    expect(b1.gotten.map(({ way, id: own }) => [way, own.slice(-1)])).toEqual([
      ['direct', '1'],
      ['relayed', '2'],
      ['direct', '3'],
    ])
  })

  test('waits for what it comes behind, within bounds, and goes with its link', async () => {
    const { world, a1, b1 } = await linked({ directHeldMax: 2 })
    const [end] = now(a1).links
    const says = [1, 2, 3].map((each) => rejectionOf(end?.request('direct.say', words({ each, seq: 9 })) ?? Promise.resolve()))
    await flow(world)
    expect(await says[2]).toBe('busy')
    expect(b1.gotten).toEqual([])
    end?.end()
    await flow(world)
    expect([await says[0], await says[1]]).toEqual(['connection_lost', 'connection_lost'])
    expect(world.refusals).toEqual(
      new Map([
        ['busy', 1],
        ['connection_lost', 2],
      ]),
    )
  })

  test('waits within a bound of bytes, of all links together', async () => {
    const { world, a1, b1 } = await linked({ directHeldBytesMax: 65_536 })
    world.link(now(a1), now(b1))
    await flow(world)
    const [end, other] = now(a1).links
    const say = async (link: typeof end, each: number, bytes: number) => {
      const held = rejectionOf(
        link?.request('direct.say', words({ each, seq: 9, more: { body: new Uint8Array(bytes) } })) ?? Promise.resolve(),
      )
      await flow(world)
      return held
    }
    const first = say(end, 1, 40_000)
    await flow(world)
    const second = say(other, 2, 25_536)
    await flow(world)
    expect([await say(end, 3, 1), await say(other, 4, 1)]).toEqual(['busy', 'busy'])
    end?.end()
    await flow(world)
    const third = say(other, 5, 40_000)
    await flow(world)
    expect([await first, await say(other, 6, 1)]).toEqual(['connection_lost', 'busy'])
    other?.end()
    expect([await second, await third]).toEqual(['connection_lost', 'connection_lost'])
  })

  test('that is held is refused when its copy comes, and handed out when what it waits for comes', async () => {
    const { world, a1, b1 } = await linked()
    const [end] = now(a1).links
    a1.say()
    await flow(world, { server: false })
    const late = end?.request('direct.say', words({ each: 7, seq: 1 }))
    await flow(world, { server: false })
    expect(b1.gotten).toHaveLength(1)
    await readAll(world, b1)
    await late
    expect(b1.gotten.map(({ way, id: own }) => [way, own.slice(-1)])).toEqual([
      ['direct', '1'],
      ['direct', '7'],
    ])
    const own = rejectionOf(end?.request('direct.say', words({ each: 2, seq: 8 })) ?? Promise.resolve())
    await flow(world)
    a1.say()
    await readAll(world, b1)
    expect(await own).toBe('conflict')
    expect(b1.gotten.slice(2)).toMatchObject([{ way: 'relayed', position: 2 }])
  })

  test('may be nothing but a message of the two', async () => {
    const { world, a1, b1 } = await linked()
    const [end] = now(a1).links
    const bad = [
      words({ each: 1, more: { conversation: 8 } }),
      words({ each: 2, more: { type: paymentType } }),
      words({ each: 3, more: { type: `${paymentType.toUpperCase()} ; a=b` } }),
    ]
    const codes = bad.map((each) => rejectionOf(end?.request('direct.say', each) ?? Promise.resolve()))
    const good = end?.request('direct.say', words({ each: 4, more: { replyTo: 3, mentions: ['bob'] } }))
    const twice = rejectionOf(end?.request('direct.say', words({ each: 4 })) ?? Promise.resolve())
    await readAll(world, b1)
    expect(await Promise.all(codes)).toEqual(['not_permitted', 'not_permitted', 'not_permitted'])
    expect([await good, await twice]).toEqual([{}, 'conflict'])
    expect(b1.gotten).toHaveLength(1)
  })
})

describe('who says something', () => {
  test('says no more than a window over a link, and goes on when the server has what was left out', async () => {
    const { world, a1, b1 } = await linked({ directSaysMax: 2 })
    for (let each = 0; each < 4; each++) a1.say()
    await flow(world, { server: false })
    now(b1).reader?.next()
    await flow(world, { server: false })
    a1.say()
    await flow(world, { server: false })
    await readAll(world, b1)
    a1.say()
    await flow(world, { server: false })
    await readAll(world, b1)
    expect(b1.gotten.map(({ way }) => way)).toEqual(['direct', 'direct', 'relayed', 'relayed', 'relayed', 'direct'])
  })

  test('says nothing under an id that somebody may have already', async () => {
    const { world, a1, b1 } = await linked()
    const message = { to: 'bob', id: anyIdBytes(id(90)), body: new Uint8Array() }
    void now(a1).outbox.send(id(90), message, { isFresh: false })
    await flow(world, { server: false })
    expect(b1.gotten).toEqual([])
    await readAll(world, b1)
    expect(b1.gotten).toMatchObject([{ way: 'relayed', position: 1 }])
  })

  test('says nothing with a file, and nothing of an earlier run', async () => {
    const { world, a1, b1 } = await linked()
    const file = { id: anyIdBytes(id(90)), body: new Uint8Array(), file: anyIdBytes(id(91)) }
    void now(a1).outbox.send(id(90), { to: 'bob', ...file }, {})
    await flow(world, { server: false })
    expect(b1.gotten).toEqual([])
    await flow(world)
    now(a1).cut()
    now(a1).links.clear()
    a1.say()
    await flow(world, { server: false })
    now(a1).crash()
    a1.start()
    now(a1).connect()
    world.link(now(a1), now(b1))
    await readAll(world, b1)
    expect(b1.gotten.map(({ way }) => way)).toEqual(['relayed', 'relayed'])
  })

  test('cannot call back what was said', async () => {
    const { world, a1 } = await linked()
    now(a1).cut()
    const abort = new AbortController()
    const message = { id: anyIdBytes(id(90)), body: new Uint8Array() }
    const sent = rejectionOf(now(a1).outbox.send(id(90), { to: 'bob', ...message }, { signal: abort.signal }))
    await flow(world)
    abort.abort()
    expect(await sent).toBe('unknown_outcome')
  })

  test('has one order for a name and the number of its conversation', async () => {
    const { world, a1 } = await linked()
    for (const [each, to] of [{ to: 'Bob' }, { conversation }, { to: 'bob' }, { conversation }].entries()) {
      void now(a1).outbox.send(id(each), { ...to, id: anyIdBytes(id(each)), body: new Uint8Array() }, {})
      await flow(world, { server: false })
    }
    expect(now(a1).session?.up.isEmpty).toBe(false)
    now(a1).session?.up.step()
    expect(now(a1).session?.up.isEmpty).toBe(true)
  })
})

interface People {
  readonly world: World
  readonly a1: Device
  readonly b1: Device
  readonly b2: Device
}

/** alice on a1 and bob on b1 have a link; bob's b2 reads along. */
async function linked(limits: Partial<Limits> = {}, { read = true } = {}): Promise<People> {
  const world = new World(() => 0.5, resolveLimits(limits))
  const [a1, , b1, b2] = world.devices
  if (a1 === undefined || b1 === undefined || b2 === undefined) throw new TypeError('somebody is missing')
  for (const device of [a1, b1, b2]) {
    device.start()
    now(device).connect()
    now(device).read()
    if (read) now(device).reader?.next()
    else now(device).reader = undefined
  }
  await flow(world)
  world.link(now(a1), now(b1))
  await flow(world)
  return { world, a1, b1, b2 }
}

function now({ process }: Device): Process {
  if (process === undefined) throw new TypeError('the program does not run')
  return process
}

/** Everything arrives; without the server what goes there, and comes from there, does not. a1 and b2 read on. */
async function flow(world: World, { server = true } = {}): Promise<void> {
  for (let quiet = 0; quiet < 4; quiet++) {
    for (const { process, name } of world.devices) {
      if (name !== 'b1' && process?.inbox !== undefined) process.reader?.next()
      const channels = process?.channels ?? []
      for (const channel of server ? channels : channels.slice(0, -2)) {
        if (!channel.isEmpty) quiet = 0
        channel.step()
      }
    }
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
}

/** Everything arrives, and somebody reads all of it. */
async function readAll(world: World, device: Device): Promise<void> {
  for (let each = 0; each < 10; each++) {
    now(device).reader?.next()
    await flow(world)
  }
}

/** The id that `a1` gives to its message of this number. */
function id(each: number): string {
  const bytes = new Uint8Array(16)
  bytes.set([0x70, 0, 0x80], 6)
  new DataView(bytes.buffer).setUint16(4, 1_000 + each)
  bytes.set([0x80, 0, 0, 0, 0, '1'.charCodeAt(0), 'a'.charCodeAt(0), each], 8)
  return bytes.reduce((text, byte, at) => `${text}${[4, 6, 8, 10].includes(at) ? '-' : ''}${byte.toString(16).padStart(2, '0')}`, '')
}

function words({ each, seq = 0, more = {} }: { each: number; seq?: number; more?: object }): never {
  return { conversation, id: anyIdBytes(id(each)), body: new Uint8Array(), at: 1, behind: { seq }, ...more } as never
}

function taken<T>(values: AsyncIterableIterator<T>): T[] {
  const all: T[] = []
  void (async () => {
    for await (const value of values) all.push(value)
  })()
  return all
}
