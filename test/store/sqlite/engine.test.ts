import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type Code, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { inMemory } from '../../../src/store/index.ts'
import type { Database, Deferred } from '../../../src/store/sqlite/database.ts'
import { Engine } from '../../../src/store/sqlite/engine.ts'
import { type Step, type Steps, steps } from '../../../src/store/sqlite/operations.ts'
import type { Outcome, Request } from '../../../src/store/store.ts'
import { newAccount } from '../../compliance/store.ts'
import { hashOf } from '../../compliance/store-subject.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }

describe('execute', () => {
  test('a refused request loses what it did, its neighbours keep theirs', () => {
    using engine = engineWhere((database, input) => {
      steps['account.create'].run(database, newAccount(input.to), limits)
      throw new SealwireError('declined', 'changed its mind')
    })
    expect(codesOf(engine.execute([create('alice'), special('bob'), create('bob')]))).toEqual([undefined, 'declined', undefined])
    expect(found(engine, 'alice', 'bob')).toEqual([1n, 2n])
  })

  test('a request refused before it has written costs its neighbours nothing; after that they are carried out once more', () => {
    let runs = 0
    using engine = engineWhere((database, input) => {
      runs++
      if (input.to === 'writes') steps['account.create'].run(database, newAccount('lost'), limits)
      if (input.to !== 'passes') throw new SealwireError('declined', 'changed its mind')
      return true
    })
    expect(codesOf(engine.execute([special('passes'), special('refuses'), create('alice')]))).toEqual([undefined, 'declined', undefined])
    expect(runs).toBe(2)
    runs = 0
    const group = [create('bob'), special('passes'), special('writes'), special('refuses'), create('carol')]
    expect(codesOf(engine.execute(group))).toEqual([undefined, undefined, 'declined', 'declined', undefined])
    expect(runs).toBe(5)
    expect(found(engine, 'alice', 'bob', 'carol', 'lost')).toEqual([1n, 2n, 3n, undefined])
  })

  test('an unexpected error is internal and concerns one request only', () => {
    using engine = engineWhere((database, input) => {
      steps['account.create'].run(database, newAccount(input.to), limits)
      database.prepare('insert into account (name, key, skeleton, password_hash, created_at) values (1, 1, 1, 1, null)').run({})
      return true
    })
    const outcomes = engine.execute([create('alice'), special('bob')])
    expect(codesOf(outcomes)).toEqual([undefined, 'internal'])
    expect(causeOf(outcomes[1])).toContain('NOT NULL')
    expect(found(engine, 'alice', 'bob')).toEqual([1n, undefined])
  })

  test('no room in the middle of a group: nothing of it happened, its reads are answered, room makes it work again', () => {
    using engine = engineWhere((database, input) => {
      database.prepare(`pragma max_page_count = ${input.to}`).row({})
      return true
    })
    engine.execute([create('alice')])
    const large = 'x'.repeat(100_000)
    const outcomes = engine.execute([create('bob'), special('1'), find('alice'), create('carol', large), find('bob')])
    expect(codesOf(outcomes)).toEqual(['storage_full', 'storage_full', undefined, 'storage_full', undefined])
    expect(outcomes[4]).toEqual({ value: undefined })
    engine.execute([special('1000000')])
    expect(codesOf(engine.execute([create('bob'), create('carol', large)]))).toEqual([undefined, undefined])
    expect(found(engine, 'alice', 'bob', 'carol')).toEqual([1n, 2n, 3n])
  })

  test('what was deferred when SQLite rolled everything back by itself is never written', () => {
    let written = 0
    using engine = engineWhere((database, input) => {
      if (input.to === 'defers') database.defer({ covers: () => true, write: () => void written++ })
      if (input.to !== 'full') return true
      database.prepare('rollback').run({})
      throw Object.assign(new TypeError('the disk is full'), { errcode: 13 })
    })
    expect(codesOf(engine.execute([special('defers'), special('full')]))).toEqual(['storage_full', 'storage_full'])
    expect(codesOf(engine.execute([special('defers'), special('full'), find('alice')]))).toEqual([
      'storage_full',
      'storage_full',
      undefined,
    ])
    expect(codesOf(engine.execute([create('alice')]))).toEqual([undefined])
    expect(written).toBe(0)
  })

  test('what was deferred and cannot be written is internal and concerns one request only', () => {
    using engine = engineWhere((database, input) => {
      steps['account.create'].run(database, newAccount(input.to), limits)
      const write = (): void => {
        database.prepare('insert into account (name, key, skeleton, password_hash, created_at) values (1, 1, 1, 1, null)').run({})
      }
      database.defer({ covers: () => false, write })
      return true
    })
    expect(codesOf(engine.execute([create('alice'), special('bob'), create('carol')]))).toEqual([undefined, 'internal', undefined])
    expect(codesOf(engine.execute([create('dave'), special('erin')]))).toEqual([undefined, 'internal'])
    expect(found(engine, 'alice', 'bob', 'carol', 'dave', 'erin')).toEqual([1n, undefined, 2n, 3n, undefined])
  })

  test('what lasts is there again in the next group, unless something has ended it', () => {
    const [kept, lost]: [Deferred, Deferred] = [lastingWhere((_, kind) => kind === 'read'), lastingWhere(() => true)]
    const seen: unknown[] = []
    using engine = engineWhere((database, input) => {
      if (input.to === 'keeps') database.defer(kept)
      if (input.to === 'loses') database.defer(lost)
      seen.push(database.deferred ?? 'nothing')
      if (input.to !== 'refuses') return true
      steps['account.create'].run(database, newAccount('lost'), limits)
      throw new SealwireError('declined', 'changed its mind')
    })
    const seenIn = (...group: readonly Request[]): readonly unknown[] => {
      engine.execute(group)
      return seen.splice(0)
    }
    expect(seenIn(special('keeps'))).toEqual([kept])
    expect(seenIn(find('alice'))).toEqual([])
    expect(seenIn(special('looks'))).toEqual(['nothing'])
    expect([seenIn(special('loses')), seenIn(special('looks')), seenIn(special('looks'))]).toEqual([[lost], [lost], [lost]])
    // Refused after it has written: the group is rolled back, and carried out again without what was there.
    expect(seenIn(create('bob'), special('refuses'))).toEqual([lost, 'nothing'])
    expect(seenIn(special('looks'))).toEqual(['nothing'])
  })

  test('what lasts ends with a commit that fails', () => {
    using folder = new StoreFolder()
    const seen: unknown[] = []
    using engine = engineWhere((database, input) => {
      if (input.to === 'keeps') database.defer(lastingWhere(() => true))
      seen.push(database.deferred === undefined)
      return input.to === 'breaks' ? leaveBroken(database) : true
    }, folder.database)
    engine.execute([special('keeps')])
    expect(codesOf(engine.execute([special('breaks')]))).toEqual(['unknown_outcome'])
    engine.execute([special('looks')])
    expect(seen).toEqual([false, false, true])
  })

  test('a commit that fails makes the whole group unknown, and the next group opens the database again', () => {
    using folder = new StoreFolder()
    using engine = engineWhere(leaveBroken, folder.database)
    expect(codesOf(engine.execute([create('alice')]))).toEqual([undefined])
    const outcomes = engine.execute([create('bob'), find('alice'), special('x')])
    expect(codesOf(outcomes)).toEqual(['unknown_outcome', 'unknown_outcome', 'unknown_outcome'])
    expect(causeOf(outcomes[0])).toContain('FOREIGN KEY')
    expect(codesOf(engine.execute([create('carol')]))).toEqual([undefined])
    expect(found(engine, 'alice', 'bob', 'carol')).toEqual([1n, undefined, 2n])
  })

  test('a database that was given up and is gone is not replaced by an empty one', () => {
    using folder = new StoreFolder()
    using engine = engineWhere(leaveBroken, folder.database)
    engine.execute([special('x')])
    rmSync(folder.database)
    expect(codesOf(engine.execute([create('alice'), find('alice')]))).toEqual(['unavailable', 'unavailable'])
    using inAir = engineWhere(leaveBroken)
    inAir.execute([special('x')])
    expect(codesOf(inAir.execute([find('alice')]))).toEqual(['unavailable'])
  })

  test('another program that holds the database makes writes unavailable as long as it does', () => {
    using folder = new StoreFolder()
    using engine = new Engine(folder.database, { ...limits, storeBusyMsMax: 0 })
    using other = new DatabaseSync(folder.database)
    other.exec('begin immediate')
    expect(codesOf(engine.execute([find('alice')]))).toEqual([undefined])
    expect(codesOf(engine.execute([create('alice')]))).toEqual(['unavailable'])
    other.exec('rollback')
    expect(codesOf(engine.execute([create('alice')]))).toEqual([undefined])
  })

  test('below diskBytesFreeMin writes are refused and reads answered', () => {
    using folder = new StoreFolder()
    using engine = new Engine(folder.database, { ...limits, diskBytesFreeMin: Number.MAX_SAFE_INTEGER })
    expect(codesOf(engine.execute([create('alice'), find('alice')]))).toEqual(['storage_full', undefined])
    expect(found(engine, 'alice')).toEqual([undefined])
  })

  test('without room a token is still worth something, in a group with writes and alone, and its use is not noted', () => {
    using folder = new StoreFolder()
    const hash = hashOf('secret')
    const noted = { ...limits, tokenUsePrecisionMs: 0 }
    const use = (at: bigint): Request => ({ name: 'token.use', input: { hash, at, idleMsMax: 100n } })
    const token: Request = { name: 'account.create', input: { ...newAccount('alice'), token: { hash, at: 0n } } }
    const answer = { value: { key: 'alice' } }
    {
      using engine = new Engine(folder.database, noted)
      engine.execute([token])
    }
    {
      using full = new Engine(folder.database, { ...noted, diskBytesFreeMin: Number.MAX_SAFE_INTEGER })
      expect(full.execute([use(100n)])).toMatchObject([answer])
      const outcomes = full.execute([create('bob'), use(100n), find('alice'), use(101n)])
      expect(codesOf(outcomes)).toEqual(['storage_full', undefined, undefined, undefined])
      expect(outcomes.slice(1)).toMatchObject([answer, answer, { value: undefined }])
    }
    using engine = new Engine(folder.database, noted)
    expect(engine.execute([use(100n), use(200n), use(301n), use(200n)])).toMatchObject([
      answer,
      answer,
      { value: undefined },
      { value: undefined },
    ])
  })

  test('groups that only read do not wait for a writer', () => {
    using folder = new StoreFolder()
    using engine = new Engine(folder.database, limits)
    using other = new DatabaseSync(folder.database)
    other.exec('begin immediate')
    expect(codesOf(engine.execute([find('alice'), find('bob')]))).toEqual([undefined, undefined])
  })

  test('an empty group has no outcome', () => {
    using engine = new Engine(inMemory, limits)
    expect(engine.execute([])).toEqual([])
  })
})

