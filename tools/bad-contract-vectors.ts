// The bad vectors of the contract: frames whose checksum is right and whose body is not. `layer` says who finds out (the
// reader of CBOR, of the envelope, of the method's name or of the fields), `error` and `id` what the answer is.

import { type CborValue, encodeCbor } from '../src/protocol/contract/index.ts'
import { bad, type BadVector, misanswered, misfit, refused, run } from './contract-vector.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

const shown = (value: CborValue): string => (value instanceof Uint8Array ? `of ${value.length} bytes` : JSON.stringify(value))

/** A request whose body is not CBOR as the contract has it. */
const undecodable = (name: string, body: Uint8Array): BadVector => bad(name, 'request', 'cbor', body, { id: null })
/** The same, where the parameter `data` of an echo stands. */
const inEcho = (name: string, hex: string): BadVector =>
  undecodable(name, joined(bytes('83 01'), encodeCbor('session.echo'), bytes('a1 64 64617461'), bytes(hex)))
/** The same, where the name of an account stands. */
const inName = (name: string, hex: string): BadVector =>
  undecodable(name, joined(bytes('83 01'), encodeCbor('directory.block'), bytes('a1 64 6e616d65'), bytes(hex)))
/** The same, where the parameters stand. */
const inPing = (name: string, hex: string): BadVector => undecodable(name, joined(bytes('83 01'), encodeCbor('session.ping'), bytes(hex)))
const withId = (name: string, hex: string): BadVector =>
  undecodable(name, joined(bytes('83'), bytes(hex), encodeCbor('session.ping'), bytes('a0')))

const ping = encodeCbor([1, 'session.ping', {}])
const nested = (depth: number): CborValue => (depth === 0 ? 0 : [nested(depth - 1)])

const cbor: readonly BadVector[] = [
  undecodable('no body', bytes('')),
  undecodable('a byte behind the value', joined(ping, bytes('00'))),
  undecodable('two values', joined(ping, ping)),
  ...[1, 2, 3, 9, ping.length - 1].map((length) => undecodable(`cut after ${length} bytes`, ping.slice(0, length))),
  withId('id 1 in two bytes', '18 01'),
  withId('id 23 in two bytes', '18 17'),
  withId('id 1 in three bytes', '19 0001'),
  withId('id 255 in three bytes', '19 00ff'),
  withId('id 1 in five bytes', '1a 00000001'),
  withId('id 65535 in five bytes', '1a 0000ffff'),
  withId('id 1 in nine bytes', '1b 0000000000000001'),
  withId('id 4294967295 in nine bytes', '1b 00000000ffffffff'),
  withId('id -1 in two bytes', '38 00'),
  undecodable('array of three in two bytes', joined(bytes('98 03'), ping.slice(1))),
  undecodable('array of three in five bytes', joined(bytes('9a 00000003'), ping.slice(1))),
  inPing('empty map in two bytes', 'b8 00'),
  inEcho('bytes with a length in two bytes', '58 01 2a'),
  inEcho('bytes with a length in nine bytes', '5b 0000000000000001 2a'),
  inName('text with a length in two bytes', '78 01 61'),
  inName('text with a length in three bytes', '79 0001 61'),
  undecodable('array without a length', joined(bytes('9f'), ping.slice(1), bytes('ff'))),
  inPing('map without a length', 'bf ff'),
  inEcho('bytes without a length', '5f 41 2a ff'),
  inName('text without a length', '7f 61 61 ff'),
  inPing('a break outside of anything', 'ff'),
  inPing('reserved additional information 28', '1c'),
  inPing('reserved additional information 31 of a number', '1f'),
  inPing('reserved additional information 30 of an array', '9e'),
  inEcho('a tag: bignum', 'c2 41 2a'),
  inPing('a tag: time', 'c1 01'),
  undecodable('a tag: self-described CBOR', joined(bytes('d9 d9f7'), ping)),
  inEcho('undefined', 'f7'),
  inEcho('simple value 0', 'e0'),
  inEcho('simple value 32', 'f8 20'),
  inEcho('simple value 20 in two bytes', 'f8 14'),
  withId('id 1.0 as a half', 'f9 3c00'),
  withId('id 1.0 as a single', 'fa 3f800000'),
  withId('id 1.0 as a double', 'fb 3ff0000000000000'),
  withId('id 1.5', 'f9 3e00'),
  withId('id -0.0', 'f9 8000'),
  withId('id NaN', 'f9 7e00'),
  withId('id NaN of another payload', 'f9 7e01'),
  withId('id Infinity', 'f9 7c00'),
  withId('id -Infinity as a double', 'fb fff0000000000000'),
  inPing('a key twice', 'a2 6161 01 6161 02'),
  inPing('the key __proto__ twice', 'a2 69 5f5f70726f746f5f5f a0 69 5f5f70726f746f5f5f a0'),
  inPing('a key twice, inside an unknown field', 'a1 6178 a2 6161 01 6161 01'),
  inPing('a number as a key', 'a1 01 02'),
  inPing('bytes as a key', 'a1 41 61 02'),
  inPing('null as a key', 'a1 f6 02'),
  inPing('an array as a key', 'a1 80 02'),
  inName('text of the byte ff', '61 ff'),
  inName('text that is cut inside a character', '62 e282'),
  inName('text of a continuation byte alone', '61 80'),
  inName('an overlong NUL', '62 c080'),
  inName('an overlong slash of three bytes', '63 e080af'),
  inName('a high surrogate', '63 eda080'),
  inName('a low surrogate', '63 edbfbf'),
  inName('a pair of surrogates, each in three bytes', '66 eda0bdedb88a'),
  inName('a character beyond U+10FFFF', '64 f4908080'),
  inName('long text that ends in a broken character', `78 28 ${'61'.repeat(38)} e282`),
  inPing('a key that is not UTF-8', 'a1 61ff 01'),
  undecodable('arrays 17 deep', encodeCbor([1, 'session.ping', nested(16)])),
  undecodable('arrays 10,000 deep', joined(bytes('83 01'), encodeCbor('session.ping'), new Uint8Array(10_000).fill(0x81))),
  inPing('an array of 2^32 - 1, empty', '9a ffffffff'),
  inPing('an array of 2^53, empty', '9b 0020000000000000'),
  inPing('a map of 2^64 - 1, empty', 'bb ffffffffffffffff'),
  inEcho('bytes of 4 GiB, none there', '5a ffffffff'),
  inName('text of 2^63 bytes, none there', '7b 8000000000000000'),
]

