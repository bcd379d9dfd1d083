import { describe, expect, test } from 'bun:test'
import { type ClientOptions, connect } from '../../src/client/index.ts'
import type { DialledLink } from '../../src/link/index.ts'
import { encodeFrame, SealwireError } from '../../src/protocol/index.ts'
import { contractCommands, encodeCbor, encodeFault, encodeWelcome } from '../../src/protocol/contract/index.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'
import { ClientStage, welcome } from './scripted-server.ts'

describe('connect', () => {
  test('says which version it speaks and who it is, and resolves with what the server answers', async () => {
    const stage = new ClientStage()
    const connected = stage.connect({ name: 'test 1.0' })
    expect(await stage.server.hello()).toEqual({ versions: [1], client: 'test 1.0' })
    stage.server.welcome({ features: ['registration-open'] })
    expect((await connected).welcome).toEqual({ ...welcome, features: ['registration-open'] })
    expect(stage.clock.timers).toBe(0)
  })

  test('is refused with the code and the sentence of the server', async () => {
    const stage = new ClientStage()
    const connected = stage.connect()
    await stage.server.hello()
    stage.server.fault(null, 'version_unsupported', `only version 2${'.'.repeat(1000)}`)
    const error: unknown = await connected.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'version_unsupported' })
    expect((error as SealwireError).sentence).toStartWith('only version 2.')
    expect((error as SealwireError).sentence).toHaveLength(256)
    expect(await stage.server.ended()).not.toBe('closed')
  })

  test.each([
    ['an event', encodeFrame(contractCommands.event, encodeCbor(['presence.changed', { name: 'bob', here: false }])), 'unexpected'],
    ['an answer of the classic dialect', encodeFrame(0x05, Buffer.from('FAIL')), 'unexpected'],
    ['a welcome that is none', encodeFrame(contractCommands.welcome, encodeCbor({ version: 1 })), 'malformed'],
    [
      'a version that it was not offered',
      encodeFrame(contractCommands.welcome, encodeWelcome({ ...welcome, version: 2 })),
      'version_unsupported',
    ],
    ['what is no frame', Buffer.from('HTTP/1.1 400 Bad Request'), 'bad_magic'],
  ] as const)('is over when the server begins with %s', async (_what, bytes, code) => {
    const stage = new ClientStage()
    const connected = rejectionOf(stage.connect())
    await stage.server.hello()
    stage.server.raw(bytes)
    expect(await connected).toBe(code)
    expect(await stage.server.ended()).toBe('reset')
  })

  test('is over when the server ends or does not answer', async () => {
    const ending = new ClientStage()
    const ended = rejectionOf(ending.connect())
    await ending.server.hello()
    ending.far.close()
    expect(await ended).toBe('connection_lost')
    for (const [options, limits] of [
      [{ requestMsMax: 5_000 }, {}],
      [{}, { clientRequestMsMax: 5_000 }],
    ] as const) {
      const mute = new ClientStage(limits)
      const unanswered = rejectionOf(mute.connect(options))
      await mute.server.hello()
      await mute.clock.move(4_999)
      expect(mute.near.open).toBe(true)
      await mute.clock.move(1)
      expect([await unanswered, mute.near.open]).toEqual(['unreachable', false])
    }
  })

  test('is given up by its signal before, while and after it dials', async () => {
    const before = new ClientStage()
    expect(await rejectionOf(before.connect({ signal: AbortSignal.abort() }))).toBe('unreachable')
    expect(before.dials).toBe(0)

    const whileDialling = new ClientStage()
    const abort = new AbortController()
    const dialled = Promise.withResolvers<DialledLink>()
    const parts = { dial: () => dialled.promise, clock: whileDialling.clock }
    const connected = rejectionOf(connect({ signal: abort.signal }, parts))
    abort.abort()
    dialled.resolve(whileDialling.near)
    expect([await connected, whileDialling.near.open]).toEqual(['unreachable', false])

    const greeting = new ClientStage()
    const later = new AbortController()
    const greeted = rejectionOf(greeting.connect({ signal: later.signal }))
    await greeting.server.hello()
    later.abort()
    expect([await greeted, greeting.near.open, greeting.clock.timers]).toEqual(['unreachable', false, 0])
  })

  test('outlives its signal once it is welcomed', async () => {
    const stage = new ClientStage()
    const abort = new AbortController()
    const connected = stage.connect({ signal: abort.signal })
    await stage.server.hello()
    stage.server.welcome()
    await connected
    abort.abort()
    await settle()
    expect(stage.near.open).toBe(true)
  })

  test('hands on what the dialler says, and gives everything else a code', async () => {
    const clock = new ManualClock()
    const untrusted = new SealwireError('untrusted', 'another key')
    expect(await connect({}, { dial: () => Promise.reject(untrusted), clock }).catch((reason: unknown) => reason)).toBe(untrusted)
    const odd = new RangeError('odd')
    const error: unknown = await connect({}, { dial: () => Promise.reject(odd), clock }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'unreachable', cause: odd })
  })

  test.each([{ name: 'x'.repeat(65) }, { requestMsMax: 0 }, { requestMsMax: 1.5 }, { requestMsMax: Number.POSITIVE_INFINITY }])(
    'takes %p for misuse and does not dial',
    async (options: ClientOptions) => {
      const stage = new ClientStage()
      expect(await stage.connect(options).catch((reason: unknown) => reason)).toBeInstanceOf(TypeError)
      expect(stage.dials).toBe(0)
    },
  )

  test('misses nothing that comes in one read with the welcome', async () => {
    const stage = new ClientStage()
    const connected = stage.connect()
    await stage.server.hello()
    const stopping = encodeFault({ id: null, code: 'stopping', sentence: 'the server is stopping' })
    const both = [encodeFrame(contractCommands.welcome, encodeWelcome(welcome)), encodeFrame(contractCommands.fault, stopping)]
    stage.server.raw(Buffer.concat(both))
    expect(await (await connected).closed).toMatchObject({ code: 'stopping' })
  })
})

