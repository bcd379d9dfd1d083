import { describe, expect, test } from 'bun:test'
import {
  contractCommands,
  encodeCbor,
  encodeWelcome,
  goodbyeBody,
  parseFault,
  parseRequest,
  parseResult,
} from '../../../src/protocol/contract/index.ts'
import { encodeFrame, SealwireError } from '../../../src/protocol/index.ts'
import { settle } from '../../support/manual-clock.ts'
import { answered, asked, faulted, hello, PeerStage } from '../../support/peer-links.ts'
import { someMessage } from '../../support/peer-says.ts'
import { makePeers } from '../../support/peers.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { type ScriptedServer, welcome } from '../scripted-server.ts'

const peers = await makePeers()
const { request, result, fault } = contractCommands
const frame = encodeFrame

describe('two devices', () => {
  test('ask each other, each with ids of its own, and each answers as it is done', async () => {
    const stage = new PeerStage(peers)
    const heard: string[] = []
    const first = Promise.withResolvers<void>()
    const say =
      (name: string) =>
      async ({ body }: { readonly body: Uint8Array }) => {
        heard.push(`${name} ${Buffer.from(body).toString()}`)
        if (heard.length === 1) await first.promise
        return {}
      }
    const { alice, bob } = await stage.both({ 'direct.say': say('alice') }, { 'direct.say': say('bob') })
    expect([alice.dialled, bob.dialled, alice.peer.name, bob.peer.name]).toEqual([true, false, 'bob', 'alice'])
    const order: number[] = []
    const says = [1, 2, 3].map((each) => alice.request('direct.say', someMessage(`${each}`, each)).then(() => void order.push(each)))
    const back = bob.request('direct.say', someMessage('back'))
    expect([await says[1], await says[2], await back]).toEqual([undefined, undefined, {}])
    first.resolve()
    await says[0]
    expect(order).toEqual([2, 3, 1])
    expect(heard.filter((each) => each.startsWith('bob'))).toEqual(['bob 1', 'bob 2', 'bob 3'])
    expect(await alice.request('direct.pay', { order: Uint8Array.of(1) })).toEqual({ state: 'held' })
    alice.close()
    expect([await alice.closed, (await bob.closed)?.code, alice.open, bob.open]).toEqual([undefined, 'session_ended', false, false])
  })

  test('are refused what the answer throws, and nothing else ends', async () => {
    const stage = new PeerStage(peers)
    const answers = {
      'direct.say': async () => Promise.reject(new SealwireError('not_permitted', 'that conversation is another one')),
      'direct.pay': async ({ order }: { readonly order: Uint8Array }) =>
        Promise.reject(new SealwireError(order.length === 1 ? 'unreachable' : 'session_ended', 'of the server')),
    }
    const { alice } = await stage.both({}, answers)
    expect(await rejectionOf(alice.request('direct.say', someMessage('hi')))).toBe('not_permitted')
    for (const length of [1, 2]) {
      expect(await rejectionOf(alice.request('direct.pay', { order: new Uint8Array(length) }))).toBe('unavailable')
    }
    expect((await alice.request('direct.file', { id: new Uint8Array(16), offset: 0, length: 5 })).data).toHaveLength(5)
  })

  test('part when there is a bug in an answer, which says no more than that', async () => {
    const stage = new PeerStage(peers)
    const answers = { 'direct.say': async () => Promise.reject(new TypeError('a secret')) }
    const { alice, bob } = await stage.both({}, answers)
    expect(await rejectionOf(alice.request('direct.say', someMessage('hi')))).toBe('internal')
    expect([(await alice.closed)?.message, (await bob.closed)?.code]).toEqual(['[internal] internal error', 'internal'])
  })

  test('of which one ends at once leave nothing that waits', async () => {
    const stage = new PeerStage(peers)
    const never = new Promise<never>(() => {})
    const { alice, bob } = await stage.both({}, { 'direct.say': () => never })
    const open = rejectionOf(alice.request('direct.say', someMessage('hi')))
    await settle()
    bob.terminate(new SealwireError('untrusted', 'the device was revoked'))
    expect([await open, (await alice.closed)?.code, (await bob.closed)?.code]).toEqual(['connection_lost', 'connection_lost', 'untrusted'])
    expect(await rejectionOf(alice.request('direct.say', someMessage('hi')))).toBe('connection_lost')
    expect(stage.clock.timers).toBe(0)
  })

  test('wait for an answer as long as the caller wishes', async () => {
    const stage = new PeerStage(peers, { directRequestMsMax: 60_000 })
    const { alice } = await stage.both({}, { 'direct.say': () => new Promise<never>(() => {}) })
    const abort = new AbortController()
    const aborted = rejectionOf(alice.request('direct.say', someMessage('1', 1), { signal: abort.signal }))
    const late = rejectionOf(alice.request('direct.say', someMessage('2', 2)))
    abort.abort()
    expect(await aborted).toBe('unknown_outcome')
    await stage.clock.move(60_000)
    expect([await late, alice.open]).toEqual(['unknown_outcome', true])
    expect(await rejectionOf(alice.request('direct.say', someMessage('3'), { signal: abort.signal }))).toBe('unknown_outcome')
  })

  test('hear of what goes over the bounds of a request before it is sent', async () => {
    const stage = new PeerStage(peers, { directRequestsMax: 2 })
    const { alice } = await stage.both({}, { 'direct.say': () => new Promise<never>(() => {}) })
    const bad = { ...someMessage('hi'), id: new Uint8Array(15) }
    expect(await rejectionOf(alice.request('direct.say', bad))).toBe('malformed')
    const large = { ...someMessage(''), body: new Uint8Array(60_000), mentions: Array.from({ length: 50 }, () => 'x'.repeat(256)) }
    expect(await rejectionOf(alice.request('direct.say', large))).toBe('message_too_large')
    for (const id of [1, 2]) void alice.request('direct.say', someMessage('hi', id))
    expect(await rejectionOf(alice.request('direct.say', someMessage('hi', 3)))).toBe('busy')
  })
})

