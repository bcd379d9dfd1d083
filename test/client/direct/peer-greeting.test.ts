import { describe, expect, test } from 'bun:test'
import { getEventListeners } from 'node:events'
import { awaitPeer } from '../../../src/client/direct/peer-greeting.ts'
import { contractCommands, encodeCbor, goodbyeBody, parseFault, parseRequest } from '../../../src/protocol/contract/index.ts'
import { encodeFrame, SealwireError } from '../../../src/protocol/index.ts'
import { settle } from '../../support/manual-clock.ts'
import { answered, asked, deviceNamed, faulted, hello, PeerStage } from '../../support/peer-links.ts'
import { someMessage, token } from '../../support/peer-says.ts'
import { makePeers } from '../../support/peers.ts'
import { rejectionOf } from '../../support/refusal.ts'

const peers = await makePeers()
const { request, result, fault, goodbye } = contractCommands

describe('awaitPeer', () => {
  test('answers hello once it was let in, and what was asked in the meantime ends it', async () => {
    const stage = new PeerStage(peers)
    const raw = stage.rawAlice()
    const admitted = Promise.withResolvers<void>()
    const awaited = stage.await({}, () => admitted.promise)
    raw.raw(hello(7))
    await settle()
    expect([raw.frames.length, stage.tokens]).toEqual([0, [token]])
    admitted.resolve()
    expect((await raw.next(result)).body).toEqual(encodeCbor([7, { version: 1 }]))
    expect((await awaited).peer).toEqual(deviceNamed('alice', peers))
    expect(stage.clock.timers).toBe(1) // The heartbeat.

    for (const pieces of [[Buffer.concat([hello(), asked(1, 'direct.say', someMessage('hi'))])], [hello(), hello(1)]]) {
      const other = new PeerStage(peers)
      const early = other.rawAlice()
      const refused = rejectionOf(other.await({}, () => new Promise<never>(() => {})))
      for (const piece of pieces) early.raw(new Uint8Array(piece))
      expect([await refused, await early.ended(), early.frames.length]).toEqual(['unexpected', 'reset', 0])
      expect(other.clock.timers).toBe(0)
    }
  })

  test('takes nothing else for a hello, and says so', async () => {
    const frames: readonly (readonly [Uint8Array, string])[] = [
      [asked(1, 'direct.ping', {}), 'unexpected'],
      [asked(1, 'direct.say', someMessage('hi')), 'unexpected'],
      [answered(0, 'direct.hello', { version: 1 }), 'unexpected'],
      [encodeFrame(contractCommands.hello, encodeCbor({ versions: [1] })), 'unexpected'],
      [encodeFrame(goodbye, goodbyeBody), 'unexpected'],
      [encodeFrame(request, encodeCbor([1, 'direct.hello', { versions: [1] }])), 'malformed'],
      [encodeFrame(request, encodeCbor([1, 'direct.hello', { versions: [1], token: token.slice(1) }])), 'malformed'],
      [encodeFrame(request, encodeCbor([1, 'direct.hello', { versions: [1], token, more: 1 }])), 'malformed'],
      [encodeFrame(request, Uint8Array.of(0xff)), 'malformed'],
    ]
    for (const [frame, code] of frames) {
      const stage = new PeerStage(peers)
      const raw = stage.rawAlice()
      const refused = rejectionOf(stage.await())
      raw.raw(frame)
      const told = parseFault((await raw.next(fault)).body)
      expect([await refused, told.id, told.code, await raw.ended()] as unknown[]).toEqual([code, null, code, 'ended'])
      expect([stage.tokens, stage.clock.timers]).toEqual([[], 0])
    }
  })

  test('refuses a token, and a version, with the id of the hello', async () => {
    for (const [refuses, versions, code] of [
      ['not_found', [1], 'not_found'],
      ['conflict', [1], 'conflict'],
      ['unreachable', [1], 'unavailable'],
      [undefined, [2, 3], 'version_unsupported'],
    ] as const) {
      const stage = new PeerStage(peers)
      stage.refuses = refuses
      const raw = stage.rawAlice()
      const refused = rejectionOf(stage.await())
      raw.raw(asked(3, 'direct.hello', { versions: [...versions], token }))
      const told = parseFault((await raw.next(fault)).body)
      expect([told.id, told.code]).toEqual([3, code])
      expect([await refused, await raw.ended(), stage.clock.timers]).toEqual([refuses ?? 'version_unsupported', 'ended', 0])
    }
  })

  test('waits for hello and for whoever decides about it no longer than 5 s together', async () => {
    for (const says of [false, true]) {
      const stage = new PeerStage(peers)
      const raw = stage.rawAlice()
      const refused = rejectionOf(stage.await({}, () => new Promise<never>(() => {})))
      await stage.clock.move(2_000)
      if (says) raw.raw(hello())
      await stage.clock.move(2_999)
      expect(stage.far.open).toBe(true)
      await stage.clock.move(1)
      expect([await refused, await raw.ended(), raw.frames.length]).toEqual(['login_too_slow', 'reset', 0])
    }
  })

  test('says nothing to whom nobody expects, nor without a certificate', async () => {
    const stage = new PeerStage(peers)
    const raw = stage.rawAlice()
    const nobody = { identify: () => undefined, admit: async () => {} }
    const { receiver, link } = awaitPeer(stage.far, nobody, stage.parts())
    stage.far.attach(receiver)
    raw.raw(hello())
    expect([await rejectionOf(link), await raw.ended(), raw.frames.length, stage.clock.timers]).toEqual(['untrusted', 'reset', 0, 0])

    const plain = new PeerStage(peers)
    Object.defineProperty(plain.far, 'security', { value: { ...plain.far.security, peerCertificate: undefined } })
    const other = plain.rawAlice()
    expect([await rejectionOf(plain.await()), await other.ended(), other.frames.length]).toEqual(['untrusted', 'reset', 0])
  })

  test('forgets whoever goes away while it is decided about them', async () => {
    const stage = new PeerStage(peers)
    const raw = stage.rawAlice()
    const admitted = Promise.withResolvers<void>()
    const gone = rejectionOf(stage.await({}, () => admitted.promise))
    raw.raw(hello())
    await settle()
    raw.link.terminate()
    expect(await gone).toBe('connection_lost')
    admitted.reject(new SealwireError('not_found', 'too late'))
    await settle()
    expect(stage.clock.timers).toBe(0)
  })

  test('leaves nothing behind when the link ends in the moment in which it was let in', async () => {
    const ends = new Set<string | undefined>()
    for (let turns = 0; turns < 12; turns++) {
      const stage = new PeerStage(peers)
      const raw = stage.rawAlice()
      const cut = async (): Promise<void> => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        stage.far.terminate()
      }
      const awaited = stage.await({}, async () => void cut())
      raw.raw(hello())
      const end = awaited.then(
        async (link) => (await link.closed)?.code,
        (reason: unknown) => SealwireError.from(reason).code,
      )
      ends.add(await end)
      expect(stage.clock.timers).toBe(0)
    }
    expect([...ends]).toEqual(['connection_lost'])
  })
})