describe('the end', () => {
  test('drain waits for what is open, takes nothing new, and says goodbye', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = client.request('session.ping', {})
    const { id } = await stage.server.request()
    const drained = client.drain()
    const again = client.drain()
    expect(await rejectionOf(client.request('session.ping', {}))).toBe('connection_lost')
    await settle()
    expect(stage.server.frames).toEqual([])
    stage.server.answer(id, 'session.ping', { time: 7 })
    expect(await open).toEqual({ time: 7 })
    await stage.server.goodbye()
    await Promise.all([drained, again])
    expect([await client.closed, await stage.server.ended()]).toEqual([undefined, 'closed'])
    expect(stage.clock.timers).toBe(0)
  })

  test('drain waits for the goodbye of the server no longer than clientGoodbyeMsMax', async () => {
    const stage = new ClientStage({ clientGoodbyeMsMax: 2_000 })
    const client = await stage.client()
    const drained = client.drain()
    await stage.server.next(contractCommands.goodbye)
    await stage.clock.move(1_999)
    expect(stage.near.open).toBe(true)
    await stage.clock.move(1)
    await drained
    expect([await client.closed, stage.near.open]).toEqual([undefined, false])
  })

  test('drain waits for what is open no longer than it is told', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    await stage.server.request()
    const drained = client.drain({ answersMsMax: 500 })
    await stage.clock.move(499)
    expect(stage.near.open).toBe(true)
    await stage.clock.move(1)
    await drained
    expect([await open, await client.closed, stage.clock.timers]).toEqual(['connection_lost', undefined, 0])
  })

  test('an end without a goodbye is fine after our own', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const drained = client.drain()
    await stage.server.next(contractCommands.goodbye)
    stage.far.terminate()
    await drained
    expect(await client.closed).toBeUndefined()
  })

  test('drain resolves also when the connection is lost meanwhile, and closed says so', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    const drained = client.drain()
    await stage.server.request()
    stage.far.terminate()
    await drained
    expect([await open, (await client.closed)?.code]).toEqual(['connection_lost', 'connection_lost'])
    expect(stage.clock.timers).toBe(0)
  })

  test('close ends at once', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    client.close()
    client.close()
    expect([stage.near.open, await open, await client.closed]).toEqual([false, 'connection_lost', undefined])
    expect(await rejectionOf(client.request('session.ping', {}))).toBe('connection_lost')
    expect(stage.clock.timers).toBe(0)
    await client.drain()
  })

  test('a client that goes out of scope drains', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const scope = (async () => {
      await using _client = client
    })()
    await stage.server.goodbye()
    await scope
    expect([await client.closed, await stage.server.ended()]).toEqual([undefined, 'closed'])
  })

  test('a fault without an id ends everything with its code', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    await stage.server.request()
    stage.server.fault(null, 'session_ended')
    expect([await open, (await client.closed)?.code]).toEqual(['session_ended', 'session_ended'])
    expect(await rejectionOf(client.request('session.ping', {}))).toBe('session_ended')
    await stage.server.ended()
  })

  test('the goodbye of a server is answered', async () => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    await stage.server.request()
    stage.server.say(contractCommands.goodbye, encodeCbor({}))
    await stage.server.goodbye()
    expect([await open, (await client.closed)?.code]).toEqual(['session_ended', 'session_ended'])
  })

  test.each(['close', 'terminate'] as const)('a server that is gone without a word is lost: %s', async (how) => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    await stage.server.request()
    stage.far[how]()
    expect([await open, (await client.closed)?.code]).toEqual(['connection_lost', 'connection_lost'])
  })

  test.each([
    ['answers what nobody had asked', encodeFrame(contractCommands.result, encodeCbor([9, {}])), 'unexpected'],
    [
      'refuses what nobody had asked',
      encodeFrame(contractCommands.fault, encodeFault({ id: 9, code: 'busy', sentence: '' })),
      'unexpected',
    ],
    ['sends a result that cannot be read', encodeFrame(contractCommands.result, Buffer.from([0xff])), 'malformed'],
    ['sends a result of another method', encodeFrame(contractCommands.result, encodeCbor([1, { data: 1 }])), 'malformed'],
    [
      'sends an event that cannot be read',
      encodeFrame(contractCommands.event, encodeCbor(['presence.changed', { name: 1, here: true }])),
      'malformed',
    ],
    ['asks', encodeFrame(contractCommands.request, encodeCbor([1, 'session.ping', {}])), 'unexpected'],
    ['welcomes twice', encodeFrame(contractCommands.welcome, encodeWelcome(welcome)), 'unexpected'],
    ['speaks the classic dialect', encodeFrame(0x04, Buffer.from('OK')), 'unexpected'],
    ['sends no frames', Buffer.alloc(16), 'bad_magic'],
  ] as const)('a server that %s is left', async (_what, bytes, code) => {
    const stage = new ClientStage()
    const client = await stage.client()
    const open = rejectionOf(client.request('session.ping', {}))
    await stage.server.request()
    stage.server.raw(bytes)
    expect([await open, (await client.closed)?.code, stage.near.open]).toEqual([code, code, false])
    expect(await stage.server.ended()).toBe('reset')
  })
})
