// What no end of a channel takes: vectors/channel-v2.json, `bad`. Each row is a stream that one end receives, with the keys
// of the vectors and no binding; `delivered` is the data it may give back before it notices.

import { KeyPair } from '../src/channel/key-pair.ts'
import { encodePreamble } from '../src/channel/preamble.ts'
import { recordTypes } from '../src/channel/record.ts'
import { encodeGreeting } from '../src/channel/server-greeting.ts'
import type { CipherState } from '../src/channel/cipher-state.ts'
import type { PatternName } from '../src/channel/patterns.ts'
import { encodeCbor } from '../src/protocol/contract/index.ts'
import {
  firstMessage,
  flipped,
  greeting,
  hex,
  joined,
  named,
  prefixed,
  record,
  type Session,
  session,
  type SessionOptions,
  text,
} from './channel-vector-session.ts'

export interface BadVector {
  readonly name: string
  readonly pattern: PatternName
  /** Who receives the stream. */
  readonly to: 'client' | 'server'
  readonly stream: string
  /** Whether the handshake comes to an end, so that it is the records that are wrong. */
  readonly channel: boolean
  readonly delivered: readonly string[]
  /** What the end fails with; with `untrusted` a client says that it is another server. */
  readonly error: 'channel_broken' | 'untrusted' | 'connection_lost'
}

const { data, rekey, close, pad, ping } = recordTypes
const nothing = new Uint8Array(0)
const hello = text('hello')

export function badV2(): readonly BadVector[] {
  return [...toServer(), ...firstMessages(), ...thirdMessages(), ...toClient(), ...greetings(), ...records('server'), ...records('client')]
}

function row(
  name: string,
  pattern: PatternName,
  to: 'client' | 'server',
  stream: Uint8Array,
  error: BadVector['error'] = 'channel_broken',
): BadVector {
  return { name, pattern, to, stream: hex(stream), channel: false, delivered: [], error }
}

/** Preambles. */
function toServer(): readonly BadVector[] {
  const { preamble, first } = session('XX')
  const flips = [...preamble.keys()].map((at) => row(`preamble, byte ${at} flipped`, 'XX', 'server', joined(flipped(preamble, at), first)))
  const changed = (name: string, at: number, values: readonly number[]): BadVector => {
    const bytes = new Uint8Array(preamble)
    bytes.set(values, at)
    return row(name, 'XX', 'server', joined(bytes, first, new Uint8Array(100)))
  }
  const longer = session('XX', { preamble: Uint8Array.of(...preamble.subarray(0, 7), 37), firstPayload: hello })
  return [
    ...flips,
    changed('a preamble of pattern 0', 4, [0]),
    changed('a preamble of pattern 4', 4, [4]),
    changed('XX named IK', 4, [2]),
    changed('all flags set', 5, [255]),
    changed('a first message without bytes', 6, [0, 0]),
    changed('a first message that is too short', 6, [0, 31]),
    changed('a first message of 65,535 bytes', 6, [255, 255]),
    row('a first message with a payload', 'XX', 'server', joined(longer.preamble, longer.first)),
    row('version 1', 'XX', 'server', joined(Uint8Array.of(1), new Uint8Array(41))),
    row('a frame without a channel', 'XX', 'server', text('MAGC\x03\0\x05hello0000')),
    row('a TLS handshake', 'XX', 'server', Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 252)),
    row('a request of the web', 'XX', 'server', text('GET / HTTP/1.1\r\n\r\n')),
    row('an end inside the preamble', 'XX', 'server', preamble.subarray(0, 5)),
    row('an end inside the first message', 'XX', 'server', joined(preamble, first.subarray(0, 31))),
  ]
}

