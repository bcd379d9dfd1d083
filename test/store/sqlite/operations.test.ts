import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { inMemory } from '../../../src/store/index.ts'
import { type Database, openDatabase } from '../../../src/store/sqlite/database.ts'
import { type Steps, steps } from '../../../src/store/sqlite/operations.ts'
import type { Input, OperationName } from '../../../src/store/store.ts'
import { newAccount } from '../../compliance/store.ts'
import { hashOf } from '../../compliance/store-subject.ts'

// What the operations answer is the contract's and is tested in test/compliance/store.ts for every store.

const limits = resolveLimits()
const hash = hashOf('secret')
/** The conversation that is there from the beginning. */
const room = 1n

/** One input for every operation; in this order each of them finds something to do. */
const inputs: { readonly [N in OperationName]: Input<N> } = {
  'invitation.create': { hash, uses: 1n, expiresAt: 9n, createdAt: 1n, printed: true },
  'invitation.check': { hash, at: 1n },
  'account.create': { ...newAccount('carol'), invitation: { hash, at: 1n }, token: { hash, at: 1n } },
  'account.find': { key: 'carol' },
  'account.findById': { id: 3n },
  'account.list': { after: '', max: 9n },
  'account.rehash': { id: 3n, from: '$argon2id$x', to: 'y' },
  'account.setVisibility': { id: 3n, visibility: 'nobody' },
  'token.create': { hash: hashOf('other'), accountId: 3n, at: 1n, passwordHash: 'y' },
  'token.use': { hash, at: BigInt(limits.tokenUsePrecisionMs) + 1n, idleMsMax: 2n ** 62n },
  'contact.add': { a: 2n, b: 1n, at: 1n },
  'contact.list': { accountId: 1n },
  'block.add': { accountId: 1n, blockedId: 2n, at: 1n },
  'block.list': { accountId: 1n },
  'people.relations': { accountId: 1n },
  'block.remove': { accountId: 1n, blockedId: 2n },
  'account.setPassword': { id: 3n, passwordHash: 'z', keepToken: hash },
  'token.delete': { hash },
  'account.ban': { key: 'carol', at: 1n },
  'account.unban': { key: 'carol' },
  'server.id': { fresh: hash.subarray(0, 16) },
  'device.enrol': { spkiHash: hash, id: 'd', accountId: 1n, ed25519: hash, x25519: hash, label: '', at: 1n, expiresAt: 9n },
  'device.find': { spkiHash: hash },
  'device.findByX25519': { x25519: hash },
  'device.findByEd25519': { ed25519: hash },
  'device.use': { spkiHash: hash, at: 1n },
  'device.list': { accountId: 1n },
  'device.listFor': { accountId: 1n, key: 'bob', at: 1n },
  'device.listAll': { after: '', max: 9n },
  'unit.create': { code: 'gold', name: 'Gold', decimals: 0n, standard: true, at: 1n },
  'unit.list': {},
  'ledger.mint': { id: idOf('mint'), accountId: 1n, unit: 'gold', amount: 9n, at: 1n },
  'ledger.burn': { id: idOf('burn'), accountId: 1n, unit: 'gold', amount: 1n, at: 1n },
  'ledger.limits': { unit: 'gold', accountId: 1n, dayMax: 9n },
  'ledger.freeze': { accountId: 2n, frozen: false, at: 1n },
  'ledger.request': { id: idOf('invoice'), fromId: 2n, toId: 1n, unit: 'gold', amount: 5n, expiresAt: 9n, at: 1n },
  'ledger.order': {
    order: {
      kind: 'pay',
      server: idOf('server'),
      payer: 1n,
      payee: 2n,
      unit: 'gold',
      amount: 1n,
      id: idOf('payment'),
      expiresAt: 9n,
      memoHash: hash,
    },
    ...{ signed: hash, key: hash, request: idOf('invoice'), messages: [], at: 1n },
  },
  'ledger.settle': { id: idOf('invoice'), accountId: 2n, at: 1n },
  'ledger.holds': { accountId: 1n, max: 9n },
  'ledger.requests': { accountId: 1n, max: 9n },
  'ledger.balance': { accountId: 1n },
  'ledger.statement': { accountId: 1n, max: 9n },
  'ledger.transfer': { accountId: 1n, signerId: 1n, id: idOf('payment') },
  'ledger.expireHolds': { at: 99n * 86_400_000n, max: 9n },
  'ledger.checkpointNeeded': { at: 1n, covers: 1n },
  get 'ledger.checkpointStore'() {
    return neededCheckpoint()
  },
  'ledger.checkpointFind': { covers: 1n },
  'ledger.proofMaterial': { posting: 1n },
  'ledger.consistency': { from: 1n, to: 2n },
  'ledger.export': { after: 0n, max: 9n },
  'ledger.accounts': { after: 0n, max: 9n },
  'ledger.verify': { max: 9n, deep: true },
  'ledger.condemn': { row: 'r', what: 'w', at: 1n },
  'ledger.state': {},
  'ledger.absolve': {},
  'device.revoke': { id: 'd', at: 1n },
  'contact.request': { accountId: 1n, peerId: 3n, id: idOf('request'), at: 1n, text: new Uint8Array([65]) },
  'contact.answer': { accountId: 3n, peerId: 1n, id: idOf('answer'), at: 2n, accept: true },
  'contact.remove': { accountId: 1n, peerId: 3n, id: idOf('end'), at: 3n },
  'contact.page': { accountId: 1n, after: '', max: 9n },
  'room.create': { accountId: 1n, id: idOf('other'), at: 1n, title: 't', topic: '', announcement: false, history: 'all' },
  'room.update': { accountId: 1n, conversationId: room, id: idOf('update'), at: 1n, topic: 'x' },
  'room.link': { accountId: 1n, conversationId: room, at: 1n, hash, uses: 1n, expiresAt: 9n },
  'room.invite': { accountId: 1n, conversationId: room, id: idOf('invite'), at: 1n, peerId: 2n },
  'room.join': { accountId: 2n, id: idOf('join'), hash, at: 1n },
  'room.role': { accountId: 1n, conversationId: room, id: idOf('role'), at: 1n, peerId: 2n, role: 'moderator' },
  'room.members': { accountId: 1n, conversationId: room, after: '', max: 9n },
  'file.begin': { accountId: 1n, id: idOf('file'), conversationId: room, name: 'n', size: 1n, sha256: hash, at: 1n },
  'file.whole': { accountId: 1n, id: idOf('file') },
  'file.find': { accountId: 2n, id: idOf('file') },
  'file.known': { ids: [idOf('file')] },
  'file.abandon': { accountId: 1n, id: idOf('file') },
  'file.expire': { before: 9n, max: 9n },
  'entry.post': { accountId: 1n, peerId: 2n, id: idOf('post'), kind: 'message', type: 'text/plain', body: hash, at: 1n },
  'entry.history': { accountId: 1n, conversationId: room, max: 9n, bytesMax: 9n },
  'inbox.open': { accountId: 2n, device: 'e', at: 1n },
  'inbox.read': { accountId: 2n, after: 0n, max: 9n, bytesMax: 9n },
  'inbox.ack': { accountId: 2n, device: 'e', seq: 1n, at: 1n },
  'inbox.expire': { before: 9n, max: 9n },
  'conversation.list': { accountId: 1n, after: 0n, max: 9n },
  'conversation.find': { accountId: 1n, peerId: 2n },
  'conversation.members': { accountId: 1n, id: room },
  'mark.read': { accountId: 1n, conversationId: room, seq: 1n },
  'conversation.retain': { accountId: 1n, id: room, retentionMs: 5n, at: 1n, max: 9n },
  'search.index': { max: 9n },
  'search.find': { accountId: 1n, text: 'word', max: 9n, bytesMax: 9n, at: 9n },
  'conversation.expire': { at: 9n, max: 9n },
  'room.remove': { accountId: 1n, conversationId: room, id: idOf('remove'), at: 1n, peerId: 2n },
  'room.leave': { accountId: 1n, conversationId: room, id: idOf('leave'), at: 1n },
  'privacy.set': { accountId: 1n, typing: false },
  'privacy.read': { accountId: 1n },
  'device.link': { accountId: 1n, hash, expiresAt: 9n, at: 1n },
  'device.useLink': { hash, at: 1n, token: hashOf('token') },
  'throttle.fail': { keys: ['account:a', 'address:b'], at: 1n, windowMs: 9n },
  'throttle.read': { keys: ['account:a'] },
  'throttle.clear': { keys: ['account:a'] },
  'server.setBack': { lives: 1n, skipped: 1n },
}
const names = Object.keys(inputs) as OperationName[]

