import { describe, expect, test } from 'bun:test'
import { ChannelClient, channelVersion, ChannelServer, KeyPair, keyPin, type SealedChannel } from '../../src/channel/index.ts'
import { encodePreamble, parsePreamble } from '../../src/channel/preamble.ts'
import { decodeGreeting, encodeGreeting, successorIn } from '../../src/channel/server-greeting.ts'
import { recordTypes } from '../../src/channel/record.ts'
import { encodeCbor } from '../../src/protocol/contract/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { greeting as vectorGreeting, joined, record, session, sessionKeys } from '../../tools/channel-vector-session.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { refusal, refusalOf } from '../support/refusal.ts'
import { channelPair, clientKey, clientOptions, Collector, greeting, hex, serverKey, serverOptions, singleBytes, text } from './support.ts'

const clock = new ManualClock()
const patterns = ['XX', 'IK', 'NK'] as const

describe('a handshake', () => {
  for (const pattern of patterns) {
    test(`${pattern} gives both ends the same channel, and each the other's key`, () => {
      const { client, server } = channelPair({ pattern })
      expect(hex(client.sealed.hash)).toBe(hex(server.hash))
      expect(client.sealed.peerKey).toEqual(serverKey.publicKey)
      expect(server.peerKey).toEqual(pattern === 'NK' ? undefined : clientKey.publicKey)
      expect(client.greeting).toEqual(greeting)
      expect([client.sealed.pattern, server.pattern]).toEqual([pattern, pattern])
      expect(say(client.sealed, server, 'hello')).toBe('hello')
      expect(say(server, client.sealed, 'hello, you too')).toBe('hello, you too')
    })

    test(`${pattern} ends at an answer that is too short or too long, as soon as its length is there`, () => {
      for (const [length, ends] of [
        [31, true],
        [32, false],
        [1_024, false],
        [1_025, true],
        [65_535, true],
      ] as const) {
        const client = new ChannelClient(clientOptions(pattern, clock))
        client.hello()
        const told = refusalOf(() => client.received(Uint8Array.of(length >> 8, length & 0xff)))
        expect([length, told]).toEqual([length, ends ? (pattern === 'XX' ? 'channel_broken' : 'untrusted') : undefined])
      }
    })

    test(`${pattern} never leads to the same channel twice`, () => {
      expect(hex(channelPair({ pattern }).server.hash)).not.toBe(hex(channelPair({ pattern }).server.hash))
    })

    test(`${pattern} hands the records behind it to the channel, when they come in one read with its last message`, () => {
      const client = new ChannelClient(clientOptions(pattern, clock))
      const server = new ChannelServer(serverOptions(clock))
      const met = client.received(server.received(client.hello()).send)
      const sink = new Collector()
      met.channel?.sealed.writer.write(sink, text('hello'))
      const { channel } = server.received(Buffer.concat([met.send, sink.taken()]))
      expect(textOf(channel?.reader.next())).toBe('hello')
    })

    test(`${pattern} leads to a channel that takes records as long as its server said, and none that are longer`, () => {
      for (const [recordBytesMax, taken] of [
        [1_024, [1_007, 1_007, 1]],
        [65_535, [1_007]],
      ] as const) {
        const said = { ...greeting, limits: { ...greeting.limits, recordBytesMax } }
        const server = new ChannelServer(serverOptions(clock, resolveLimits({ channelRecordBytesMax: 1_024 }), said))
        const client = new ChannelClient(clientOptions(pattern, clock))
        const met = client.received(server.received(client.hello()).send)
        const channel = server.received(met.send).channel
        const sink = new Collector()
        met.channel?.sealed.writer.write(sink, new Uint8Array(1_007))
        met.channel?.sealed.writer.write(sink, new Uint8Array(1_008))
        channel?.reader.push(sink.taken())
        const lengths: (number | undefined)[] = taken.map(() => channel?.reader.next()?.length)
        expect(lengths).toEqual([...taken])
        expect(refusalOf(() => channel?.reader.next())).toBe(recordBytesMax === 1_024 ? undefined : 'channel_broken')
      }
    })

    test(`${pattern} does not happen between ends that are bound to different things`, () => {
      const client = new ChannelClient({ ...clientOptions(pattern, clock), binding: new Uint8Array(32).fill(1) })
      const server = new ChannelServer({ ...serverOptions(clock), binding: new Uint8Array(32).fill(2) })
      if (pattern === 'XX') expect(refusalOf(() => client.received(server.received(client.hello()).send))).toBe('channel_broken')
      else expect(refusalOf(() => server.received(client.hello()))).toBe('channel_broken')
    })
  }

  for (const pattern of ['IK', 'NK'] as const) {
    test(`${pattern} opens nothing on the server before a record that no copy can have`, () => {
      const client = new ChannelClient(clientOptions(pattern, clock))
      const hello = client.hello()
      const original = new ChannelServer(serverOptions(clock))
      const met = client.received(original.received(hello.slice()).send)
      expect(original.received(met.send.slice()).channel).toBeDefined()
      // The same bytes, recorded and sent again: the answer is another one, and nobody can go on from there.
      const copied = new ChannelServer(serverOptions(clock))
      const answered = copied.received(hello.slice())
      expect(answered.send.length).toBeGreaterThan(0)
      expect(answered.channel).toBeUndefined()
      expect(refusal(() => copied.received(met.send.slice()))).toEqual(broken)
    })

    test(`${pattern} without a ping has its first data delivered, whole and byte by byte`, () => {
      const { serverStatic, serverEphemeral } = sessionKeys
      const keys = { staticKey: KeyPair.from(serverStatic), ephemeral: () => KeyPair.from(serverEphemeral) }
      const { preamble, first, client } = session(pattern)
      const stream = joined(preamble, first, record(client, recordTypes.data, text('hello')))
      for (const chunks of [[stream], singleBytes(stream)]) {
        const server = new ChannelServer({ ...serverOptions(clock), ...keys, greeting: () => vectorGreeting })
        const { channel } = chunks.map((bytes) => server.received(bytes)).at(-1) ?? {}
        expect([channel?.reader.heldBytes, textOf(channel?.reader.next()), channel?.reader.next()]).toEqual([5, 'hello', undefined])
      }
    })
  }
})