/** First messages of IK and NK, and keys that are worth nothing. */
function firstMessages(): readonly BadVector[] {
  const { preamble, first, client } = session('IK')
  const flips = [0, 31, 32, 63, 64, 79, 80, 95].map((at) =>
    row(`IK, first message, byte ${at} flipped`, 'IK', 'server', joined(preamble, flipped(first, at))),
  )
  const other = KeyPair.from(named('another server')).publicKey
  const bound = session('IK', { binding: named('binding') })
  return [
    ...flips,
    ...lowOrder().map((key, at) => row(`XX, ephemeral key of low order ${at}`, 'XX', 'server', joined(encodePreamble('XX'), key))),
    ...lowOrder().map((key, at) => row(`IK, ephemeral key of low order ${at}`, 'IK', 'server', joined(preamble, key, first.subarray(32)))),
    row('IK for another server', 'IK', 'server', firstMessage('IK', other)),
    row('NK for another server', 'NK', 'server', firstMessage('NK', other)),
    row('IK under another prologue', 'IK', 'server', joined(bound.preamble, bound.first)),
    row('IK under the preamble of NK', 'IK', 'server', joined(encodePreamble('NK'), first)),
    row('IK without a record', 'IK', 'server', joined(preamble, first)),
    row('IK and a record under another key', 'IK', 'server', joined(preamble, first, record(session('NK').client, ping))),
    row('IK and half a record', 'IK', 'server', joined(preamble, first, record(client, ping).subarray(0, 20))),
    row('IK, its first message twice', 'IK', 'server', joined(preamble, first, first)),
  ]
}

/** The seven points of low order that X25519 has, each with the bit that it ignores clear and set. */
export function lowOrder(): readonly Uint8Array[] {
  const prime = 2n ** 255n - 19n
  const order8 = [
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  ]
  return [0n, 1n, ...order8, prime - 1n, prime, prime + 1n].flatMap((point) => [littleEndian(point), littleEndian(point + 2n ** 255n)])
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn))
}

function thirdMessages(): readonly BadVector[] {
  const { preamble, first, second, third } = session('XX')
  const begun = joined(preamble, first)
  const after = (name: string, bytes: Uint8Array): BadVector => row(name, 'XX', 'server', joined(begun, bytes))
  const longer = session('XX', { thirdPayload: hello })
  const other = session('XX', { keys: { clientEphemeral: named('another ephemeral') } })
  return [
    ...[0, 31, 32, 47, 48, 63].map((at) => after(`third message, byte ${at} flipped`, prefixed(flipped(third, at)))),
    after('a third message with a payload', prefixed(longer.third)),
    after('a third message that says 63 bytes', joined(Uint8Array.of(0, 63), third)),
    after('a third message that says 65,535 bytes', joined(Uint8Array.of(255, 255), third)),
    after('the third message of another handshake', prefixed(other.third)),
    after('the second message in place of the third', prefixed(second)),
    after('the first message again', first),
    after('no third message', nothing),
    after('an end inside the third message', prefixed(third).subarray(0, 65)),
  ]
}