describe('an asynchronous step', () => {
  test('does not compile', () => {
    // @ts-expect-error A step that returns a promise is no step.
    const step: Step<'account.rehash'> = { kind: 'write', run: async () => true }
    expect(step.kind).toBe('write')
  })

  test('is refused when it runs, what it did before its first await is undone and what comes after does nothing', async () => {
    let late: Promise<unknown> = Promise.resolve()
    using engine = engineWhere((database) => {
      late = changeInTwoSteps(database)
      return late as unknown as boolean
    })
    const outcomes = engine.execute([create('alice'), special('x')])
    expect(codesOf(outcomes)).toEqual([undefined, 'internal'])
    expect(await late.catch((reason: unknown) => SealwireError.from(reason).code)).toBe('internal')
    expect(found(engine, 'alice', 'before', 'after')).toEqual([1n, undefined, undefined])
  })

  async function changeInTwoSteps(database: Database): Promise<void> {
    steps['account.create'].run(database, newAccount('before'), limits)
    await Promise.resolve()
    steps['account.create'].run(database, newAccount('after'), limits)
  }
})

describe('values', () => {
  test('integers are exact up to 2^63 − 1 and beyond that refused', () => {
    using engine = new Engine(inMemory, limits)
    const values = [2n ** 53n + 1n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]
    for (const createdAt of values) {
      const name = `at ${createdAt}`
      engine.execute([{ name: 'account.create', input: newAccount(name, { createdAt }) }])
      expect(engine.execute([find(name)])[0]).toMatchObject({ value: { createdAt } })
    }
    expect(codesOf(engine.execute([{ name: 'account.create', input: newAccount('x', { createdAt: 2n ** 63n }) }]))).toEqual(['internal'])
  })

  test('a value of another type is refused, not converted', () => {
    using engine = new Engine(inMemory, limits)
    for (const wrong of [1.5, 'soon']) {
      const input = newAccount('alice', { createdAt: wrong as unknown as bigint })
      expect(codesOf(engine.execute([{ name: 'account.create', input }]))).toEqual(['internal'])
    }
    expect(found(engine, 'alice')).toEqual([undefined])
  })
})

