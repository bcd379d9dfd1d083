// Makes vectors/contract/ from fixed inputs. Run once, reviewed, then frozen: a change of these files is a
// change of the wire. The independent check is test/vectors/check_contract.py. What conversations need is in
// conversation-vectors.ts, what payments need in payment-vectors.ts, direct links in direct-vectors.ts, the bad ones in
// bad-contract-vectors.ts and bad-conversation-vectors.ts.

import {
  type CborValue,
  encodeCbor,
  encodeFault,
  encodeHello,
  encodeWelcome,
  goodbyeBody,
  requestIdMax,
} from '../src/protocol/contract/index.ts'
import { type Code, codes } from '../src/protocol/index.ts'
import { badVectors } from './bad-contract-vectors.ts'
import { badConversationVectors } from './bad-conversation-vectors.ts'
import { type Kind, request, result, run, vector, writeVectors } from './contract-vector.ts'
import { conversationEvents, conversationRequests, conversationResults } from './conversation-vectors.ts'
import { badDirectVectors, directVectors } from './direct-vectors.ts'
import { badPaymentVectors, paymentVectors } from './payment-vectors.ts'

const token = Uint8Array.from({ length: 32 }, (_, at) => (at * 31 + 7) & 0xff)
const invitation = Uint8Array.from({ length: 16 }, (_, at) => 255 - at)
const time = 1_790_000_000_000
const serverId = Uint8Array.from({ length: 16 }, (_, at) => at * 16 + 1)
const hex = (...parts: readonly string[]): Uint8Array => new Uint8Array(Buffer.from(parts.join(''), 'hex'))
const device = '70e06aa4a4174a56eb62'
/** A real enrolment for the server with this number: both have signatures, which cannot be made again. */
const enrolment = {
  csr: hex(
    '3081ba306202010030003059301306072a8648ce3d020106082a8648ce3d030107034200049d5d282ba33520a9b860e5f80f',
    'c5b284428c6b5a7b4dedf16ccb46bb86bdd8d63113c5b40671541681ac0ac561e247c59a561cbd68cb056d4dfbba2af98668',
    '62a000300a06082a8648ce3d0403020348003045022012036ff44c0ee17e37fb74a431f1c972b6f025b6481d19a40edc26ea',
    'aa716241022100e4bf0a420814986198fc1e9e401882d620c0bd937cef281bff7a2e8dde38b6e9',
  ),
  statement: hex(
    '845826a20127045820471520fe678b4b27f63fe1a33c38a65e05af804ea1baafdffd653c92d4e92e6fa05878845001112131',
    '415161718191a1b1c1d1e1f1582009d95624f056eec43a6d9d2b616a83e9f9911e163d4918870633b1cd2c12aa7858204715',
    '20fe678b4b27f63fe1a33c38a65e05af804ea1baafdffd653c92d4e92e6f58204c4ec1db85dd7f2a576ad413eb76e776b0dc',
    '129a397371404c3b4bbcd0a6b676584089978e6e7cf7aade7093154bdbebbc02d6f66fbab7f63795e3614aebc872ab49e84b',
    '008a9917fba9b6cd097353cb3f2bfeddced32ae7ddce0e0ca9fc977dfd0c',
  ),
}

const limits = { bodyBytesMax: 65_535, echoBytesMax: 1_024, messageBodyBytesMax: 60_000 }
const welcome = { version: 1, time, limits, features: ['registration-invite'] }
const deviceWelcome = { ...welcome, server: serverId, features: ['registration-invite', 'device-login', 'join-only'] }
const ledgerWelcome = { ...deviceWelcome, ledger: { key: run(32, 7), certificate: run(220) } }
const greetings = [
  { versions: [1] },
  { versions: [1, 2, 65_535], client: 'example 1.0' },
  { versions: Array.from({ length: 16 }, (_, at) => at), client: 'Ä'.repeat(64) },
].map((hello) => vector(`hello ${JSON.stringify(hello.versions)}`, 'hello', hello, encodeHello(hello)))
const welcomes = [
  vector('welcome', 'welcome', welcome, encodeWelcome(welcome)),
  vector('welcome of a server for devices', 'welcome', deviceWelcome, encodeWelcome(deviceWelcome)),
  vector('welcome of a server with a ledger', 'welcome', ledgerWelcome, encodeWelcome(ledgerWelcome)),
  ...[0, Number.MAX_SAFE_INTEGER].map((at) => {
    const other = { ...welcome, time: at, features: [] }
    return vector(`welcome at ${at}`, 'welcome', other, encodeWelcome(other))
  }),
]

const requests = [
  request('echo nothing', 0, 'session.echo', { data: run(0) }),
  request('echo 1,024 bytes, the most', requestIdMax, 'session.echo', { data: run(1_024) }),
  ...[1, 23, 24, 255, 256, 65_535, 65_536].map((id) => request(`ping with the id ${id}`, id, 'session.ping', {})),
  request('register with an invitation', 1, 'account.register', { name: 'alice', invitation }),
  request('register with a password', 1, 'account.register', { name: 'Алиса', invitation, password: 'correct-horse-battery' }),
  request('register without either', 1, 'account.register', { name: 'bob' }),
  request('log in', 1, 'account.login', { name: 'alice', password: 'a:b:c:correct horse' }),
  request('log in with an emoji and a byte order mark in the password', 2, 'account.login', {
    name: 'alice',
    password: '\ufeff👋🏽 hello hello',
  }),
  request('resume', 1, 'account.resume', { token }),
  request('set the first password', 2, 'account.password', { next: 'correct-horse-battery' }),
  request('change the password', 3, 'account.password', { current: 'correct-horse-battery', next: 'staple-correct-horse' }),
  request('ask for the visibility', 4, 'account.visibility', {}),
  request('change the visibility', 5, 'account.visibility', { visibility: 'everyone' }),
  request('enrol', 2, 'device.enrol', enrolment),
  request('enrol with a label', 2, 'device.enrol', { ...enrolment, label: 'Alices Läptop' }),
  request('log in with a certificate', 1, 'device.login', {}),
  request('list the devices', 3, 'device.list', {}),
  request('revoke a device', 4, 'device.revoke', { device }),
  request('who', 6, 'directory.who', {}),
  request('block', 7, 'directory.block', { name: 'mallory' }),
  request('unblock', 8, 'directory.unblock', { name: 'mallory' }),
  request('blocked', 9, 'directory.blocked', {}),
  request('block a name of 256 code units', 11, 'directory.block', { name: 'x'.repeat(256) }),
]

