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
  'invitation.void': { hash },
  'account.ban': { key: 'carol', at: 1n },
  'account.unban': { key: 'carol' },
  'server.id': { fresh: hash.subarray(0, 16) },
  'device.enrol': { spkiHash: hash, id: 'd', accountId: 1n, ed25519: hash, x25519: hash, label: '', at: 1n, expiresAt: 9n, token: hash },
  'device.find': { spkiHash: hash },
  'device.findByX25519': { x25519: hash },
  'device.use': { spkiHash: hash, at: 1n },
  'device.list': { accountId: 1n },
  'device.listAll': { after: '', max: 9n },
  'device.revoke': { id: 'd', at: 1n },
  'throttle.fail': { keys: ['account:a', 'address:b'], at: 1n, windowMs: 9n },
  'throttle.read': { keys: ['account:a'] },
  'throttle.clear': { keys: ['account:a'] },
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

  test('no statement reads a whole table, but for the few rows of invitations when one is made', () => {
    using database = opened()
    const statements = recorded(database, () => names.forEach((name) => run(database, name)))
    expect(statements.length).toBeGreaterThan(names.length)
    const scans = statements.flatMap((sql) => scansOf(database, sql))
    expect(new Set(scans)).toEqual(
      new Set(['SCAN invitation', 'SCAN invitation USING COVERING INDEX invitation_expires_at', 'SCAN throttle_size']),
    )
  })
})

/** A database with the accounts 1 and 2, in a transaction. */
function opened(): Database {
  const database = openDatabase(inMemory, limits, 'may-be-new')
  database.control('begin immediate')
  for (const name of ['alice', 'bob']) steps['account.create'].run(database, newAccount(name), limits)
  return database
}

function run<N extends OperationName>(database: Database, name: N): void {
  const input: Input<N> = inputs[name]
  steps[name].run(database, input, limits)
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