/** What a hostile device sends on a link that it has begun by the rules, and what it is told: a Fault without an id. */
const misbehaviours: readonly (readonly [title: string, code: string, ...frames: Uint8Array[]])[] = [
  ['says hello again', 'unexpected', hello(1)],
  ['answers what nobody asked', 'unexpected', answered(5, 'direct.say', {})],
  ['refuses what nobody asked', 'unexpected', faulted(5, 'busy')],
  ['answers a ping that there was not', 'unexpected', answered(0, 'direct.ping', {})],
  ['greets like a server', 'unexpected', frame(contractCommands.welcome, encodeWelcome(welcome))],
  ['tells events', 'unexpected', frame(contractCommands.event, encodeCbor(['presence.typing', { conversation: 1, name: 'x' }]))],
  ['speaks the classic dialect', 'unexpected', frame(1, Buffer.from('alice:password'))],
  ['sends no CBOR', 'malformed', frame(request, Uint8Array.of(0xff))],
  ['sends a request without an id', 'malformed', frame(request, encodeCbor([null, 'direct.ping', {}]))],
  ['sends a result that is none', 'malformed', frame(result, encodeCbor([]))],
]

describe('a device that', () => {
  for (const [title, code, ...frames] of misbehaviours) {
    test(`${title} loses the link`, async () => {
      const stage = new PeerStage(peers)
      const { link, raw } = await stage.accepted()
      for (const each of frames) raw.raw(each)
      const { id, code: told } = parseFault((await raw.next(fault)).body)
      expect([id, told as string, (await link.closed)?.code as string]).toEqual([null, code, code])
      expect(await raw.ended()).toBe('ended')
      expect(stage.clock.timers).toBe(0)
    })
  }

  test('breaks frames loses the link without a word', async () => {
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), broken(asked(1, 'direct.ping', {}))]) {
      const { link, raw } = await new PeerStage(peers).accepted()
      raw.raw(bytes)
      expect(['bad_magic', 'bad_checksum']).toContain((await link.closed)?.code as string)
      await raw.ended()
      expect(raw.frames).toEqual([])
    }
  })

  test('asks for what there is not, or with fields that nobody knows, is refused and goes on', async () => {
    const { link, raw } = await new PeerStage(peers).accepted()
    const refusals: [body: Uint8Array, code: string][] = [
      [encodeCbor([1, 'session.ping', {}]), 'unknown_method'],
      [encodeCbor([1, '__proto__', {}]), 'unknown_method'],
      [encodeCbor([1, 'direct.offer', {}]), 'unknown_method'],
      [encodeCbor([1, 'direct.ping', { more: 1 }]), 'malformed'],
      [encodeCbor([1, 'direct.say', {}]), 'malformed'],
      [encodeCbor([1, 'direct.say', { ...someMessage('hi'), more: 1 }]), 'malformed'],
      [encodeCbor([1, 'direct.say', { ...someMessage('hi'), behind: { seq: 0, more: 1 } }]), 'malformed'],
      [encodeCbor([1, 'direct.say', { ...someMessage('hi'), body: new Uint8Array(60_001) }]), 'malformed'],
      [encodeCbor([1, 'direct.file', { id: new Uint8Array(16), offset: 0, length: 60_001 }]), 'malformed'],
    ]
    for (const [body, code] of refusals) {
      raw.raw(frame(request, body))
      const told = parseFault((await raw.next(fault)).body)
      expect([told.id, told.code as string]).toEqual([1, code])
    }
    raw.raw(asked(9, 'direct.ping', {}))
    expect(parseResult((await raw.next(result)).body)).toEqual({ id: 9, result: {} })
    expect(link.open).toBe(true)
  })

  test('answers what is no answer loses the link', async () => {
    const { link, raw } = await new PeerStage(peers).accepted()
    const open = rejectionOf(link.request('direct.pay', { order: Uint8Array.of(1) }))
    const { id } = parseRequest((await raw.next(request)).body)
    raw.raw(frame(result, encodeCbor([id, { state: 'settled' }])))
    expect([await open, (await link.closed)?.code]).toEqual(['malformed', 'malformed'])
  })

  test('cuts its frames into bytes, or sends many at once, is understood', async () => {
    const texts: string[] = []
    const say = async ({ body }: { readonly body: Uint8Array }) => {
      texts.push(Buffer.from(body).toString())
      return {}
    }
    const { raw } = await new PeerStage(peers).accepted({ 'direct.say': say })
    for (const byte of asked(1, 'direct.say', someMessage('slowly'))) raw.raw(Uint8Array.of(byte))
    raw.raw(new Uint8Array(Buffer.concat([2, 3, 4].map((id) => asked(id, 'direct.say', someMessage(`at once ${id}`, id))))))
    for (const id of [1, 2, 3, 4]) expect(parseResult((await raw.next(result)).body).id).toBe(id)
    expect(texts).toEqual(['slowly', 'at once 2', 'at once 3', 'at once 4'])
  })

  test('says Goodbye in the middle gets one back, and what waits ends', async () => {
    const { link, raw } = await new PeerStage(peers).accepted({ 'direct.say': () => new Promise<never>(() => {}) })
    raw.raw(asked(1, 'direct.say', someMessage('hi')))
    const open = rejectionOf(link.request('direct.say', someMessage('hi')))
    await raw.next(request)
    raw.raw(frame(contractCommands.goodbye, goodbyeBody))
    await raw.next(contractCommands.goodbye)
    expect([await open, (await link.closed)?.code, await raw.ended()]).toEqual(['session_ended', 'session_ended', 'ended'])
  })

  test('says with a Fault why it ends the link is believed', async () => {
    for (const [id, code] of [
      [null, 'conflict'],
      [1, 'internal'],
    ] as const) {
      const { link, raw } = await new PeerStage(peers).accepted()
      const open = rejectionOf(link.request('direct.say', someMessage('hi')))
      await raw.next(request)
      raw.raw(faulted(id, code))
      expect([await open, (await link.closed)?.code]).toEqual([code, code])
    }
  })

  test('asks for 129 things at once is refused the last one, until one is answered', async () => {
    const waiting: (() => void)[] = []
    const say = () => new Promise<Record<string, never>>((resolve) => waiting.push(() => resolve({})))
    const stage = new PeerStage(peers)
    const { link, raw } = await stage.accepted({ 'direct.say': say })
    for (let id = 1; id <= 129; id++) raw.raw(asked(id, 'direct.say', someMessage('hi', id)))
    const refused = parseFault((await raw.next(fault)).body)
    expect([refused.id, refused.code as string, waiting.length, link.open]).toEqual([129, 'busy', 128, true])
    waiting[5]?.()
    expect(parseResult((await raw.next(result)).body).id).toBe(6)
    raw.raw(asked(130, 'direct.say', someMessage('hi')))
    await settle()
    expect(waiting.length).toBe(129)
  })

  test('does not read makes its answers wait, and is cut when it goes on like that', async () => {
    const stage = new PeerStage(peers)
    let begun = 0
    const file = async ({ length }: { readonly length: number }) => {
      begun++
      return { data: new Uint8Array(length) }
    }
    const { link, raw } = await stage.accepted({ 'direct.file': file })
    raw.link.pause()
    const chunk = { id: new Uint8Array(16), offset: 0, length: 60_000 }
    for (let id = 1; id <= 16; id++) raw.raw(asked(id, 'direct.file', chunk))
    await settle()
    expect([begun, stage.far.keepsUp, stage.far.queuedBytes < stage.limits.outputBytesHigh + 70_000]).toEqual([16, false, true])
    raw.link.resume()
    for (let id = 1; id <= 16; id++) expect(parseResult((await raw.next(result)).body).id).toBe(id)
    raw.link.pause()
    for (let id = 1; id <= 5_000 && link.open; id++) {
      raw.raw(asked(id, 'direct.file', chunk))
      raw.raw(asked(id, 'direct.say', someMessage('x'.repeat(500))))
      if (id % 50 === 0) await settle()
    }
    for (let moved = 0; link.open && moved < stage.limits.outputStallMsMax + 2_000; moved += 1_000) {
      raw.raw(asked(1, 'direct.ping', {}))
      await stage.clock.move(1_000)
    }
    expect((await link.closed)?.code).toBe('slow_consumer')
    expect(begun).toBeLessThanOrEqual(16 + stage.limits.directRequestsMax)
  })

  test('does not read leaves no more than 1 MiB of answers waiting', async () => {
    const stage = new PeerStage(peers)
    let begun = 0
    const file = async ({ length }: { readonly length: number }) => {
      begun++
      return { data: new Uint8Array(length) }
    }
    const { raw } = await stage.accepted({ 'direct.file': file })
    raw.link.pause()
    for (let id = 1; id <= 100; id++) {
      raw.raw(asked(id, 'direct.file', { id: new Uint8Array(16), offset: 0, length: 60_000 }))
      await settle()
    }
    expect(begun * 60_000).toBeLessThan(1_048_576 + stage.limits.outputBytesHigh + 4 * 60_000)
    raw.link.resume()
    await raw.until(() => raw.frames.length >= 100)
    expect(raw.frames.splice(0).filter(({ command }) => command === result).length).toBe(begun)
    raw.raw(asked(200, 'direct.file', { id: new Uint8Array(16), offset: 0, length: 1 }))
    expect(parseResult((await raw.next(result)).body).id).toBe(200)
  })

  test('asks too often is refused what is over, each kind by itself, and has no link when it goes on', async () => {
    const stage = new PeerStage(peers, {
      directSaysBurstMax: 30,
      directChunksPerSecondMax: 40,
      directAsksPerSecondMax: 5,
      directExcessMax: 50,
    })
    const { link, raw } = await stage.accepted()
    let id = 0
    const burst = async (times: number, frameOf: (id: number) => Uint8Array): Promise<number> => {
      for (let each = 0; each < times; each++) raw.raw(frameOf(++id))
      await settle()
      const told = raw.frames.splice(0)
      return told.filter((each) => each.command !== fault || parseFault(each.body).code !== 'busy').length
    }
    const say = (at: number): Uint8Array => asked(at, 'direct.say', someMessage('hi', at % 200))
    const chunk = (at: number): Uint8Array => asked(at, 'direct.file', { id: new Uint8Array(16), offset: 0, length: 1 })
    const ping = (at: number): Uint8Array => asked(at, 'direct.ping', {})
    expect([await burst(40, say), await burst(50, chunk), await burst(15, ping)]).toEqual([30, 40, 10])
    await stage.clock.move(1_000)
    raw.frames.splice(0)
    expect([await burst(21, say), await burst(41, chunk), await burst(6, ping), link.open]).toEqual([20, 40, 5, true])
    for (let each = 0; each < 60; each++) raw.raw(say(++id))
    expect((await link.closed)?.code).toBe('rate_limited')
  })
})

