import { describe, expect, test } from 'bun:test'
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { openInProcessStore, openStore, type Snapshot, takeSnapshot, verifyStructure } from '../../../src/store/index.ts'
import { refusalOf } from '../../support/refusal.ts'
import { ImpatientClock, RecordedLog } from '../../support/store-components.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { newAccount } from '../../compliance/store-subject.ts'

const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const rounds = 8
const ten = Array.from({ length: 10 })

describe('takeSnapshot', () => {
  test('is one moment of a database that a worker goes on writing to, whatever it does to its log', async () => {
    using folder = new StoreFolder()
    await using store = await openStore(folder.path, limits, { log: new RecordedLog(), clock: new ImpatientClock() })
    const writer = new Writer(store)
    await writer.begin()
    for (let round = 0; round < rounds; round++) {
      const before = await writer.more()
      using snapshot = takeSnapshot(folder.path, limits)
      const { entries } = snapshot.count()
      // Half of the time much is written before it is read: the log grows, and is brought into the database as far as that goes.
      if (round % 2 === 0) await writer.more()
      using copy = new StoreFolder()
      copyOut(snapshot, copy.path)
      expect(entries).toBeGreaterThanOrEqual(before)
      expect(verifyStructure(copy.path)).toBeUndefined()
      using copied = takeSnapshotOfCopy(copy.path)
      expect(copied.count().entries).toBe(entries)
    }
    await writer.end()
    // Nothing is left of it: the log can be emptied, and its copy has no name.
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('names the files that are whole in it, though they are deleted meanwhile', () => {
    using folder = new StoreFolder()
    using store = openInProcessStore(folder.path, limits)
    const { id: accountId } = store.run('account.create', newAccount('alice'))
    const about = { announcement: false, history: 'all', title: 'Files', topic: '' } as const
    const { conversationId } = store.run('room.create', { accountId, at: 1n, ...about, id: new Uint8Array(16) })
    for (let number = 1; number <= 3; number++) {
      const id = new Uint8Array(16).fill(number)
      const sha256 = new Uint8Array(32).fill(number)
      store.run('file.begin', { accountId, device: undefined, at: 1n, id, conversationId, name: 'a', size: BigInt(number), sha256 })
      if (number < 3) store.run('file.whole', { accountId, id })
    }
    using snapshot = takeSnapshot(folder.path, limits)
    store.run('file.abandon', { accountId, id: new Uint8Array(16).fill(1) })
    expect(snapshot.count()).toEqual({ accounts: 1, entries: 1, postings: 0, files: 2 })
    expect([...snapshot.files()]).toEqual([1, 2].map((number) => ({ ...whole(number) })))
  })

  test('refuses a log in which something committed cannot be read any more', async () => {
    using folder = new StoreFolder()
    await using store = await openStore(folder.path, limits, { log: new RecordedLog(), clock: new ImpatientClock() })
    for (const name of ['alice', 'bob', 'carol']) await store.run('account.create', newAccount(name))
    takeSnapshot(folder.path, limits)[Symbol.dispose]()
    const log = openSync(join(folder.path, 'sealwire.db-wal'), 'r+')
    const one = new Uint8Array(1)
    readSync(log, one, 0, 1, 5_000)
    writeSync(log, one.with(0, (one[0] ?? 0) ^ 1), 0, 1, 5_000)
    closeSync(log)
    expect(refusalOf(() => takeSnapshot(folder.path, limits))).toBe('data_unusable')
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('when it is released the log can be begun anew, and its copy is still there', () => {
    using folder = new StoreFolder()
    using store = openInProcessStore(folder.path, limits)
    for (const name of ['alice', 'carol']) store.run('account.create', newAccount(name))
    using snapshot = takeSnapshot(folder.path, limits)
    const { bytes, descriptor } = snapshot.log
    store.run('account.create', newAccount('bob'))
    using other = new DatabaseSync(join(folder.path, 'sealwire.db'))
    const checkpoint = () => other.prepare('pragma wal_checkpoint(truncate)').get()?.['busy']
    expect(checkpoint()).toBe(1)
    snapshot.release()
    expect(checkpoint()).toBe(0)
    expect([bytes > 0, readSync(descriptor, new Uint8Array(bytes), 0, bytes, 0)]).toEqual([true, bytes])
  })

  test('refuses a folder without a database', () => {
    using folder = new StoreFolder()
    expect(refusalOf(() => takeSnapshot(folder.path, limits))).toBe('data_unusable')
  })
})

/** Says something all the time; from time to time deletes something, after which the log is emptied. */
class Writer {
  readonly #store: Awaited<ReturnType<typeof openStore>>
  #said = 0
  #isEnding = false
  #writing: Promise<void> = Promise.resolve()
  #wake: () => void = () => {}

  constructor(store: Awaited<ReturnType<typeof openStore>>) {
    this.#store = store
  }

  async begin(): Promise<void> {
    const { id: accountId } = await this.#store.run('account.create', newAccount('alice'))
    const about = { announcement: false, history: 'all', title: 'Talk', topic: '' } as const
    const { conversationId } = await this.#store.run('room.create', { accountId, at: 1n, ...about, id: freshId() })
    this.#writing = this.#write(accountId, conversationId)
  }

  /** Resolves with the number of entries when some more were stored. */
  async more(): Promise<number> {
    for (const target = this.#said + 150; this.#said < target; ) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#said
  }

  async end(): Promise<void> {
    this.#isEnding = true
    await this.#writing
  }

  async #write(accountId: bigint, conversationId: bigint): Promise<void> {
    while (!this.#isEnding) {
      const act = { accountId, device: undefined, at: BigInt(Date.now()), conversationId }
      const body = crypto.getRandomValues(new Uint8Array(2_000))
      const message = { ...act, kind: 'message', type: 'text/plain', body } as const
      const posted = await Promise.all(ten.map(() => this.#store.run('entry.post', { ...message, id: freshId() })))
      await this.#store.run('entry.post', { ...act, id: freshId(), kind: 'delete', target: posted[0]?.seq ?? 0n })
      this.#said += posted.length + 1
      this.#wake()
    }
  }
}

/** What a backup does with it. */
function copyOut({ database, log }: Snapshot, folder: string): void {
  for (const [name, { descriptor, bytes }] of [
    ['sealwire.db', database],
    ['sealwire.db-wal', log],
  ] as const) {
    const target = openSync(join(folder, name), 'wx', 0o600)
    const piece = new Uint8Array(64 * 1024)
    for (let at = 0; at < bytes; ) {
      const read = readSync(descriptor, piece, 0, Math.min(piece.length, bytes - at), at)
      writeSync(target, piece, 0, read)
      at += read
    }
    closeSync(target)
  }
}

/** Through the store first, which refuses a log that is damaged. */
function takeSnapshotOfCopy(folder: string): Snapshot {
  openInProcessStore(folder, limits).close()
  return takeSnapshot(folder, limits)
}

function whole(number: number) {
  return { id: new Uint8Array(16).fill(number), size: number, sha256: new Uint8Array(32).fill(number) }
}

function freshId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(16))
}