const results = [
  result('echoed nothing', 0, 'session.echo', { data: run(0) }),
  result('echoed 1,024 bytes', requestIdMax, 'session.echo', { data: run(1_024) }),
  result('pinged', 1, 'session.ping', { time }),
  result('registered', 1, 'account.register', { name: 'alice', token }),
  result('logged in', 1, 'account.login', { name: 'Alice', token }),
  result('resumed', 1, 'account.resume', { name: 'Алиса' }),
  result('password set', 2, 'account.password', {}),
  ...(['everyone', 'contacts', 'nobody'] as const).map((visibility) =>
    result(`visible to ${visibility}`, 5, 'account.visibility', { visibility }),
  ),
  result('enrolled', 2, 'device.enrol', { device, certificate: run(500, 0x30), authority: run(400, 0x30) }),
  result('enrolled, to log in elsewhere', 2, 'device.enrol', { device, certificate: run(4_096), authority: run(1), port: 5_555 }),
  result('logged in with a certificate', 1, 'device.login', { name: 'alice', device }),
  result('no devices', 3, 'device.list', { devices: [] }),
  result('the devices', 3, 'device.list', {
    devices: [
      { device, label: 'laptop', here: true, enrolledAt: time, usedAt: time + 1, expiresAt: time + 2 },
      { device: 'f'.repeat(20), label: '', here: false, enrolledAt: 0, expiresAt: Number.MAX_SAFE_INTEGER },
    ],
  }),
  result('revoked', 4, 'device.revoke', {}),
  result('nobody is here', 6, 'directory.who', { people: [], more: false }),
  result('who is here', 6, 'directory.who', {
    people: [
      { name: 'bob', contact: true },
      { name: 'Алиса', contact: false },
    ],
    more: true,
  }),
  result('blocked', 7, 'directory.block', {}),
  result('unblocked', 8, 'directory.unblock', {}),
  result('who is blocked', 9, 'directory.blocked', { names: ['mallory', '李'] }),
]

const travelling = (Object.keys(codes) as Code[]).filter((code) => codes[code].wire < 0x40 || code === 'internal')
const faults = travelling.map((code) => {
  const fault = { id: codes[code].fatal ? null : codes[code].wire, code, sentence: `the sentence of ${code}` }
  return vector(`fault ${code}`, 'fault', [fault.id, codes[code].wire, fault.sentence], encodeFault(fault))
})

/** What only a later version says, and keys in another order: read, and never written by this version. */
const read = (name: string, kind: Kind, body: CborValue, value: unknown, rest: object = {}) => ({
  ...vector(name, kind, value, encodeCbor(body)),
  ...rest,
  onlyRead: true,
})
const later = [
  read('hello with a field of later', 'hello', { versions: [1], later: true }, { versions: [1] }),
  read('welcome with fields of later', 'welcome', { ...welcome, later: [], limits: { ...limits, later: 1 } }, welcome),
  read('result with a field of later', 'result', [1, { time, later: null }], [1, { time }], { method: 'session.ping' }),
  read(
    'event with a field of later',
    'event',
    ['presence.changed', { name: 'bob', here: true, later: 'x' }],
    ['presence.changed', { name: 'bob', here: true }],
  ),
  read('event of later', 'event', ['message.sung', { song: 'x' }], null),
  read('fault with a code of later', 'fault', [1, 0x3f, 'new'], [1, codes.refused.wire, 'new']),
  read('fault with a code that does not travel', 'fault', [1, codes.usage.wire, 'odd'], [1, codes.internal.wire, 'odd']),
]
/** The longer key first: the order that an encoder chooses means nothing. */
const otherOrder = Buffer.concat([
  ...[Uint8Array.of(0x83), encodeCbor(2), encodeCbor('account.login'), Uint8Array.of(0xa2)],
  ...['password', 'p', 'name', 'a'].map((each) => encodeCbor(each)),
])
const ordered = {
  ...vector('keys in another order', 'request', [2, 'account.login', { name: 'a', password: 'p' }], otherOrder),
  onlyRead: true,
}

const good = [
  ...greetings,
  ...welcomes,
  ...requests,
  ...results,
  ...faults,
  vector('goodbye', 'goodbye', {}, goodbyeBody),
  ...later,
  ordered,
]

writeVectors('contract', {
  good,
  bad: badVectors,
  'conversations-good': [...conversationRequests, ...conversationResults, ...conversationEvents],
  'conversations-bad': badConversationVectors,
  'payments-good': paymentVectors,
  'payments-bad': badPaymentVectors,
  'direct-good': directVectors,
  'direct-bad': badDirectVectors,
})
