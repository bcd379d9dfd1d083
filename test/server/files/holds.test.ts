import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { FileFolder } from '../../../src/server/files/folder.ts'
import { FileHolds, holdMs } from '../../../src/server/files/holds.ts'
import { Files } from '../../../src/server/files.ts'
import { silentLog } from '../../../src/server/log.ts'
import { inMemory, openInProcessStore, type Store } from '../../../src/store/index.ts'
import { newAccount } from '../../compliance/store-subject.ts'
import { fileBytes, newFileId, sha256 } from '../../support/file-bytes.ts'
import { ManualClock, settle } from '../../support/manual-clock.ts'
import { refusalOf, rejectionOf } from '../../support/refusal.ts'

const job = (number: number): Uint8Array => new Uint8Array(16).fill(number)

describe('FileHolds', () => {
  test('ends with the last one that is released, or that nobody asks for any more', async () => {
    const clock = new ManualClock()
    let released = 0
    const holds = new FileHolds({ clock, released: () => released++ })
    holds.hold(job(1))
    holds.hold(job(2))
    holds.release(job(1))
    holds.release(job(1))
    expect([holds.any, released]).toEqual([true, 0])
    await clock.move(holdMs - 1)
    holds.hold(job(2))
    await clock.move(holdMs - 1)
    expect([holds.any, released]).toEqual([true, 0])
    await clock.move(1)
    expect([holds.any, released]).toEqual([false, 1])
  })

  test('has at most four', () => {
    const holds = new FileHolds({ clock: new ManualClock(), released() {} })
    for (let number = 1; number <= 4; number++) holds.hold(job(number))
    expect(refusalOf(() => holds.hold(job(5)))).toBe('busy')
    holds.hold(job(4))
    holds.close()
    expect(holds.any).toBe(false)
  })
})

describe('Files', () => {
  test('leave the content of what is deleted to a backup, and remove it when that is over', async () => {
    await using desk = new Desk()
    const first = await desk.upload(fileBytes(1_000))
    const second = await desk.upload(fileBytes(2_000))
    desk.files.hold(job(1))
    await desk.files.abandon(desk.alice, first)
    expect(desk.names).toHaveLength(2)
    // Nobody writes over it under the same id.
    expect(await rejectionOf(desk.files.begin(desk.alice, desk.announced(fileBytes(500), first)))).toBe('busy')
    desk.files.release(job(1))
    await desk.until(() => desk.names.length === 1)
    expect(await desk.files.begin(desk.alice, desk.announced(fileBytes(500), first))).toBe(0)
    desk.files.hold(job(2))
    await desk.files.abandon(desk.alice, second)
    expect(desk.names).toHaveLength(2)
    // The backup died without a word.
    await desk.clock.move(holdMs)
    await desk.until(() => desk.names.length === 1)
  })
})

/** A store in memory, a folder, and Alice's room. */
class Desk implements AsyncDisposable {
  readonly clock = new ManualClock()
  readonly alice: bigint
  readonly files: Files
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-holds-'))
  readonly #room: bigint
  readonly #store

  constructor() {
    const limits = resolveLimits()
    const store = openInProcessStore(inMemory, limits)
    this.#store = store
    this.alice = store.run('account.create', newAccount('alice')).id
    const about = { announcement: false, history: 'all', title: 'Files', topic: '' } as const
    this.#room = store.run('room.create', { accountId: this.alice, at: 1n, ...about, id: newFileId() }).conversationId
    const asked: Pick<Store, 'run'> = { run: async (name, input) => store.run(name, input) }
    this.files = new Files({ folder: new FileFolder(this.#folder), store: asked, clock: this.clock, log: silentLog, limits })
    this.files.start()
  }

  get names(): readonly string[] {
    return readdirSync(this.#folder)
  }

  announced(bytes: Uint8Array, id: Uint8Array = newFileId()) {
    return { id, conversationId: this.#room, name: 'report.pdf', size: BigInt(bytes.length), sha256: sha256(bytes) }
  }

  async upload(bytes: Uint8Array): Promise<Uint8Array> {
    const announced = this.announced(bytes)
    await this.files.begin(this.alice, announced)
    await this.files.put(this.alice, announced.id, 0, bytes)
    await this.files.end(this.alice, announced.id)
    return announced.id
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await settle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files.close()
    this.#store.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