describe('steps', () => {
  test('a forgotten or misspelt operation does not compile', () => {
    const { 'throttle.clear': _, ...rest } = steps
    // @ts-expect-error An operation is missing.
    const forgotten: Steps = rest
    // @ts-expect-error There is no such operation.
    const misspelt: Steps = { ...steps, 'throttle.clean': steps['throttle.clear'] }
    expect([forgotten, misspelt]).toHaveLength(2)
    expect(names.toSorted()).toEqual(Object.keys(steps).sort() as OperationName[])
  })

  test('reads are those that change nothing, and writes can change something', () => {
    using database = opened()
    const changing = names.filter((name) => changes(database, () => run(database, name)) > 0n)
    expect(changing).toEqual(names.filter((name) => steps[name].kind === 'write'))
  })

  test('no statement reads a whole table, but for what is meant as a whole: few rows, or an index of what is to be done', () => {
    using database = opened()
    const statements = recorded(database, () => names.forEach((name) => run(database, name)))
    expect(statements.length).toBeGreaterThan(names.length)
    const scans = statements.flatMap((sql) => scansOf(database, sql))
    expect(new Set(scans)).toEqual(
      new Set([
        'SCAN invitation',
        'SCAN invitation USING COVERING INDEX invitation_expires_at',
        'SCAN throttle_size',
        // As many as the operator has made, and one.
        'SCAN unit',
        'SCAN ledger_fault',
        // The members of one room.
        'SCAN there',
        'SCAN conversation USING INDEX conversation_to_index',
        // By its words: first whether they are rare.
        'SCAN search VIRTUAL TABLE INDEX 0:M1',
        'SCAN (subquery-1)',
        // Entries that wait for their author to be inserted, while there are such: there never are.
        'SCAN entry USING COVERING INDEX entry_by_id',
        // What is set back is so as a whole, once, before anybody is served.
        'SCAN account USING COVERING INDEX sqlite_autoindex_account_2',
        'SCAN inbox_entry',
        'SCAN inbox_device USING COVERING INDEX inbox_device_account',
        'SCAN inbox',
        'SCAN sqlite_sequence',
      ]),
    )
  })
})