/** Second messages. */
function toClient(): readonly BadVector[] {
  const xx = session('XX')
  const ik = session('IK')
  const other: SessionOptions = { keys: { clientEphemeral: named('another ephemeral') } }
  const elsewhere: SessionOptions = { keys: { serverStatic: named('another server') } }
  const answer = (name: string, bytes: Uint8Array): BadVector => row(name, 'XX', 'client', bytes)
  const pinned = (name: string, bytes: Uint8Array): BadVector => row(name, 'IK', 'client', bytes, 'untrusted')
  const places = [0, 31, 32, 63, 64, 79, 80, -17, -16, -1]
  return [
    ...places.map((at) => answer(`XX, second message, byte ${at} flipped`, prefixed(flipped(xx.second, at)))),
    ...[0, 31, 32, -17, -16, -1].map((at) => pinned(`IK, second message, byte ${at} flipped`, prefixed(flipped(ik.second, at)))),
    ...lowOrder().map((key, at) =>
      answer(`XX, the server's ephemeral key of low order ${at}`, prefixed(joined(key, xx.second.subarray(32)))),
    ),
    ...[0, 31, 1_025, 65_535].map((length) =>
      answer(
        `XX, a second message of ${length} bytes`,
        joined(Uint8Array.of(length >>> 8, length & 255), xx.second, new Uint8Array(2_000)),
      ),
    ),
    answer('XX, a second message that says one byte less', joined(Uint8Array.of(0, xx.second.length - 1), xx.second)),
    answer('XX, a second message that says one byte more', joined(Uint8Array.of(0, xx.second.length + 1), xx.second, Uint8Array.of(0))),
    answer('XX answered as IK', prefixed(ik.second)),
    answer('XX, the second message of another handshake', prefixed(session('XX', other).second)),
    answer('XX under another prologue', prefixed(session('XX', { binding: named('binding') }).second)),
    answer('XX under another preamble', prefixed(session('XX', { preamble: encodePreamble('IK') }).second)),
    row('XX, a server with another key', 'XX', 'client', prefixed(session('XX', elsewhere).second), 'untrusted'),
    pinned('IK answered as XX', prefixed(xx.second)),
    pinned('IK, a server with another key', prefixed(session('IK', elsewhere).second)),
    pinned('IK, the second message of another handshake', prefixed(session('IK', other).second)),
    row('XX, an end inside the second message', 'XX', 'client', prefixed(xx.second).subarray(0, 50), 'connection_lost'),
    row('XX answered by version 1', 'XX', 'client', joined(Uint8Array.of(2), new Uint8Array(68)), 'connection_lost'),
    row('IK, no answer', 'IK', 'client', nothing, 'connection_lost'),
  ]
}

/** Second messages of the right server with the wrong payload. */
function greetings(): readonly BadVector[] {
  const payloads: readonly [string, Uint8Array][] = [
    ['empty', nothing],
    ['no CBOR', Uint8Array.of(0xff)],
    ['CBOR and more', joined(encodeGreeting(greeting), Uint8Array.of(0))],
    ['no map', encodeCbor([1, 2])],
    ['without this version', encodeCbor({ ...greeting, limits: { ...greeting.limits }, versions: [1, 3] })],
    ['without limits', encodeCbor({ server: greeting.server, versions: [2], time: 1 })],
    ['with a limit below the floor', encodeCbor({ ...greeting, limits: { ageMsMax: 1_000, recordBytesMax: 1_023 } })],
    ['with a time before 1970', encodeCbor({ ...greeting, limits: { ...greeting.limits }, time: -1 })],
    ['with a server id of 65 bytes', encodeCbor({ ...greeting, limits: { ...greeting.limits }, server: new Uint8Array(65) })],
  ]
  return payloads.map(([what, payload]) => row(`a greeting ${what}`, 'XX', 'client', prefixed(session('XX', { payload }).second)))
}

/** Records, after a whole handshake and one good record. */
function records(to: 'client' | 'server'): readonly BadVector[] {
  const after = (name: string, make: (own: CipherState, first: Uint8Array, made: Session) => Uint8Array): BadVector => {
    const made = session('XX')
    const handshake = to === 'client' ? prefixed(made.second) : joined(made.preamble, made.first, prefixed(made.third))
    const own = to === 'client' ? made.server : made.client
    const first = record(own, data, hello)
    const stream = joined(handshake, first, make(own, first, made))
    return { ...row(`to the ${to}: ${name}`, 'XX', to, stream), channel: true, delivered: [hex(hello)] }
  }
  const length = (value: number) => (header: Uint8Array) => new DataView(header.buffer).setUint32(0, value)
  const sizes = [0, 1, 15, 16, 65_536, 2 ** 24, 2 ** 32 - 1].map((value) =>
    after(`a length of ${value}`, (own) => record(own, data, hello, { header: length(value) })),
  )
  const flips = Array.from({ length: 16 + 1 + 5 + 16 }, (_, at) =>
    after(`byte ${at} of a record flipped`, (own) => flipped(record(own, data, hello), at)),
  )
  const cuts = Array.from({ length: 16 + 1 + 5 + 16 }, (_, at) =>
    after(`an end after ${at} bytes of a record`, (own) => record(own, data, hello).subarray(0, at)),
  )
  return [...sizes, ...flips, ...cuts, ...orders(after, to), ...contents(after), ...keys(after)]
}

