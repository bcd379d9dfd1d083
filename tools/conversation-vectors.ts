// The good vectors of conversations: contacts, messages, inboxes, rooms, files, and devices that come through a link.

import type { Entry } from '../src/protocol/contract/index.ts'
import { event, request, result, run, utf8 } from './contract-vector.ts'

const time = 1_790_000_000_000
const device = '70e06aa4a4174a56eb62'
/** The example of RFC 9562, appendix A.6, with another last byte each. */
const uuid = (last: number) => Uint8Array.from([...Buffer.from('017f22e279b07cc398c4dc0c0c0739', 'hex'), last])
const id = uuid(0x8f)
const sha256 = Uint8Array.from({ length: 32 }, (_, at) => at)
const token = Uint8Array.from({ length: 32 }, (_, at) => (at * 31 + 7) & 0xff)
const longType = `text/${'x'.repeat(123)}`
const file = { id: uuid(9), name: 'Übersicht.pdf', size: 5_000_000_000, sha256 }

const said = (seq: number, rest: Partial<Entry>): Entry => ({ conversation: 7, seq, kind: 'message', id, from: 'alice', at: time, ...rest })
const message = said(3, { device, type: 'text/plain', body: utf8('hello') })
const full = said(4, {
  device,
  type: 'application/json; charset=utf-8',
  body: utf8('{}'),
  replyTo: 3,
  mentions: ['bob', 'Алиса'],
  file,
  edited: time + 1,
})
const largest = said(Number.MAX_SAFE_INTEGER, {
  conversation: 2 ** 32,
  from: '𠮷'.repeat(32),
  device: 'x'.repeat(32),
  at: Number.MAX_SAFE_INTEGER,
  type: longType,
  body: run(60_000),
})