const misshapen = (name: string, value: CborValue): BadVector => bad(name, 'request', 'envelope', encodeCbor(value), { id: null })
const envelopes: readonly BadVector[] = [
  misshapen('a map instead of an array', { id: 1, method: 'session.ping', params: {} }),
  misshapen('a number instead of an array', 1),
  misshapen('null instead of an array', null),
  misshapen('an empty array', []),
  misshapen('no parameters', [1, 'session.ping']),
  misshapen('four items', [1, 'session.ping', {}, {}]),
  ...[-1, -4_294_967_296, 4_294_967_296, Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 64n - 1n, -(2n ** 64n)].map((id) =>
    misshapen(`id ${id}`, [id, 'session.ping', {}]),
  ),
  ...[null, '1', true, run(4), [1]].map((id) => misshapen(`id ${shown(id)}`, [id, 'session.ping', {}])),
  ...[null, 5, true, run(1), ['session.ping']].map((method) => misshapen(`method ${shown(method)}`, [1, method, {}])),
]

const methodNames = [
  '',
  'session.pong',
  'Session.ping',
  'session.ping\0',
  'session.hello',
  'session.goodbye',
  'inbox.entry',
  'x'.repeat(60_000),
]
const propertyNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
const unknown = [...methodNames, ...propertyNames].map((method) =>
  bad(`method ${JSON.stringify(method.slice(0, 20))}`, 'request', 'method', encodeCbor([7, method, {}]), {
    error: 'unknown_method',
    id: 7,
  }),
)

/** `encodeCbor` would take `__proto__` of a literal for the prototype. */
const own = (key: string): CborValue => Object.fromEntries([[key, 1]])
const fields: readonly BadVector[] = [
  ...[null, 1, '', true, [], [1], run(0), run(3)].map((params) => refused(`parameters ${shown(params)}`, 'session.ping', params)),
  ...['more', '', ...propertyNames].map((key) => refused(`unknown parameter ${JSON.stringify(key)}`, 'session.ping', own(key))),
  refused('arrays 16 deep', 'session.ping', nested(15)),
  refused('no data', 'session.echo', {}),
  refused('text for data', 'session.echo', { data: 'hello' }),
  refused('an array for data', 'session.echo', { data: [1, 2] }),
  refused('a map for data', 'session.echo', { data: { length: 1 } }),
  refused('null for data', 'session.echo', { data: null }),
  refused('a large number for data', 'session.echo', { data: 2n ** 60n }),
  refused('1,025 bytes', 'session.echo', { data: run(1_025) }),
  refused('no name', 'account.register', { invitation: run(16) }),
  refused('bytes for the name', 'account.register', { name: run(5) }),
  refused('invitation of 15 bytes', 'account.register', { name: 'alice', invitation: run(15) }),
  refused('invitation of 17 bytes', 'account.register', { name: 'alice', invitation: run(17) }),
  refused('invitation as text', 'account.register', { name: 'alice', invitation: 'x'.repeat(16) }),
  refused('null for the password', 'account.register', { name: 'alice', password: null }),
  refused('no password', 'account.login', { name: 'alice' }),
  refused('password of 1,025 code units', 'account.login', { name: 'alice', password: 'x'.repeat(1_025) }),
  refused('name of 257 code units', 'account.login', { name: '👋'.repeat(128) + 'x', password: 'correct-horse-battery' }),
  refused('token of 31 bytes', 'account.resume', { token: run(31) }),
  refused('token of 33 bytes', 'account.resume', { token: run(33) }),
  refused('no new password', 'account.password', { current: 'correct-horse-battery' }),
  refused('a word of no meaning', 'account.visibility', { visibility: 'all' }),
  refused('a word in capitals', 'account.visibility', { visibility: 'NOBODY' }),
  refused('null for the visibility', 'account.visibility', { visibility: null }),
  refused('a parameter that it does not have', 'directory.who', { name: 'bob' }),
  refused('no name', 'directory.block', {}),
]

