// Makes vectors/direct/, what two devices say on a direct link, from fixed inputs. Run once, reviewed, then frozen, as those of the
// contract are; the same Python reader checks them.

import { type CborValue, encodeCbor, requestIdMax, type Result } from '../src/protocol/contract/index.ts'
import { type PeerMethod, peerMethods } from '../src/protocol/direct/index.ts'
import { bad, type BadVector, misanswered, refused, run, vector, vectorsOf, writeVectors } from './contract-vector.ts'

const { request, result } = vectorsOf(peerMethods)
const at = 1_790_000_000_000
const id = Uint8Array.from({ length: 16 }, (_, index) => (index === 6 ? 0x70 : index === 8 ? 0x80 : index))
const token = run(16)
const said = { conversation: 7, id, body: new TextEncoder().encode('hello'), at, behind: { seq: 0 } }
const everything = {
  ...{ conversation: Number.MAX_SAFE_INTEGER, id, type: 'x'.repeat(128), body: run(60_000), replyTo: 3 },
  ...{ mentions: ['bob', 'Алиса'], at: 0, behind: { seq: Number.MAX_SAFE_INTEGER, id } },
}
const chunk = { id, offset: 0, length: 60_000 }
const transfer: Result<'payment.order'> = {
  id,
  kind: 'pay',
  status: 'posted',
  unit: 'credits',
  amount: '12.50',
  payer: 'alice',
  payee: 'bob',
  signer: 'alice',
  posting: 9,
  at,
  memo: 'bread',
}

const good = [
  request('hello', 0, 'direct.hello', { versions: [1], token }),
  request('hello of a later device', 0, 'direct.hello', { versions: [2, 1], token }),
  request('ping', 0, 'direct.ping', {}),
  request('say', 1, 'direct.say', said),
  request('say with everything there is', requestIdMax, 'direct.say', everything),
  request('pay', 2, 'direct.pay', { order: run(250) }),
  request('pay with a memo', 2, 'direct.pay', { order: run(4_096), memo: 'bread' }),
  request('a chunk of a file', 3, 'direct.file', chunk),
  request('the last byte of the largest file', 3, 'direct.file', { ...chunk, offset: 5_000_000_000, length: 1 }),
  result('the version', 0, 'direct.hello', { version: 1 }),
  result('pinged', 0, 'direct.ping', {}),
  result('stored', 1, 'direct.say', {}),
  result('settled', 2, 'direct.pay', { state: 'settled', transfer, receipt: run(300) }),
  result('held', 2, 'direct.pay', { state: 'held' }),
  result('no bytes', 3, 'direct.file', { data: run(0) }),
  result('60,000 bytes', 3, 'direct.file', { data: run(60_000) }),
  {
    ...vector('a result with a field of later', 'result', [2, { state: 'held' }], encodeCbor([2, { state: 'held', later: 1 }])),
    ...{ method: 'direct.pay', onlyRead: true },
  },
]

type Fields = Readonly<Record<string, CborValue>>
const without = (fields: Fields, key: string): CborValue => Object.fromEntries(Object.entries(fields).filter(([each]) => each !== key))
const whole: Readonly<Record<PeerMethod, Fields>> = {
  'direct.hello': { versions: [1], token },
  'direct.ping': {},
  'direct.say': said,
  'direct.pay': { order: run(250) },
  'direct.file': chunk,
}

const badOnes: readonly BadVector[] = [
  ...['session.ping', 'direct.offer', 'direct.Say', '__proto__'].map((method) =>
    bad(`method '${method}'`, 'request', 'method', encodeCbor([7, method, {}]), { error: 'unknown_method', id: 7 }),
  ),
  ...Object.entries(whole).flatMap(([method, fields]) => [
    refused('a parameter that it does not have', method, { ...fields, more: 1 }),
    refused('an array for the parameters', method, []),
    ...Object.keys(fields).map((key) => refused(`no ${key}`, method, without(fields, key))),
  ]),
  refused('no version', 'direct.hello', { versions: [], token }),
  refused('17 versions', 'direct.hello', { versions: Array.from({ length: 17 }, () => 1), token }),
  refused('version 65,536', 'direct.hello', { versions: [65_536], token }),
  ...[0, 15, 17].map((length) => refused(`token of ${length} bytes`, 'direct.hello', { versions: [1], token: run(length) })),
  refused('id of 15 bytes', 'direct.say', { ...said, id: run(15) }),
  refused('60,001 bytes', 'direct.say', { ...said, body: run(60_001) }),
  refused('body as text', 'direct.say', { ...said, body: 'hello' }),
  refused('a type that is not ASCII', 'direct.say', { ...said, type: 'ä/b' }),
  refused('51 mentions', 'direct.say', { ...said, mentions: Array.from({ length: 51 }, () => 'bob') }),
  refused('behind as a number', 'direct.say', { ...said, behind: 0 }),
  refused('behind nothing', 'direct.say', { ...said, behind: {} }),
  refused('behind with more', 'direct.say', { ...said, behind: { seq: 0, more: 1 } }),
  refused('behind an id of 17 bytes', 'direct.say', { ...said, behind: { seq: 0, id: run(17) } }),
  refused('behind -1', 'direct.say', { ...said, behind: { seq: -1 } }),
  refused('a file', 'direct.say', { ...said, file: id }),
  refused('order of 4,097 bytes', 'direct.pay', { order: run(4_097) }),
  refused('memo of 201 characters', 'direct.pay', { order: run(250), memo: 'x'.repeat(201) }),
  ...[0, 60_001].map((length) => refused(`length ${length}`, 'direct.file', { ...chunk, length })),
  refused('offset over 5 GB', 'direct.file', { ...chunk, offset: 5_000_000_001 }),
  misanswered('no version', 'direct.hello', {}),
  misanswered('version as text', 'direct.hello', { version: '1' }),
  misanswered('no state', 'direct.pay', {}),
  misanswered('a state that there is not', 'direct.pay', { state: 'refused' }),
  misanswered('settled without a transfer', 'direct.pay', { state: 'settled', receipt: run(300) }),
  misanswered('settled without a receipt', 'direct.pay', { state: 'settled', transfer }),
  misanswered('receipt of 16,385 bytes', 'direct.pay', { state: 'settled', transfer, receipt: run(16_385) }),
  misanswered('60,001 bytes', 'direct.file', { data: run(60_001) }),
  misanswered('no bytes', 'direct.file', {}),
]

writeVectors('direct', { good, bad: badOnes })