describe('silence', () => {
  test('is asked about soon on a busy link, and ends it within 2.5 s', async () => {
    const stage = new PeerStage(peers)
    const { link, raw } = await stage.accepted()
    await stage.clock.move(499)
    expect(raw.frames).toHaveLength(0)
    await stage.clock.move(1)
    expect(parseRequest((await raw.next(request)).body)).toEqual({ id: 0, method: 'direct.ping', params: {} })
    await stage.clock.move(1_999)
    expect([link.open, raw.frames.length]).toEqual([true, 0])
    await stage.clock.move(1)
    expect([(await link.closed)?.code, await raw.ended(), stage.clock.timers]).toEqual(['connection_lost', 'reset', 0])
  })

  test('is none while anything comes, and an answer starts it anew', async () => {
    const stage = new PeerStage(peers)
    const { link, raw } = await stage.accepted()
    await pinged(stage, raw, 500)
    raw.raw(answered(0, 'direct.ping', {}))
    await settle()
    await pinged(stage, raw, 500)
    for (let id = 1; id <= 5; id++) {
      await stage.clock.move(1_900)
      raw.raw(asked(id, 'direct.ping', {}))
      await settle()
    }
    expect([link.open, raw.frames.length]).toEqual([true, 5])
    await stage.clock.move(2_000)
    expect(link.open).toBe(false)
  })

  test('is asked about now and then on a link where nothing was said for 30 s', async () => {
    const stage = new PeerStage(peers)
    const { link, raw } = await stage.accepted()
    const pings = await answering(stage, raw, 30_000)
    expect(pings).toBeGreaterThan(40)
    expect([3, 4]).toContain(await answering(stage, raw, 60_000))
    void link.request('direct.say', someMessage('hi')).catch(() => {})
    await settle()
    raw.frames.length = 0
    expect(await answering(stage, raw, 10_000)).toBeGreaterThan(15)
  })

  test('while this process was away is not held against the other device', async () => {
    const stage = new PeerStage(peers)
    const { link, raw } = await stage.accepted()
    await pinged(stage, raw, 500)
    await oversleep(stage, 60_000)
    expect(link.open).toBe(true)
    await stage.clock.move(2_000)
    expect(link.open).toBe(false)
  })
})

async function pinged(stage: PeerStage, raw: ScriptedServer, ms: number): Promise<void> {
  await stage.clock.move(ms)
  expect(parseRequest((await raw.next(request)).body).method).toBe('direct.ping')
}

/** Answers pings at once; how many there were. */
async function answering(stage: PeerStage, raw: ScriptedServer, ms: number): Promise<number> {
  let pings = 0
  for (let moved = 0; moved < ms; moved += 100) {
    await stage.clock.move(100)
    for (; raw.frames.length > 0; pings++) {
      await raw.next(request)
      raw.raw(answered(0, 'direct.ping', {}))
    }
  }
  return pings
}

/** The clock goes on, and no timer comes in time. */
async function oversleep(stage: PeerStage, ms: number): Promise<void> {
  stage.clock.jump(ms)
  await stage.clock.move(2_000)
}

/** With one bit of its checksum changed. */
function broken(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte))
}