type After = (name: string, make: (own: CipherState, first: Uint8Array, made: Session) => Uint8Array) => BadVector

/** Records out of their place. */
function orders(after: After, to: 'client' | 'server'): readonly BadVector[] {
  const skipped = (own: CipherState, count: number): Uint8Array => {
    for (let at = 0; at < count; at++) record(own, data, hello)
    return record(own, data, hello)
  }
  const numbered = (change: (header: Uint8Array) => void) => (own: CipherState) => record(own, data, hello, { header: change })
  return [
    after('a record twice', (_, first) => first),
    after('two records exchanged', (own) => {
      const early = record(own, data, hello)
      return joined(record(own, data, hello), early)
    }),
    after('a record left out', (own) => skipped(own, 1)),
    after('255 records left out', (own) => skipped(own, 255)),
    after("the receiver's own record", (_, __, made) => record(to === 'client' ? made.client : made.server, data, hello)),
    after('a record of the other direction with the right number', (_, __, made) => {
      const wrong = to === 'client' ? made.client : made.server
      record(wrong, data, hello)
      return record(wrong, data, hello)
    }),
    after(
      'a nonce with its highest bit set',
      numbered((header) => void (header[4] = 0x80)),
    ),
    after(
      'a nonce that is 2^32 too high',
      numbered((header) => void (header[11] = 1)),
    ),
    after(
      'a nonce in the other byte order',
      numbered((header) => void header.set([1, 0, 0, 0, 0, 0, 0, 0], 8)),
    ),
    after(
      'a nonce of zeros',
      numbered((header) => void header.fill(0, 4)),
    ),
  ]
}

/** Records that are authentic and say what none says. */
function contents(after: After): readonly BadVector[] {
  return [
    after('type 5', (own) => record(own, 5)),
    after('type 255', (own) => record(own, 255, hello)),
    after('data without bytes', (own) => record(own, data)),
    after('a ping with data', (own) => record(own, ping, hello)),
    after('a rekey with data', (own) => record(own, rekey, hello)),
    after('a close with data', (own) => record(own, close, hello)),
    after('an end without a close', () => nothing),
    after('an end after a pad', (own) => record(own, pad, hello)),
    after('data after the close', (own) => joined(record(own, close), record(own, data, hello))),
    after('a second close', (own) => joined(record(own, close), record(own, close))),
    after('a byte after the close', (own) => joined(record(own, close), Uint8Array.of(0))),
    after('a header that is not authenticated', (own) => record(own, data, hello, { associated: nothing })),
    after('a tag of 12 bytes', (own) => {
      const whole = record(own, data, hello, { header: (header) => void (header[3] = 18) })
      return whole.subarray(0, -4)
    }),
    after('plaintext', () => text('MAGC\x03\0\x05hello0000')),
  ]
}

/** Records under a key that is not theirs. */
function keys(after: After): readonly BadVector[] {
  return [
    after('the old key after a rekey', (own) => joined(record(own, rekey), record(own, data, hello))),
    after('a new key without a rekey', (own) => {
      own.rekey()
      return record(own, data, hello)
    }),
    after('two new keys after one rekey', (own) => {
      const announced = record(own, rekey)
      own.rekey()
      own.rekey()
      return joined(announced, record(own, data, hello))
    }),
    after('numbers that start again after a rekey', (own) => {
      const announced = record(own, rekey)
      own.rekey()
      return joined(announced, record(own, data, hello, { header: (header) => void header.fill(0, 4) }))
    }),
  ]
}
