import { describe, expect, test } from 'bun:test'
import { MemoryOutbox, newMessageId, type OutboxStore, type Sealwire } from '../../src/client/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'
import { DeliveryServer, textsOf } from './delivery-server.ts'

const id = () => newMessageId(1_000, (bytes) => crypto.getRandomValues(bytes))

describe('send', () => {
  test('resolves with the place of what is stored, and leaves nothing behind', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    const own = id()
    expect(await me.send('bob', 'hello', { id: own.toUpperCase() })).toEqual({ id: own, conversation: 1, seq: 1, at: 1 })
    const parts = { body: new Uint8Array([1, 2]), type: 'image/png', replyTo: 3, mentions: ['carol'] }
    expect(await me.send(7, parts)).toMatchObject({ conversation: 7, seq: 2 })
    expect(server.stored).toMatchObject([{ to: 'bob' }, { conversation: 7, ...parts }])
    expect(await outbox.load()).toEqual([])
    await me.close()
  })

  test('keeps the order of a conversation, and each message once, whatever is lost or refused in between', async () => {
    const server = new DeliveryServer()
    const me = server.sealwire()
    let asked = 0
    server.refuse = (method) => {
      if (method !== 'message.send') return undefined
      asked++
      if (asked % 13 === 0) return 'cut'
      if (asked % 7 === 0) return 'rate_limited'
      return asked % 11 === 0 ? 'unknown_outcome' : undefined
    }
    const said = Array.from({ length: 100 }, (_, each) => `m${each}`)
    const sent = Promise.all(said.flatMap((text) => [me.send('bob', text), me.send(9, text)]))
    let isDone = false
    void sent.then(() => (isDone = true))
    while (!isDone) await server.clock.move(500)
    const inOrder = (await sent).map(({ conversation }) => conversation)
    expect(inOrder).toEqual(said.flatMap(() => [1, 9]))
    expect(textsOf(server.stored.filter(({ to }) => to === 'bob'))).toEqual(said)
    expect(textsOf(server.stored.filter(({ conversation }) => conversation === 9))).toEqual(said)
    await me.close()
  })

  test('keeps the order in which it was said, whichever the store has kept first, and goes on behind what it cannot keep', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const adds: PromiseWithResolvers<void>[] = []
    const add: OutboxStore['add'] = (entry) => {
      const done = Promise.withResolvers<void>()
      adds.push(done)
      return done.promise.then(() => outbox.add(entry))
    }
    const me = server.sealwire({ outbox: { ...methodsOf(outbox), add } })
    const said = ['one', 'two', 'three', 'four'].map((text) => me.send('bob', text))
    const refused = rejectionOf(said[2] ?? Promise.resolve())
    await settle()
    adds[3]?.resolve()
    adds[1]?.resolve()
    adds[2]?.reject(new SealwireError('storage_full', 'no room'))
    await server.settle()
    expect(server.stored).toEqual([])
    adds[0]?.resolve()
    expect([(await said[0])?.seq, (await said[1])?.seq, await refused, (await said[3])?.seq]).toEqual([1, 2, 'storage_full', 3])
    expect(textsOf(server.stored)).toEqual(['one', 'two', 'four'])
    await me.close()
  })

  test('waits in its own conversation alone for a store that does not answer, takes its room until then, and goes on when it is given up', async () => {
    const server = new DeliveryServer({ outboxEntriesMax: 4 })
    const outbox = new MemoryOutbox()
    const never = new Promise<void>(() => {})
    let adds = 0
    const add: OutboxStore['add'] = (entry) => (++adds <= 2 ? never : outbox.add(entry))
    const me = server.sealwire({ outbox: { ...methodsOf(outbox), add } })
    const abort = new AbortController()
    const hanging = ['one', 'two'].map((text) => rejectionOf(me.send('bob', text, { signal: abort.signal })))
    const behind = me.send('bob', 'three')
    expect(await me.send('carol', 'hello')).toMatchObject({ seq: 1 })
    expect(server.stored).toHaveLength(1)
    abort.abort()
    expect([await Promise.all(hanging), await behind]).toMatchObject([['unreachable', 'unreachable'], { seq: 2 }])
    adds = 0
    const more = ['four', 'five'].map((text) => rejectionOf(me.send('bob', text, { signal: abort.signal })))
    expect(await Promise.all(more)).toEqual(['unreachable', 'unreachable'])
    const others = ['four', 'five'].map((text) => rejectionOf(me.send('bob', text)))
    await server.settle()
    expect(await rejectionOf(me.send('carol', 'six'))).toBe('busy')
    const closed = me.close()
    await server.clock.move(server.limits.clientCloseMsMax)
    await server.clock.move(server.limits.clientGoodbyeMsMax)
    await closed
    expect(await Promise.all(others)).toEqual(['unknown_outcome', 'unknown_outcome'])
  })

  test('closed while the store is about to refuse it is told so', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const outbox = new MemoryOutbox()
    const kept = Promise.withResolvers<void>()
    const me = server.sealwire({ outbox: { ...methodsOf(outbox), add: () => kept.promise } })
    const sent = rejectionOf(me.send('bob', 'hello'))
    await settle()
    const closed = me.close()
    await server.clock.move(server.limits.clientCloseMsMax)
    kept.reject(new SealwireError('storage_full', 'no room'))
    await closed
    expect(await sent).toBe('storage_full')
  })

  test('can be sent again under its id after a store that throws', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    let adds = 0
    const add: OutboxStore['add'] = (entry) => {
      if (++adds === 1) throw new SealwireError('storage_full', 'no room')
      return outbox.add(entry)
    }
    const me = server.sealwire({ outbox: { ...methodsOf(outbox), add } })
    const own = id()
    expect(await rejectionOf(me.send('bob', 'hello', { id: own }))).toBe('storage_full')
    expect(await me.send('bob', 'hello', { id: own })).toMatchObject({ id: own, seq: 1 })
    await me.close()
  })

  test('is refused for good with what the server says, and those behind go on', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    let first = true
    server.refuse = () => {
      const refusal = first ? ('not_contact' as const) : undefined
      first = false
      return refusal
    }
    const [refused, stored] = [rejectionOf(me.send('bob', 'one')), me.send('bob', 'two')]
    expect([await refused, (await stored).seq]).toEqual(['not_contact', 1])
    expect(await outbox.load()).toEqual([])
    server.refuse = () => 'internal'
    const poison = rejectionOf(me.send('bob', 'three'))
    for (let each = 0; each < 10; each++) {
      await server.clock.move(30_000)
      await server.settle()
    }
    expect(await poison).toBe('internal')
    server.refuse = () => undefined
    expect(await rejectionOf(me.send('bob', 'x'.repeat(60_001)))).toBe('message_too_large')
    expect(me.send('bob', 'hi', { id: 'one' })).rejects.toThrow(TypeError)
    await me.close()
    expect(await rejectionOf(me.send('bob', 'late'))).toBe('unreachable')
  })

  test('of the same id twice is one message; of another content it is a conflict', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const me = server.sealwire()
    const own = id()
    const both = [me.send('bob', 'hello', { id: own }), me.send('bob', 'hello', { id: own })]
    expect(await rejectionOf(me.send('bob', 'other', { id: own }))).toBe('conflict')
    server.refuseDial = undefined
    me.wake()
    await server.clock.move(500)
    expect(await Promise.all(both)).toEqual([
      { id: own, conversation: 1, seq: 1, at: 1 },
      { id: own, conversation: 1, seq: 1, at: 1 },
    ])
    expect(server.stored).toHaveLength(1)
    await me.close()
  })

  test('closed in the same moment is kept all the same', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const outbox = new MemoryOutbox()
    const read = Promise.withResolvers<void>()
    const slow = { ...methodsOf(outbox), load: () => read.promise.then(() => outbox.load()) }
    const me = server.sealwire({ outbox: slow })
    const sent = rejectionOf(me.send('bob', 'hello'))
    const closed = me.close()
    await server.clock.move(server.limits.clientCloseMsMax)
    read.resolve()
    await closed
    expect(await sent).toBe('connection_lost')
    expect(await outbox.load()).toHaveLength(1)
  })

  test('given up leaves nothing behind, and says whether it may have been stored', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    const abort = new AbortController()
    const never = rejectionOf(me.send('bob', 'one', { signal: abort.signal }))
    await settle()
    abort.abort()
    expect([await never, await rejectionOf(me.send('bob', 'two', { signal: abort.signal })), await outbox.load()]).toEqual([
      'unreachable',
      'unreachable',
      [],
    ])
    server.refuseDial = undefined
    await server.clock.move(500)
    await me.online()
    server.refuse = () => 'silent'
    const later = new AbortController()
    const maybe = rejectionOf(me.send('bob', 'three', { signal: later.signal }))
    await server.settle()
    later.abort()
    expect([await maybe, await outbox.load()]).toEqual(['unknown_outcome', []])
    server.refuse = () => undefined
    expect(await me.send('bob', 'four')).toMatchObject({ seq: 1 })
    await me.close()
  })

  test('waits for room in an outbox that is bounded', async () => {
    const server = new DeliveryServer({ outboxEntriesMax: 2 })
    server.refuseDial = 'unreachable'
    const me = server.sealwire()
    const sent = [me.send('bob', 'one'), me.send('bob', 'two')]
    expect(await rejectionOf(me.send('bob', 'three'))).toBe('busy')
    server.refuseDial = undefined
    await server.clock.move(500)
    await Promise.all(sent)
    expect(await me.send('bob', 'three')).toMatchObject({ seq: 3 })
    await me.close()
  })

  test('waits for room in bytes, to the last one', async () => {
    const server = new DeliveryServer({ outboxBytesMax: 65_536 })
    server.refuseDial = 'unreachable'
    const outbox = new MemoryOutbox()
    const me = server.sealwire({ outbox })
    const sent = [me.send('bob', 'x'.repeat(60_000))]
    await server.settle()
    const [kept] = await outbox.load()
    const room = 65_536 - (kept?.params.length ?? 0)
    const around = (kept?.params.length ?? 0) - 60_000
    expect(await rejectionOf(me.send('bob', 'y'.repeat(room - around + 1)))).toBe('busy')
    sent.push(me.send('bob', 'y'.repeat(room - around)))
    expect(await rejectionOf(me.send('bob', 'z'))).toBe('busy')
    server.refuseDial = undefined
    await server.clock.move(500)
    await Promise.all(sent)
    expect(await me.send('bob', 'z')).toMatchObject({ seq: 3 })
    await me.close()
  })

  test.each(['lost with its connection', 'not known to the server'])('is not called unsent when its answer was %s', async (how) => {
    const server = new DeliveryServer()
    const me = server.sealwire({ outbox: new MemoryOutbox() })
    await me.send('bob', 'first')
    server.refuse = (method) => {
      if (method !== 'message.send') return undefined
      server.refuseDial = 'unreachable'
      return how === 'lost with its connection' ? 'cut' : 'unknown_outcome'
    }
    const abort = new AbortController()
    const sent = rejectionOf(me.send('bob', 'second', { signal: abort.signal }))
    await server.settle()
    abort.abort()
    expect(await sent).toBe('unknown_outcome')
    await me.close()
  })

  test('given up while a store adds it is not left there', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const { promise: mayAdd, resolve: add } = Promise.withResolvers<void>()
    const slow: OutboxStore = { ...methodsOf(outbox), add: (entry) => mayAdd.then(() => outbox.add(entry)) }
    server.refuseDial = 'unreachable'
    const me = server.sealwire({ outbox: slow, patient: true })
    const abort = new AbortController()
    const sent = rejectionOf(me.send('bob', 'one', { signal: abort.signal }))
    await server.settle()
    abort.abort()
    expect(await sent).toBe('unreachable')
    add()
    await server.settle()
    expect(await outbox.load()).toEqual([])
    await me.close()
  })

  test('survives the end of the program: the next run sends first what was left', async () => {
    const server = new DeliveryServer()
    server.refuseDial = 'unreachable'
    const outbox = new MemoryOutbox()
    const first = server.sealwire({ outbox })
    const left = rejectionOf(first.send('bob', 'one'))
    const own = id()
    const alsoLeft = rejectionOf(first.send('bob', 'two', { id: own }))
    await server.settle()
    const closed = first.close()
    await server.clock.move(5_000)
    await closed
    expect([await left, await alsoLeft]).toEqual(['connection_lost', 'connection_lost'])
    server.refuseDial = undefined
    const second = server.sealwire({ outbox })
    expect(await second.send('bob', 'two', { id: own })).toMatchObject({ seq: 2 })
    await second.send('bob', 'three')
    expect(textsOf(server.stored)).toEqual(['one', 'two', 'three'])
    await second.close()
  })

  test('of an earlier run that is refused is told to who reads failures, and is kept until then', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const second = await refusedBehind(server, outbox, ['one'])
    await server.settle()
    expect(await outbox.load()).toHaveLength(1)
    const failure = (await second.failures().next()).value
    expect(failure).toMatchObject({ params: { to: 'bob' }, reason: { code: 'not_contact' } })
    await server.settle()
    expect(await outbox.load()).toEqual([])
    await second.close()
  })

  test('of an earlier run that is refused is told to the next reader, or run, unless one has taken it', async () => {
    const server = new DeliveryServer()
    const outbox = new MemoryOutbox()
    const second = await refusedBehind(server, outbox, ['one', 'two', 'three'])
    // One reader is there when they are refused, and takes one of them; the next one takes another.
    for (const left of [2, 1]) {
      for await (const failure of second.failures()) {
        expect(failure.reason.code).toBe('not_contact')
        break
      }
      await server.settle()
      expect(await outbox.load()).toHaveLength(left)
    }
    await second.close()
    const third = server.sealwire({ outbox })
    const { value } = await third.failures().next()
    expect(value).toMatchObject({ reason: { code: 'not_contact' } })
    await server.settle()
    expect(await outbox.load()).toEqual([])
    await third.close()
  })
})

function methodsOf(outbox: MemoryOutbox): OutboxStore {
  return {
    load: () => outbox.load(),
    add: (entry) => outbox.add(entry),
    remove: (entry) => outbox.remove(entry),
    [Symbol.asyncDispose]: () => outbox[Symbol.asyncDispose](),
  }
}

/** A run behind one that could send none of these, which the server refuses now. */
async function refusedBehind(server: DeliveryServer, outbox: MemoryOutbox, texts: readonly string[]): Promise<Sealwire> {
  server.refuseDial = 'unreachable'
  const first = server.sealwire({ outbox })
  for (const text of texts) void rejectionOf(first.send('bob', text))
  await server.settle()
  const closed = first.close()
  await server.clock.move(5_000)
  await closed
  server.refuseDial = undefined
  server.refuse = () => 'not_contact'
  return server.sealwire({ outbox })
}
