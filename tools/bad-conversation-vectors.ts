// The bad vectors of conversations: for every method and event something that is missing, too large or of another kind.

import type { CborValue } from '../src/protocol/contract/index.ts'
import { type BadVector, misanswered, misfit, refused, run } from './contract-vector.ts'

type Fields = Readonly<Record<string, CborValue>>

const id = run(16)
const sha256 = run(32)
const body = run(1)
const inOne = { conversation: 7, target: 3, id }
const file = { id, conversation: 7, name: 'x', size: 1, sha256 }
const without = (fields: Fields, key: string): CborValue => Object.fromEntries(Object.entries(fields).filter(([each]) => each !== key))

/** Methods that take nothing, and those whose parameters may all be left out. */
const surplus = [
  ...['device.link', 'device.challenge', 'contact.list', 'conversation.list', 'inbox.open', 'account.privacy'],
  ...['conversation.find', 'room.join'],
].map((method) => refused('a parameter that it does not have', method, { more: 1 }))

/** What each method cannot do without. */
const whole: Readonly<Record<string, Fields>> = {
  'account.link': { secret: id },
  'device.enrolKey': { statement: body },
  'device.prove': { proof: body },
  'contact.request': { name: 'bob', id },
  'contact.accept': { name: 'bob' },
  'contact.decline': { name: 'bob' },
  'contact.remove': { name: 'bob' },
  'conversation.retain': { conversation: 7 },
  'message.send': { id, body },
  'message.edit': { ...inOne, body },
  'message.delete': inOne,
  'message.react': { ...inOne, emoji: 'x', on: true },
  'message.pin': { ...inOne, on: true },
  'message.history': { conversation: 7 },
  'message.search': { text: 'x' },
  'inbox.ack': { seq: 1 },
  'mark.read': { conversation: 7, seq: 1 },
  'presence.typing': { conversation: 7 },
  'room.create': { id, title: 'team' },
  'room.update': { conversation: 8 },
  'room.invite': { conversation: 8, name: 'bob' },
  'room.link': { conversation: 8 },
  'room.leave': { conversation: 8 },
  'room.remove': { conversation: 8, name: 'bob' },
  'room.role': { conversation: 8, name: 'bob', role: 'member' },
  'room.members': { conversation: 8 },
  'file.begin': file,
  'file.put': { id, offset: 0, data: body },
  'file.end': { id },
  'file.abandon': { id },
  'file.find': { id },
  'file.get': { id, offset: 0, length: 1 },
}
const missing = Object.entries(whole).flatMap(([method, fields]) =>
  Object.keys(fields).map((key) => refused(`no ${key}`, method, without(fields, key))),
)