/** An engine whose `account.rehash` does something else. */
function engineWhere(run: Step<'account.rehash'>['run'], location: string = inMemory): Engine {
  const special: Steps = { ...steps, 'account.rehash': { kind: 'write', run } }
  return new Engine(location, limits, { steps: special })
}

/** Something that the next group has again. */
function lastingWhere(covers: Deferred['covers']): Deferred {
  return { covers, write() {}, lasts: true }
}

/** Leaves a broken reference that SQLite finds at the commit, which is the only way to make a healthy disk refuse one. */
function leaveBroken(database: Database): boolean {
  database.prepare('create table parent (id integer primary key) strict').run({})
  database.prepare('create table child (id integer references parent deferrable initially deferred) strict').run({})
  database.prepare('insert into child values (1)').run({})
  return true
}

const create = (name: string, passwordHash = 'hash'): Request => ({ name: 'account.create', input: newAccount(name, { passwordHash }) })
const find = (key: string): Request => ({ name: 'account.find', input: { key } })
const special = (to: string): Request => ({ name: 'account.rehash', input: { id: 0n, from: '', to } })

function codesOf(outcomes: readonly Outcome[]): (Code | undefined)[] {
  return outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : undefined))
}

function causeOf(outcome: Outcome | undefined): string {
  return outcome !== undefined && 'error' in outcome ? String(outcome.error.cause) : 'no error'
}

/** The account numbers under these keys. */
function found(engine: Engine, ...keys: readonly string[]): unknown[] {
  return engine.execute(keys.map(find)).map((outcome) => ('value' in outcome ? (outcome.value as { id: bigint } | undefined)?.id : outcome))
}