describe('a client', () => {
  test('says who it is only to a server whose key it trusts', () => {
    const seen: string[] = []
    const options = { pattern: 'XX', staticKey: clientKey, clock, limits: resolveLimits() } as const
    const trusts = (key: Uint8Array): boolean => {
      seen.push(keyPin(key))
      return false
    }
    const client = new ChannelClient({ ...options, trusts })
    const { send } = new ChannelServer(serverOptions(clock)).received(client.hello())
    expect(refusal(() => client.received(send))).toEqual(['untrusted', 'the server has another key than the expected one'])
    expect(seen).toEqual([keyPin(serverKey.publicKey)])
    // It stays so: there is no way on from here, with this message or another.
    expect(refusalOf(() => client.received(new Uint8Array(1)))).toBe('untrusted')
  })

  for (const pattern of ['IK', 'NK'] as const) {
    test(`with ${pattern} and another key than the server's gets no answer, and takes none`, () => {
      const expected = KeyPair.generate()
      const client = new ChannelClient({
        ...clientOptions(pattern, clock),
        ...(pattern === 'IK' ? { pattern, staticKey: clientKey } : { pattern }),
        serverKey: expected.publicKey,
      })
      const hello = client.hello()
      expect(refusal(() => new ChannelServer(serverOptions(clock)).received(hello))).toEqual(broken)
      const { code, hint } = client.ended()
      expect([code, hint]).toEqual(['connection_lost', 'try again later; if it stays so, the server may have a new key'])
    })

    test(`with ${pattern} takes an answer of somebody else for another server`, () => {
      const client = new ChannelClient(clientOptions(pattern, clock))
      client.hello()
      const stranger = new ChannelClient({ ...clientOptions(pattern, clock), ephemeral: () => KeyPair.generate() })
      const { send } = new ChannelServer(serverOptions(clock)).received(stranger.hello())
      expect(refusalOf(() => client.received(send))).toBe('untrusted')
    })
  }

  test('does not start with a server key that is worth nothing', () => {
    const client = new ChannelClient({ pattern: 'NK', serverKey: new Uint8Array(32), clock, limits: resolveLimits() })
    expect(refusalOf(() => client.hello())).toBe('channel_broken')
  })

  test('keeps to what the server takes', () => {
    const narrow = { ...greeting, limits: { recordBytesMax: 1_024, ageMsMax: 60_000 } }
    const { client, server } = channelPair({ greeting: narrow })
    const sink = new Collector()
    client.sealed.writer.write(sink, new Uint8Array(3_000))
    const written = sink.taken()
    expect(new DataView(written.buffer).getUint32(0)).toBe(1_024)
    server.reader.push(written)
    expect(Array.from({ length: 4 }, () => server.reader.next()?.length)).toEqual([1_007, 1_007, 986, undefined])
  })

  test('says that the connection ended, when it did during the handshake', () => {
    const client = new ChannelClient(clientOptions('XX', clock))
    client.hello()
    expect(client.ended().code).toBe('connection_lost')
  })
})