export const conversationRequests = [
  request('make a link for another device', 1, 'device.link', {}),
  request('log in with a link', 1, 'account.link', { secret: run(16) }),
  request('enrol a key', 2, 'device.enrolKey', { statement: run(200) }),
  request('enrol a key with a label', 2, 'device.enrolKey', { statement: run(512), label: 'Firefox' }),
  request('ask for a challenge', 1, 'device.challenge', {}),
  request('log in with a key', 2, 'device.prove', { proof: run(150) }),
  request('ask to talk', 3, 'contact.request', { name: 'bob', id }),
  request('ask to talk with the longest text', 4, 'contact.request', { name: 'bob', id, text: run(1_000) }),
  request('ask a name of 256 code units', 4, 'contact.request', { name: 'x'.repeat(256), id }),
  request('accept', 5, 'contact.accept', { name: 'alice' }),
  request('decline', 6, 'contact.decline', { name: 'alice' }),
  request('remove a contact', 6, 'contact.remove', { name: 'alice' }),
  request('contacts', 7, 'contact.list', {}),
  request('more contacts', 8, 'contact.list', { after: 'bob' }),
  request('conversations', 9, 'conversation.list', {}),
  request('more conversations', 10, 'conversation.list', { after: 7 }),
  request('find a conversation by its number', 11, 'conversation.find', { conversation: 7 }),
  request('find a conversation by a name', 12, 'conversation.find', { name: 'bob' }),
  request('keep for a second', 13, 'conversation.retain', { conversation: 7, retentionMs: 1_000 }),
  request('keep for ever', 14, 'conversation.retain', { conversation: 7 }),
  request('say hello', 15, 'message.send', { conversation: 7, id, body: utf8('hello') }),
  request('say hello to somebody', 16, 'message.send', { to: 'bob', id, body: utf8('hello') }),
  request('say nothing', 17, 'message.send', { to: 'bob', id, body: run(0) }),
  request('say what is no text', 18, 'message.send', {
    to: 'bob',
    id,
    type: 'application/octet-stream',
    body: Uint8Array.of(0xff, 0xfe, 0),
  }),
  request('answer, mention, and send a file', 19, 'message.send', {
    conversation: 7,
    id,
    body: utf8('look'),
    replyTo: 3,
    mentions: Array.from({ length: 50 }, (_, at) => `name ${at}`),
    file: file.id,
  }),
  request('say 60,000 bytes, the most', 20, 'message.send', { to: '𠮷'.repeat(32), id, type: longType, body: run(60_000) }),
  request('edit', 21, 'message.edit', { conversation: 7, target: 3, id, body: utf8('hallo') }),
  request('edit with a type', 22, 'message.edit', { conversation: 7, target: 3, id, type: 'text/markdown', body: utf8('*') }),
  request('delete', 23, 'message.delete', { conversation: 7, target: 3, id }),
  request('react', 24, 'message.react', { conversation: 7, target: 3, id, emoji: '👋🏽', on: true }),
  request('take a reaction of 32 code units back', 25, 'message.react', {
    conversation: 7,
    target: 3,
    id,
    emoji: 'x'.repeat(32),
    on: false,
  }),
  request('pin', 26, 'message.pin', { conversation: 7, target: 3, id, on: true }),
  request('the newest', 27, 'message.history', { conversation: 7 }),
  request('those before', 28, 'message.history', { conversation: 7, before: 100, max: 200 }),
  request('pinned ones after', 29, 'message.history', { conversation: 7, after: 0, max: 1, pinned: true }),
  request('search', 30, 'message.search', { text: 'hello' }),
  request('search in one conversation', 31, 'message.search', { text: 'x'.repeat(200), conversation: 7, before: time, max: 200 }),
  request('search on', 300, 'message.search', { text: 'hello', before: time, place: { conversation: 7, seq: 4 } }),
  request('open the inbox', 32, 'inbox.open', {}),
  request('open the inbox behind a place', 33, 'inbox.open', { after: 41 }),
  request('acknowledge', 34, 'inbox.ack', { seq: 44 }),
  request('read', 35, 'mark.read', { conversation: 7, seq: 3 }),
  request('type', 36, 'presence.typing', { conversation: 7 }),
  request('ask for the privacy', 37, 'account.privacy', {}),
  request('change the privacy', 38, 'account.privacy', { presence: false, typing: true, delivered: false, read: true }),
  request('make a room', 39, 'room.create', { id, title: 'team' }),
  request('make a room with everything', 40, 'room.create', {
    id,
    title: 'x'.repeat(80),
    topic: 'ä'.repeat(400),
    announcement: true,
    history: 'all',
  }),
  request('change a room', 41, 'room.update', { conversation: 8, topic: '', announcement: false, history: 'joined' }),
  request('rename a room', 42, 'room.update', { conversation: 8, title: 'crew' }),
  request('invite', 43, 'room.invite', { conversation: 8, name: 'bob' }),
  request('make a link to a room', 44, 'room.link', { conversation: 8 }),
  request('make a link for one', 45, 'room.link', { conversation: 8, uses: 1, livesMs: 1_000 }),
  request('make a link for 10,000', 46, 'room.link', { conversation: 8, uses: 10_000 }),
  request('join by invitation', 47, 'room.join', { conversation: 8 }),
  request('join by link', 48, 'room.join', { secret: run(16) }),
  request('leave', 49, 'room.leave', { conversation: 8 }),
  request('remove', 50, 'room.remove', { conversation: 8, name: 'mallory' }),
  request('make a moderator', 51, 'room.role', { conversation: 8, name: 'bob', role: 'moderator' }),
  request('hand over', 52, 'room.role', { conversation: 8, name: 'bob', role: 'owner' }),
  request('members', 53, 'room.members', { conversation: 8 }),
  request('more members', 54, 'room.members', { conversation: 8, after: 'bob' }),
  request('announce a file', 55, 'file.begin', { ...file, conversation: 7 }),
  request('announce an empty file', 56, 'file.begin', { ...file, name: 'x', size: 0, conversation: 7 }),
  request('a chunk', 57, 'file.put', { id: file.id, offset: 0, data: run(3) }),
  request('a chunk of 60,000 bytes, the most', 58, 'file.put', { id: file.id, offset: 4_999_940_000, data: run(60_000) }),
  request('the file is whole', 59, 'file.end', { id: file.id }),
  request('forget a file', 60, 'file.abandon', { id: file.id }),
  request('find a file', 61, 'file.find', { id: file.id }),
  request('get a chunk', 62, 'file.get', { id: file.id, offset: 60_000, length: 60_000 }),
  request('get a byte', 63, 'file.get', { id: file.id, offset: 0, length: 1 }),
]