const wrong = (name: string, method: string, fields: Fields): BadVector => refused(name, method, { ...whole[method], ...fields })
const fields: readonly BadVector[] = [
  ...[15, 17].flatMap((length) => [
    wrong(`secret of ${length} bytes`, 'account.link', { secret: run(length) }),
    wrong(`id of ${length} bytes`, 'message.send', { to: 'bob', id: run(length) }),
    wrong(`id of ${length} bytes`, 'contact.request', { id: run(length) }),
    wrong(`secret of ${length} bytes`, 'room.join', { secret: run(length) }),
    wrong(`id of ${length} bytes`, 'file.put', { id: run(length) }),
  ]),
  wrong('statement of 513 bytes', 'device.enrolKey', { statement: run(513) }),
  wrong('label of 65 code units', 'device.enrolKey', { label: 'x'.repeat(65) }),
  wrong('proof of 513 bytes', 'device.prove', { proof: run(513) }),
  wrong('proof as text', 'device.prove', { proof: 'x' }),
  wrong('name of 257 code units', 'contact.request', { name: 'x'.repeat(257) }),
  wrong('text of 1,001 bytes', 'contact.request', { text: run(1_001) }),
  wrong('text as text', 'contact.request', { text: 'hello' }),
  wrong('a number for the name', 'contact.accept', { name: 7 }),
  wrong('a number for the place', 'contact.list', { after: 7 }),
  wrong('a name for the number', 'conversation.list', { after: 'bob' }),
  wrong('number -1', 'conversation.find', { conversation: -1 }),
  wrong('number 2^53', 'conversation.find', { conversation: 2n ** 53n }),
  wrong('999 ms', 'conversation.retain', { retentionMs: 999 }),
  wrong('null for ever', 'conversation.retain', { retentionMs: null }),
  wrong('id as text', 'message.send', { to: 'bob', id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }),
  wrong('text for the body', 'message.send', { to: 'bob', body: 'hello' }),
  wrong('60,001 bytes', 'message.send', { to: 'bob', body: run(60_001) }),
  wrong('type of 129 characters', 'message.send', { to: 'bob', type: 'x'.repeat(129) }),
  wrong('empty type', 'message.send', { to: 'bob', type: '' }),
  wrong('type with a line break', 'message.send', { to: 'bob', type: 'text/plain\n' }),
  wrong('type with an umlaut', 'message.send', { to: 'bob', type: 'text/plän' }),
  wrong('51 mentions', 'message.send', { to: 'bob', mentions: Array.from({ length: 51 }, () => 'carol') }),
  wrong('a mention that is a number', 'message.send', { to: 'bob', mentions: [7] }),
  wrong('a name in place of a list', 'message.send', { to: 'bob', mentions: 'carol' }),
  wrong('file of 15 bytes', 'message.send', { to: 'bob', file: run(15) }),
  wrong('60,001 bytes', 'message.edit', { body: run(60_001) }),
  wrong('target -1', 'message.edit', { target: -1 }),
  wrong('target as text', 'message.delete', { target: '3' }),
  wrong('empty emoji', 'message.react', { emoji: '' }),
  wrong('emoji of 33 code units', 'message.react', { emoji: 'x'.repeat(33) }),
  wrong('1 for true', 'message.react', { on: 1 }),
  wrong('null for false', 'message.pin', { on: null }),
  wrong('a page of 0', 'message.history', { max: 0 }),
  wrong('a page of 201', 'message.history', { max: 201 }),
  wrong('1 for true', 'message.history', { pinned: 1 }),
  wrong('empty text', 'message.search', { text: '' }),
  wrong('text of 201 code units', 'message.search', { text: 'x'.repeat(201) }),
  wrong('a page of 201', 'message.search', { max: 201 }),
  wrong('half a place', 'message.search', { before: 1, place: { seq: 4 } }),
  wrong('place -1', 'inbox.open', { after: -1 }),
  wrong('place as text', 'inbox.ack', { seq: '44' }),
  wrong('place 2^53', 'mark.read', { seq: 2n ** 53n }),
  wrong('a name for the number', 'presence.typing', { conversation: 'bob' }),
  wrong('0 for false', 'account.privacy', { typing: 0 }),
  wrong('empty title', 'room.create', { title: '' }),
  wrong('title of 81 code units', 'room.create', { title: 'x'.repeat(81) }),
  wrong('topic of 401 code units', 'room.update', { topic: 'x'.repeat(401) }),
  wrong('history of no meaning', 'room.update', { history: 'none' }),
  wrong('bytes for the name', 'room.invite', { name: run(3) }),
  wrong('a link for nobody', 'room.link', { uses: 0 }),
  wrong('a link for 10,001', 'room.link', { uses: 10_001 }),
  wrong('a link for 999 ms', 'room.link', { livesMs: 999 }),
  wrong('role of no meaning', 'room.role', { role: 'admin' }),
  wrong('a list of names', 'room.remove', { name: ['bob'] }),
  wrong('a number for the place', 'room.members', { after: 1 }),
  wrong('number as text', 'room.leave', { conversation: '8' }),
  wrong('empty name', 'file.begin', { name: '' }),
  wrong('name of 256 code units', 'file.begin', { name: 'x'.repeat(256) }),
  wrong('5,000,000,001 bytes', 'file.begin', { size: 5_000_000_001 }),
  ...[31, 33].map((length) => wrong(`hash of ${length} bytes`, 'file.begin', { sha256: run(length) })),
  wrong('60,001 bytes', 'file.put', { data: run(60_001) }),
  wrong('offset -1', 'file.put', { offset: -1 }),
  wrong('no bytes', 'file.get', { length: 0 }),
  wrong('60,001 bytes', 'file.get', { length: 60_001 }),
  wrong('id as text', 'file.end', { id: 'x'.repeat(16) }),
  wrong('id as a number', 'file.abandon', { id: 1 }),
  wrong('null for the id', 'file.find', { id: null }),
]

const entry = { conversation: 7, seq: 3, kind: 'message', id, from: 'alice', at: 0 }
const info = { conversation: 7, kind: 'direct', state: 'accepted', members: 2, lastSeq: 4, firstSeq: 1, readSeq: 3 }
const contact = { name: 'bob', state: 'accepted', since: 0 }
const member = { name: 'bob', role: 'member', since: 0 }
const privacy = { presence: true, typing: true, delivered: true, read: true }