const hellos: readonly BadVector[] = [
  bad('hello: no body', 'hello', 'cbor', bytes('')),
  misfit('an array', 'hello', [[1]]),
  misfit('an empty array', 'hello', []),
  misfit('a number', 'hello', 1),
  misfit('no versions', 'hello', { client: 'example 1.0' }),
  misfit('an empty list of versions', 'hello', { versions: [] }),
  misfit('17 versions', 'hello', { versions: Array.from({ length: 17 }, () => 1) }),
  misfit('version 65,536', 'hello', { versions: [65_536] }),
  misfit('version -1', 'hello', { versions: [-1] }),
  misfit('version as text', 'hello', { versions: ['1'] }),
  misfit('one version without a list', 'hello', { versions: 1 }),
  misfit('client of 65 code units', 'hello', { versions: [1], client: 'x'.repeat(65) }),
  misfit('client as bytes', 'hello', { versions: [1], client: run(3) }),
]

const limits = { bodyBytesMax: 65_535, echoBytesMax: 1_024, messageBodyBytesMax: 60_000 }
const welcome = { version: 1, time: 0, limits, features: [] }
const answers: readonly BadVector[] = [
  misfit('no limits', 'welcome', { version: 1, time: 0, features: [] }),
  misfit('an array for the limits', 'welcome', { ...welcome, limits: [1, 2, 3] }),
  misfit('limit over 65,535', 'welcome', { ...welcome, limits: { ...limits, bodyBytesMax: 65_536 } }),
  misfit('time before 1970', 'welcome', { ...welcome, time: -1 }),
  misfit('time of 2^53', 'welcome', { ...welcome, time: 2n ** 53n }),
  misfit('features as text', 'welcome', { ...welcome, features: 'registration-open' }),
  misfit('features as numbers', 'welcome', { ...welcome, features: [1] }),
  bad('result: one item', 'result', 'envelope', encodeCbor([1]), { method: 'session.ping' }),
  bad('result: id null', 'result', 'envelope', encodeCbor([null, {}]), { method: 'session.ping' }),
  bad('result: id 2^32', 'result', 'envelope', encodeCbor([2 ** 32, {}]), { method: 'session.ping' }),
  misanswered('an array', 'inbox.ack', []),
  misanswered('null', 'inbox.ack', null),
  misanswered('no time', 'session.ping', {}),
  misanswered('negative time', 'session.ping', { time: -1 }),
  misanswered('token of 31 bytes', 'account.login', { name: 'alice', token: run(31) }),
  misanswered('a person without contact', 'directory.who', { people: [{ name: 'bob' }], more: false }),
  misanswered('a person that is a text', 'directory.who', { people: ['bob'], more: false }),
  misanswered('people as a map', 'directory.who', { people: {}, more: false }),
  misanswered('names of numbers', 'directory.blocked', { names: [1] }),
  bad('fault: two items', 'fault', 'envelope', encodeCbor([1, 0x11])),
  bad('fault: id -1', 'fault', 'envelope', encodeCbor([-1, 0x11, 'x'])),
  bad('fault: code as text', 'fault', 'envelope', encodeCbor([1, 'malformed', 'x'])),
  bad('fault: sentence as bytes', 'fault', 'envelope', encodeCbor([1, 0x11, run(1)])),
  bad('fault: code 17.0', 'fault', 'cbor', joined(bytes('83 01'), bytes('f9 4c40'), encodeCbor('x'))),
  bad('event: one item', 'event', 'envelope', encodeCbor(['presence.typing'])),
  bad('event: number as its name', 'event', 'envelope', encodeCbor([1, {}])),
  misfit('no name', 'event', ['presence.typing', { conversation: 1 }]),
  misfit('an array for the data', 'event', ['presence.typing', []]),
]

/** In the order of their layers. */
export const badVectors: readonly BadVector[] = [...cbor, ...envelopes, ...unknown, ...fields, ...hellos, ...answers]