/** A database with the accounts 1 and 2, a room of the first one and a file in it, in a transaction. */
function opened(): Database {
  const database = openDatabase(inMemory, limits, 'may-be-new')
  database.control('begin immediate')
  for (const name of ['alice', 'bob']) steps['account.create'].run(database, newAccount(name), limits)
  const by = { accountId: 1n, at: 1n }
  steps['room.create'].run(database, { ...by, id: idOf('room'), title: 'r', topic: '', announcement: false, history: 'all' }, limits)
  steps['file.begin'].run(database, { ...by, id: idOf('old'), conversationId: room, name: 'n', size: 1n, sha256: hash }, limits)
  return database
}

function idOf(name: string): Uint8Array {
  return hashOf(name).subarray(0, 16)
}

/** What is to be signed when everything before it was done. */
function neededCheckpoint(): Input<'ledger.checkpointStore'> {
  using database = opened()
  for (const name of names.slice(0, names.indexOf('ledger.checkpointNeeded'))) run(database, name)
  const needed = steps['ledger.checkpointNeeded'].run(database, inputs['ledger.checkpointNeeded'], limits)
  return { size: needed?.size ?? 0n, root: needed?.root ?? hash, at: 1n, cose: hash }
}

/** As the engine does it: what a step defers is written before anything else is carried out. */
function run<N extends OperationName>(database: Database, name: N): void {
  const input: Input<N> = inputs[name]
  steps[name].run(database, input, limits)
  database.settle()
}

/** How many rows an action changes. */
function changes(database: Database, action: () => unknown): bigint {
  const before = totalChanges(database)
  action()
  return totalChanges(database) - before
}

function totalChanges(database: Database): bigint {
  return BigInt(String(database.prepare('select total_changes() as n').row({})?.['n']))
}

/** The statements that an action prepares, each once. */
function recorded(database: Database, action: () => void): readonly string[] {
  const seen = new Set<string>()
  const prepare = database.prepare.bind(database)
  database.prepare = (sql) => {
    seen.add(sql)
    return prepare(sql)
  }
  action()
  database.prepare = prepare
  return [...seen]
}

/** The lines of the query plan in which a table or an index is read from end to end. */
function scansOf(database: Database, sql: string): readonly string[] {
  const parameters = Object.fromEntries([...sql.matchAll(/:(\w+)/g)].map(([, name]) => [name, null]))
  const plan = database.prepare(`explain query plan ${sql}`).rows(parameters)
  return plan.map(({ detail }) => String(detail)).filter((detail) => /^SCAN (?!CONSTANT ROW)/.test(detail))
}