describe('a server', () => {
  test('takes the patterns that it is told to, and no other', () => {
    const server = () => new ChannelServer({ ...serverOptions(clock), patterns: ['XX', 'IK'] })
    expect(refusal(() => server().received(new ChannelClient(clientOptions('NK', clock)).hello()))).toEqual(broken)
    expect(server().received(new ChannelClient(clientOptions('IK', clock)).hello()).send.length).toBeGreaterThan(0)
  })

  test('answers only when the whole first message is there', () => {
    const server = new ChannelServer(serverOptions(clock))
    const hello = new ChannelClient(clientOptions('IK', clock)).hello()
    for (const byte of hello.subarray(0, -1)) expect(server.received(Uint8Array.of(byte)).send).toHaveLength(0)
    expect(server.received(hello.slice(-1)).send.length).toBeGreaterThan(0)
  })

  test('looks at the length of the third message as soon as it is there', () => {
    for (const length of [0x0000, 0x003f, 0x0041, 0x4000, 0xffff]) {
      const server = new ChannelServer(serverOptions(clock))
      server.received(new ChannelClient(clientOptions('XX', clock)).hello())
      expect(refusal(() => server.received(Uint8Array.of(length >>> 8, length & 0xff)))).toEqual(broken)
    }
  })

  test('fails the same at every later call, and has nothing left to say', () => {
    const server = new ChannelServer(serverOptions(clock))
    for (const bytes of [text('GET / HTTP/1.1\r\n\r\n'), new ChannelClient(clientOptions('XX', clock)).hello()]) {
      expect(refusal(() => server.received(bytes))).toEqual(broken)
    }
    expect(server.ended().code).toBe('channel_broken')
  })

  test('may name the key that takes the place of its own, and clients that ignore it lose nothing', () => {
    const next = { key: KeyPair.generate().publicKey, until: greeting.time + 1 }
    const said = { ...greeting, next }
    expect(decodeGreeting(encodeGreeting(said))).toEqual(said)
    const limits = { channelOverlapMsMax: resolveLimits().channelOverlapMsMax }
    expect(successorIn(said, serverKey.publicKey, limits)).toEqual(next.key)
    expect(successorIn(greeting, serverKey.publicKey, limits)).toBeUndefined()
    expect(successorIn(said, next.key, limits)).toBeUndefined()
    for (const until of [greeting.time, greeting.time + limits.channelOverlapMsMax + 1]) {
      expect(successorIn({ ...greeting, next: { ...next, until } }, serverKey.publicKey, limits)).toBeUndefined()
    }
    for (const wrong of [{ ...next, key: next.key.subarray(1) }, { key: next.key }, { until: 1 }, 'soon']) {
      expect(() => decodeGreeting(encodeGreeting({ ...greeting, next: wrong as typeof next }))).toThrow('channel')
    }
  })

  test('says nothing that no message could hold', () => {
    const long = { ...greeting, versions: Array.from({ length: 16 }, () => 65_535), server: new Uint8Array(1_000) }
    expect(refusalOf(() => encodeGreeting(long))).toBe('internal')
  })
})

describe('a greeting', () => {
  test('may say more than this client knows', () => {
    const bytes = encodeCbor({ ...greeting, limits: { ...greeting.limits, later: 1 }, versions: [2, 3], later: 'more' })
    expect(decodeGreeting(bytes)).toEqual({ ...greeting, versions: [2, 3] })
  })
})

describe('a preamble', () => {
  test('is read back, and nothing else is', () => {
    for (const pattern of patterns) expect(parsePreamble(encodePreamble(pattern))).toBe(pattern)
    expect(refusalOf(() => parsePreamble(new Uint8Array(0)))).toBe('channel_broken')
  })

  test('tells version 2 from version 1 and from everything else by its first byte', () => {
    const versions = Array.from({ length: 256 }, (_, byte) => channelVersion(byte))
    expect([versions[0x53], versions[0x01], versions.filter((version) => version !== undefined).length]).toEqual([2, 1, 2])
    expect([versions[0x4d], versions[0x16]]).toEqual([undefined, undefined])
    expect(channelVersion(encodePreamble('XX')[0] ?? 0)).toBe(2)
  })
})

const broken = ['channel_broken', 'the sealed channel was broken'] as const

function say(from: SealedChannel, to: SealedChannel, what: string): string {
  const sink = new Collector()
  from.writer.write(sink, text(what))
  to.reader.push(sink.taken())
  return textOf(to.reader.next())
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes ?? text('nothing'))
}
