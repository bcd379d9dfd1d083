import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { sealInto } from '../../src/channel/aead.ts'
import { type V1Channel, V1Client, V1Server } from '../../src/channel/index.ts'
import { NonceSet } from '../../src/channel/nonce-set.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { refusal, refusalOf } from '../support/refusal.ts'
import { Collector, hex, text } from './support.ts'

const limits = resolveLimits()

function pair(
  overrides: Readonly<Record<string, number>> = {},
  nonce?: () => Uint8Array,
): { readonly client: V1Channel; readonly server: V1Channel } {
  const terms = { limits: resolveLimits(overrides) }
  const client = new V1Client(terms)
  const server = new V1Server({ ...terms, nonce })
  const { send, channel } = server.received(client.hello())
  const met = client.received(send)
  if (channel === undefined || met.channel === undefined) throw new Error('no channel')
  return { client: met.channel, server: channel }
}

function frame(from: V1Channel, plaintext: Uint8Array): Uint8Array {
  const sink = new Collector()
  from.write(sink, plaintext)
  return sink.taken()
}

describe('v1', () => {
  test('carries opaque frames both ways, empty ones and the longest', () => {
    const { client, server } = pair()
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (const length of [0, 1, 65_535]) {
        to.push(frame(from, new Uint8Array(length).fill(1)))
        expect(to.next()).toEqual(new Uint8Array(length).fill(1))
        expect(to.next()).toBeUndefined()
      }
    }
    expect(refusal(() => frame(client, new Uint8Array(65_536)))).toEqual(broken)
  })

  test('carries any frames in any reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 8 }),
        fc.array(fc.nat(3_000), { maxLength: 10 }),
        (plaintexts, cuts) => {
          const { client, server } = pair()
          const stream = Buffer.concat(plaintexts.map((each) => frame(client, each)))
          const at = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b), stream.length]
          const got: string[] = []
          for (const [index, end] of at.slice(1).entries()) {
            server.push(new Uint8Array(stream.subarray(at[index], end)))
            for (let data = server.next(); data !== undefined; data = server.next()) got.push(hex(data))
          }
          expect(got).toEqual(plaintexts.map(hex))
        },
      ),
      { numRuns: 100 },
    )
  })

  test('takes nothing for a length of zero, which crashed the seed', () => {
    const { server } = pair()
    server.push(new Uint8Array(4))
    expect(refusal(() => server.next())).toEqual(broken)
  })

  test('judges a length as soon as it is there', () => {
    for (const [length, ends] of [
      [15, true],
      [16, false],
      [65_551, false],
      [65_552, true],
    ] as const) {
      const { server } = pair()
      const prefix = new Uint8Array(4)
      new DataView(prefix.buffer).setUint32(0, length)
      server.push(prefix)
      expect([length, refusalOf(() => server.next())]).toEqual([length, ends ? 'channel_broken' : undefined])
    }
  })

  test('takes no frame a second time and none of its own', () => {
    const replayed = pair()
    const first = frame(replayed.client, text('pay 10'))
    replayed.server.push(first.slice())
    expect(replayed.server.next()).toEqual(text('pay 10'))
    replayed.server.push(first)
    expect(refusal(() => replayed.server.next())).toEqual(broken)
    const reflected = pair()
    reflected.client.push(frame(reflected.client, text('pay 10')))
    expect(refusal(() => reflected.client.next())).toEqual(broken)
  })

  test('does not write with a nonce that it has seen', () => {
    const seen = new Uint8Array(12).fill(5)
    const { server } = pair({}, () => seen)
    // The handshake has used it already.
    expect(refusal(() => frame(server, text('hello')))).toEqual(broken)
  })

  test('ends after the frames that it may have, both directions together', () => {
    const { client, server } = pair({ channelV1FramesMax: 3 })
    for (const [from, to] of [
      [client, server],
      [server, client],
      [client, server],
    ] as const) {
      to.push(frame(from, text('x')))
      expect(to.next()).toEqual(text('x'))
    }
    expect(refusal(() => frame(server, text('x')))).toEqual(broken)
    client.push(new Uint8Array(33).fill(0, 0, 3).fill(17, 3, 4))
    expect(refusal(() => client.next())).toEqual(broken)
  })

  test('does nothing any more once it was given up, with the zeros that are left of its key', () => {
    const { server } = pair()
    server.destroy()
    const forged = new Uint8Array(4 + 12 + 5 + 16)
    forged[3] = 21
    sealInto(forged, 16, { key: new Uint8Array(32), nonce: forged.subarray(4, 16), associated: new Uint8Array(0) }, text('hello'))
    server.push(forged)
    expect(refusal(() => server.next())).toEqual(broken)
    expect(refusal(() => frame(server, text('hello')))).toEqual(broken)
  })

  test('has a new key and a new token for each connection', () => {
    const [one, other] = [new V1Client({ limits }).hello(), new V1Client({ limits }).hello()]
    expect(hex(one.subarray(1, 33))).not.toBe(hex(other.subarray(1, 33)))
    expect(hex(one.subarray(34))).not.toBe(hex(other.subarray(34)))
  })

  test('is not authenticated: a man in the middle talks with both ends, and neither notices', () => {
    const client = new V1Client({ limits })
    const server = new V1Server({ limits })
    const [toClient, toServer] = [new V1Server({ limits }), new V1Client({ limits })]
    const caught = toClient.received(client.hello())
    const met = client.received(caught.send)
    const passed = server.received(toServer.hello())
    const relayed = toServer.received(passed.send)
    caught.channel?.push(frame(channelOf(met), text('my password')))
    const overheard = caught.channel?.next() ?? text('')
    expect(overheard).toEqual(text('my password'))
    passed.channel?.push(frame(channelOf(relayed), overheard))
    expect(passed.channel?.next()).toEqual(text('my password'))
  })

  test('stays failed', () => {
    const server = new V1Server({ limits })
    for (const bytes of [text('SWv2'.padEnd(40)), new V1Client({ limits }).hello()]) {
      expect(refusalOf(() => server.received(bytes))).toBe('channel_broken')
    }
  })
})

describe('NonceSet', () => {
  test('knows what was added and nothing else', () => {
    const nonces = new NonceSet()
    const known = new Set<string>()
    const random = fc.uint8Array({ minLength: 12, maxLength: 12, max: 3 })
    fc.assert(
      fc.property(random, (nonce) => {
        expect(nonces.add(nonce)).toBe(!known.has(hex(nonce)))
        known.add(hex(nonce))
        expect(nonces.add(nonce)).toBe(false)
        expect(nonces.size).toBe(known.size)
      }),
      { numRuns: 20_000 },
    )
  })

  test('holds 2^20 of them in little memory and time, also when they differ in few bits', () => {
    const nonces = new NonceSet()
    const nonce = new Uint8Array(12)
    const view = new DataView(nonce.buffer)
    const before = process.memoryUsage().arrayBuffers
    for (let at = 0; at < 2 ** 20; at++) {
      view.setUint32((at % 3) * 4, Math.imul(at, 2 ** 12))
      view.setUint32(8, at)
      if (!nonces.add(nonce)) throw new Error(`${at} was not new`)
    }
    expect(nonces.size).toBe(2 ** 20)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
  }, 120_000)
})

const broken = ['channel_broken', 'the sealed channel was broken'] as const

function channelOf({ channel }: { readonly channel?: V1Channel }): V1Channel {
  if (channel === undefined) throw new Error('no channel')
  return channel
}