/** What the result of each method cannot do without; methods with nothing to tell are not among them. */
const results: Readonly<Record<string, Fields>> = {
  'device.link': { secret: id, expiresAt: 0 },
  'account.link': { name: 'alice', token: sha256 },
  'device.enrolKey': { device: 'x' },
  'device.challenge': { nonce: sha256 },
  'device.prove': { name: 'alice', device: 'x' },
  'contact.request': { conversation: 7, accepted: true },
  'contact.accept': { conversation: 7 },
  'contact.list': { contacts: [contact], more: false },
  'conversation.list': { conversations: [info], more: false },
  'conversation.find': info,
  'conversation.retain': { entries: 0, freedBytes: 0 },
  'message.send': { conversation: 7, seq: 1, at: 0 },
  'message.edit': { seq: 1, at: 0 },
  'message.delete': { seq: 1, at: 0 },
  'message.react': { seq: 1, at: 0 },
  'message.pin': { seq: 1, at: 0 },
  'message.history': { entries: [entry], more: false },
  'message.search': { entries: [entry], more: false, upTo: 0 },
  'inbox.open': { lastSeq: 0, ackedSeq: 0 },
  'mark.read': { readSeq: 0 },
  'account.privacy': privacy,
  'room.create': { conversation: 8 },
  'room.update': { seq: 1 },
  'room.invite': { seq: 1 },
  'room.link': { secret: id, expiresAt: 0 },
  'room.join': { conversation: 8, seq: 1 },
  'room.remove': { seq: 1 },
  'room.role': { seq: 1 },
  'room.members': { members: [member], more: false },
  'file.begin': { offset: 0 },
  'file.put': { offset: 0 },
  'file.find': { id, name: 'x', size: 1, sha256 },
  'file.get': { data: body },
}
const missingInResults = Object.entries(results).flatMap(([method, value]) =>
  Object.keys(value).map((key) => misanswered(`${method} without ${key}`, method, without(value, key))),
)
const empty = ['contact.decline', 'contact.remove', 'inbox.ack', 'presence.typing', 'room.leave', 'file.end', 'file.abandon'].map(
  (method) => misanswered(`${method}: null`, method, null),
)
const answers: readonly BadVector[] = [
  misanswered('an entry without a place', 'message.history', { entries: [without(entry, 'seq')], more: false }),
  misanswered('a contact of no state', 'contact.list', { contacts: [{ ...contact, state: 'friend' }], more: false }),
  misanswered('a conversation of no kind', 'conversation.find', { ...info, kind: 'group' }),
  misanswered('a member of no role', 'room.members', { members: [{ ...member, role: 'admin' }], more: false }),
  misanswered('entries as a map', 'message.search', { entries: {}, more: false, upTo: 0 }),
  misanswered('60,001 bytes of a file', 'file.get', { data: run(60_001) }),
]

const arrived = (name: string, changed: CborValue): BadVector => misfit(name, 'event', ['inbox.entry', { seq: 1, entry: changed }])
const events: readonly BadVector[] = [
  ...Object.keys(entry).map((key) => arrived(`an entry without ${key}`, without(entry, key))),
  misfit('no place in the inbox', 'event', ['inbox.entry', { entry }]),
  misfit('no entry', 'event', ['inbox.entry', { seq: 1 }]),
  arrived('an entry of no kind', { ...entry, kind: 'whisper' }),
  arrived('an entry with text for the body', { ...entry, body: 'hello' }),
  arrived('an entry of 60,001 bytes', { ...entry, body: run(60_001) }),
  arrived('an entry whose type has an escape sequence', { ...entry, type: '\u001b[2J' }),
  arrived('an entry where nothing happened', { ...entry, kind: 'member', what: 'danced' }),
  arrived('an entry with an empty emoji', { ...entry, kind: 'reaction', emoji: '' }),
  arrived('an entry with half a file', { ...entry, file: { id, name: 'x' } }),
  arrived('an entry with null for the answer', { ...entry, replyTo: null }),
  misfit('a mark without a name', 'event', ['mark.changed', { conversation: 7 }]),
  misfit('a mark of -1', 'event', ['mark.changed', { conversation: 7, name: 'bob', readSeq: -1 }]),
  misfit('presence without a word of it', 'event', ['presence.changed', { name: 'bob' }]),
  misfit('presence of 1', 'event', ['presence.changed', { name: 'bob', here: 1 }]),
  misfit('typing nowhere', 'event', ['presence.typing', { name: 'bob' }]),
]

/** In the order of the requests, the results and the events. */
export const badConversationVectors: readonly BadVector[] = [
  ...surplus,
  ...missing,
  ...fields,
  ...missingInResults,
  ...empty,
  ...answers,
  ...events,
]