describe('greetPeer', () => {
  test('says hello first, and hears what comes behind its answer', async () => {
    const stage = new PeerStage(peers)
    const raw = stage.rawBob()
    const texts: string[] = []
    const say = async ({ body }: { readonly body: Uint8Array }) => {
      texts.push(Buffer.from(body).toString())
      return {}
    }
    const greeted = stage.greet({ 'direct.say': say })
    const { id, method, params } = parseRequest((await raw.next(request)).body)
    expect([id, method, params]).toEqual([0, 'direct.hello', { versions: [1], token }])
    const answer = answered(0, 'direct.hello', { version: 1 })
    raw.raw(new Uint8Array(Buffer.concat([answer, asked(1, 'direct.say', someMessage('at once'))])))
    const link = await greeted
    await raw.next(result)
    expect([texts, link.dialled, stage.clock.timers]).toEqual([['at once'], true, 1])
  })

  test('throws what it is refused with, and what is no answer', async () => {
    const answers: readonly (readonly [Uint8Array, string])[] = [
      [faulted(0, 'not_found'), 'not_found'],
      [faulted(null, 'conflict'), 'conflict'],
      [answered(1, 'direct.hello', { version: 1 }), 'unexpected'],
      [answered(0, 'direct.hello', { version: 2 }), 'version_unsupported'],
      [encodeFrame(result, encodeCbor([0, {}])), 'malformed'],
      [asked(1, 'direct.say', someMessage('too early')), 'unexpected'],
      [encodeFrame(goodbye, goodbyeBody), 'unexpected'],
    ]
    for (const [frame, code] of answers) {
      const stage = new PeerStage(peers)
      const raw = stage.rawBob()
      const refused = rejectionOf(stage.greet())
      await raw.next(request)
      raw.raw(frame)
      expect([(await refused) as string, await raw.ended(), stage.clock.timers]).toEqual([code, 'reset', 0])
    }
  })

  test('waits 5 s, or until its signal', async () => {
    const stage = new PeerStage(peers)
    const raw = stage.rawBob()
    const late = rejectionOf(stage.greet())
    await raw.next(request)
    await stage.clock.move(4_999)
    expect(stage.near.open).toBe(true)
    await stage.clock.move(1)
    expect([await late, await raw.ended(), stage.clock.timers]).toEqual(['unreachable', 'reset', 0])

    const other = new PeerStage(peers)
    const abort = new AbortController()
    const given = rejectionOf(other.greet({}, { signal: abort.signal }))
    abort.abort()
    expect([await given, other.clock.timers, getEventListeners(abort.signal, 'abort').length]).toEqual(['unreachable', 0, 0])

    const third = new PeerStage(peers)
    const silent = third.rawBob()
    expect(await rejectionOf(third.greet({}, { signal: AbortSignal.abort() }))).toBe('unreachable')
    expect([await silent.ended(), silent.frames.length]).toEqual(['reset', 0])
  })

  test('says nothing to another device than the one it wants', async () => {
    const stage = new PeerStage(peers)
    const raw = stage.rawBob()
    const refused = rejectionOf(stage.greet({}, { peer: deviceNamed('alice', peers) }))
    expect([await refused, await raw.ended(), raw.frames.length]).toEqual(['untrusted', 'reset', 0])
  })
})