const direct = {
  conversation: 7,
  kind: 'direct',
  name: 'bob',
  state: 'accepted',
  members: 2,
  lastSeq: 4,
  firstSeq: 1,
  readSeq: 3,
  peerDeliveredSeq: 4,
  peerReadSeq: 2,
  retentionMs: 86_400_000,
} as const
const room = {
  conversation: 8,
  kind: 'room',
  title: 'team',
  topic: 'work',
  announcement: true,
  history: 'joined',
  role: 'moderator',
  state: 'invited',
  members: 2_000,
  lastSeq: 900,
  firstSeq: 17,
  readSeq: 0,
} as const
const posted = { seq: 5, at: time }

export const conversationResults = [
  result('a link for another device', 1, 'device.link', { secret: run(16), expiresAt: time }),
  result('logged in with a link', 1, 'account.link', { name: 'alice', token }),
  result('a key is enrolled', 2, 'device.enrolKey', { device }),
  result('a challenge', 1, 'device.challenge', { nonce: sha256 }),
  result('logged in with a key', 2, 'device.prove', { name: 'alice', device }),
  result('asked', 3, 'contact.request', { conversation: 7, accepted: false }),
  result('accepted', 5, 'contact.accept', { conversation: 7 }),
  result('declined', 6, 'contact.decline', {}),
  result('removed', 6, 'contact.remove', {}),
  result('no contacts', 7, 'contact.list', { contacts: [], more: false }),
  result('the contacts', 7, 'contact.list', {
    contacts: [
      { name: 'bob', state: 'accepted', conversation: 7, since: time, here: true },
      { name: 'carol', state: 'asked', conversation: 9, since: 0, here: false },
      { name: 'Алиса', state: 'asking', since: Number.MAX_SAFE_INTEGER },
    ],
    more: true,
  }),
  result('the conversations', 9, 'conversation.list', { conversations: [direct, room], more: false }),
  ...(['asked', 'asking', 'declined'] as const).map((state) =>
    result(`a conversation that is ${state}`, 11, 'conversation.find', { ...direct, state }),
  ),
  result('kept no longer', 13, 'conversation.retain', { entries: 12, freedBytes: 34_567 }),
  result('said', 15, 'message.send', { conversation: 7, ...posted }),
  result('edited', 21, 'message.edit', posted),
  result('deleted', 23, 'message.delete', posted),
  result('reacted', 24, 'message.react', posted),
  result('pinned', 26, 'message.pin', posted),
  result('no history', 27, 'message.history', { entries: [], more: false }),
  result('the newest', 27, 'message.history', { entries: [message, full], more: true }),
  result('the largest message in a page', 27, 'message.history', { entries: [largest], more: true }),
  result('what was found', 30, 'message.search', { entries: [full, message], more: false, upTo: time }),
  result('the inbox is open', 32, 'inbox.open', { lastSeq: 44, ackedSeq: 41 }),
  result('the inbox has lost some', 33, 'inbox.open', { lastSeq: 44, ackedSeq: 41, lostSeq: 42 }),
  result('acknowledged', 34, 'inbox.ack', {}),
  result('read', 35, 'mark.read', { readSeq: 3 }),
  result('typed', 36, 'presence.typing', {}),
  result('the privacy', 37, 'account.privacy', { presence: false, typing: true, delivered: false, read: true }),
  result('a room', 39, 'room.create', { conversation: 8 }),
  result('a room is changed', 41, 'room.update', { seq: 2 }),
  result('invited', 43, 'room.invite', { seq: 3 }),
  result('a link to a room', 44, 'room.link', { secret: run(16), expiresAt: time }),
  result('joined', 47, 'room.join', { conversation: 8, seq: 4 }),
  result('left', 49, 'room.leave', {}),
  result('removed', 50, 'room.remove', { seq: 5 }),
  result('has another role', 51, 'room.role', { seq: 6 }),
  result('the members', 53, 'room.members', {
    members: [
      { name: 'alice', role: 'owner', since: time, here: true },
      { name: 'bob', role: 'moderator', since: time, here: false },
      { name: 'carol', role: 'member', since: time, invited: true },
    ],
    more: true,
  }),
  result('a file begins', 55, 'file.begin', { offset: 0 }),
  result('a file goes on', 55, 'file.begin', { offset: 4_999_940_000 }),
  result('a chunk is there', 57, 'file.put', { offset: 3 }),
  result('the file is whole', 59, 'file.end', {}),
  result('forgotten', 60, 'file.abandon', {}),
  result('a file', 61, 'file.find', file),
  result('a chunk of 60,000 bytes', 62, 'file.get', { data: run(60_000) }),
  result('behind the end', 63, 'file.get', { data: run(0) }),
]

const arrived = (name: string, entry: Entry) => event(name, 'inbox.entry', { seq: 42, entry })
const change = (rest: Partial<Entry>): Entry => said(5, { id: uuid(5), ...rest })

export const conversationEvents = [
  arrived('a message', message),
  arrived('a message with all it may have', full),
  arrived('the largest message', largest),
  arrived('a message that was deleted', said(3, { device, deleted: true })),
  arrived('an edit', change({ kind: 'edit', target: 3, type: 'text/plain', body: utf8('hallo') })),
  arrived('a deletion', change({ kind: 'delete', target: 3 })),
  arrived('a reaction', change({ kind: 'reaction', target: 3, emoji: '👋🏽', on: true })),
  arrived('a pin that was taken away', change({ kind: 'pin', target: 3, on: false })),
  arrived('a request to talk', change({ kind: 'contact', what: 'requested', type: 'text/plain', body: run(1_000) })),
  ...(['accepted', 'declined', 'withdrawn'] as const).map((what) =>
    arrived(`a request that was ${what}`, change({ kind: 'contact', what })),
  ),
  arrived('the end of a contact', change({ kind: 'contact', what: 'removed' })),
  ...(['invited', 'joined', 'left', 'removed'] as const).map((what) =>
    arrived(
      `a member who ${what === 'invited' || what === 'removed' ? 'was ' : ''}${what}`,
      change({ kind: 'member', what, about: 'bob' }),
    ),
  ),
  ...(['owner', 'moderator', 'member'] as const).map((role) =>
    arrived(`a member who is ${role} now`, change({ kind: 'member', what: 'role', about: 'bob', role })),
  ),
  arrived('a room that changed', change({ kind: 'room', title: 'crew', topic: '', announcement: true })),
  event('stored', 'mark.changed', { conversation: 7, name: 'bob', deliveredSeq: 4 }),
  event('read', 'mark.changed', { conversation: 7, name: 'bob', readSeq: 4 }),
  event('stored and read', 'mark.changed', { conversation: 7, name: 'bob', deliveredSeq: 4, readSeq: 3 }),
  event('came', 'presence.changed', { name: 'bob', here: true }),
  event('went', 'presence.changed', { name: '李'.repeat(32), here: false }),
  event('is typing', 'presence.typing', { conversation: 7, name: 'bob' }),
]
