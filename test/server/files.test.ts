import { describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LimitName, resolveLimits } from '../../src/protocol/index.ts'
import { FileFolder } from '../../src/server/files/folder.ts'
import { Files } from '../../src/server/files.ts'
import { silentLog } from '../../src/server/log.ts'
import { inMemory, type Input, openInProcessStore, type OperationName, type Output } from '../../src/store/index.ts'
import { fileBytes, newFileId, sha256 } from '../support/file-bytes.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'
import { rejectionOf } from '../support/refusal.ts'

/** A store in memory, a folder, and Alice's room with Bob in it. */
class Desk implements AsyncDisposable {
  readonly folder = join(mkdtempSync(join(tmpdir(), 'sealwire-files-')), 'files')
  readonly clock = new ManualClock()
  readonly limits
  readonly alice: bigint
  readonly bob: bigint
  readonly room: bigint
  readonly asked: OperationName[] = []
  readonly #store
  files: Files

  constructor(overrides: Partial<Record<LimitName, number>> = {}) {
    this.limits = resolveLimits(overrides)
    this.#store = openInProcessStore(inMemory, this.limits)
    this.alice = this.#account('alice')
    this.bob = this.#account('bob')
    const about = { announcement: false, history: 'all', title: 'Files', topic: '' } as const
    const act = { accountId: this.alice, at: 1n }
    this.room = this.store('room.create', { ...act, ...about, id: newFileId() }).conversationId
    this.store('room.link', { ...act, conversationId: this.room, hash: sha256(fileBytes(1)), uses: 9n, expiresAt: 9_000_000_000n })
    this.store('room.join', { accountId: this.bob, at: 2n, id: newFileId(), hash: sha256(fileBytes(1)) })
    this.files = this.#open()
  }

  store<N extends OperationName>(name: N, input: Input<N>): Output<N> {
    return this.#store.run(name, input)
  }

  /** The server ends and starts. */
  async restart(): Promise<void> {
    await this.files.close()
    this.files = this.#open()
    this.files.start()
  }

  announced(bytes: Uint8Array, id: Uint8Array = newFileId()) {
    return { id, conversationId: this.room, name: 'report.pdf', size: BigInt(bytes.length), sha256: sha256(bytes) }
  }

  async begun(bytes: Uint8Array): Promise<Uint8Array> {
    const announced = this.announced(bytes)
    expect(await this.files.begin(this.alice, announced)).toBe(0)
    return announced.id
  }

  async put(id: Uint8Array, bytes: Uint8Array, from = 0, to = bytes.length): Promise<void> {
    for (let at = from; at < to; at += 60_000) await this.files.put(this.alice, id, at, bytes.slice(at, Math.min(at + 60_000, to)))
  }

  /** A whole file that a message has. */
  async sent(bytes: Uint8Array): Promise<{ readonly id: Uint8Array; readonly seq: bigint }> {
    const id = await this.begun(bytes)
    await this.put(id, bytes)
    await this.files.end(this.alice, id)
    const said = {
      accountId: this.alice,
      at: 5n,
      conversationId: this.room,
      kind: 'message',
      type: 'text/plain',
      body: fileBytes(0),
    } as const
    return { id, seq: this.store('entry.post', { ...said, id: newFileId(), file: id }).seq }
  }

  unsent(seq: bigint): Output<'entry.post'> {
    return this.store('entry.post', {
      accountId: this.alice,
      at: 6n,
      conversationId: this.room,
      kind: 'delete',
      id: newFileId(),
      target: seq,
    })
  }

  get names(): string[] {
    return readdirSync(this.folder)
  }

  /** Files in the folder that this process has open; only where there is a /proc. */
  get descriptors(): readonly string[] {
    const paths = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return '' // Closed since it was listed.
      }
    })
    return paths.filter((path) => path.startsWith(this.folder))
  }

  path(id: Uint8Array): string {
    return join(this.folder, Buffer.from(id).toString('hex'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files.close()
    this.#store.close()
    rmSync(join(this.folder, '..'), { recursive: true })
  }

  #open(): Files {
    const run = async <N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> => {
      this.asked.push(name)
      return this.store(name, input)
    }
    const { clock, limits } = this
    return new Files({ folder: new FileFolder(this.folder), store: { run }, clock, log: silentLog, limits })
  }

  #account(name: string): bigint {
    return this.store('account.create', { name, key: name, skeleton: name, passwordHash: undefined, createdAt: 1n }).id
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  const patience = Date.now() + 10_000
  while (!isTrue()) {
    expect(Date.now()).toBeLessThan(patience)
    await settle()
  }
}

const bytes = fileBytes(400_000)

describe('an upload', () => {
  test('is whole and its owner’s alone until a message has it, then for everybody in the conversation', async () => {
    await using desk = new Desk()
    const { alice, bob, files } = desk
    const id = await desk.begun(bytes)
    await desk.put(id, bytes)
    expect(await rejectionOf(files.read(alice, id, 0, 10))).toBe('file_invalid')
    await files.end(alice, id)
    await files.end(alice, id)
    expect(await rejectionOf(files.read(bob, id, 0, 10))).toBe('not_found')
    expect(await files.read(alice, id, 60_000, 60_000)).toEqual(bytes.slice(60_000, 120_000))
    const sent = await desk.sent(bytes)
    expect(await files.read(bob, sent.id, 390_000, 60_000)).toEqual(bytes.slice(390_000))
    expect((await files.find(bob, sent.id)).name).toBe('report.pdf')
  })

  test('is a file that nobody else on the machine can read', async () => {
    await using desk = new Desk()
    const id = await desk.begun(bytes)
    await desk.put(id, bytes)
    await desk.restart()
    expect([statSync(desk.path(id)).mode & 0o777, statSync(desk.folder).mode & 0o777]).toEqual([0o600, 0o700])
    expect(Buffer.compare(readFileSync(desk.path(id)), bytes)).toBe(0)
  })

  test('takes bytes only where they belong, and no more than were announced', async () => {
    await using desk = new Desk()
    const { alice, bob, files } = desk
    const id = await desk.begun(bytes)
    expect(await rejectionOf(files.put(alice, id, 1, bytes.slice(0, 10)))).toBe('conflict')
    expect(await rejectionOf(files.put(bob, id, 0, bytes.slice(0, 10)))).toBe('not_found')
    expect(await rejectionOf(files.put(alice, newFileId(), 0, bytes.slice(0, 10)))).toBe('not_found')
    await desk.put(id, bytes, 0, 360_000)
    expect(await rejectionOf(files.put(alice, id, 360_000, bytes.slice(0, 40_001)))).toBe('file_invalid')
    expect(await rejectionOf(files.end(alice, id))).toBe('file_invalid')
    await desk.put(id, bytes, 360_000)
    await files.end(alice, id)
    expect(await rejectionOf(files.put(alice, id, 400_000, fileBytes(0)))).toBe('conflict')
  })

  test('is carried out in the order of the requests, however many are under way', async () => {
    await using desk = new Desk()
    const { alice, files } = desk
    const announced = desk.announced(bytes)
    const all = [files.begin(alice, announced)]
    for (let at = 0; at < bytes.length; at += 50_000) all.push(files.put(alice, announced.id, at, bytes.slice(at, at + 50_000)))
    expect((await Promise.all(all)).at(-1)).toBe(bytes.length)
    await files.end(alice, announced.id)
  })

  test('asks the store once in a while and not for every chunk', async () => {
    await using desk = new Desk()
    const id = await desk.begun(bytes)
    desk.asked.length = 0
    await desk.put(id, bytes)
    expect(desk.asked).toEqual(['file.find'])
    await desk.clock.move(1_001)
    await rejectionOf(desk.files.put(desk.alice, id, bytes.length, fileBytes(0)))
    expect(desk.asked).toEqual(['file.find', 'file.find'])
  })

  test('that was asked for longest ago is asked for again when more are than are remembered', async () => {
    await using desk = new Desk()
    const ids = Array.from({ length: 1_001 }, () => desk.announced(fileBytes(1)))
    for (const announced of ids) desk.store('file.begin', { ...announced, accountId: desk.alice, at: 1n })
    const [first, second] = ids as [(typeof ids)[0], (typeof ids)[0]]
    const asks = async ({ id }: { readonly id: Uint8Array }): Promise<number> => {
      desk.asked.length = 0
      expect(await rejectionOf(desk.files.read(desk.alice, id, 0, 1))).toBe('file_invalid')
      return desk.asked.length
    }
    for (const announced of ids.slice(0, 1_000)) expect(await asks(announced)).toBe(1)
    expect(await asks(first)).toBe(0)
    expect(await asks(ids[1_000] as typeof first)).toBe(1)
    expect([await asks(second), await asks(first)]).toEqual([0, 1])
  })

  test('has a bounded number of files open: who needs one more closes the one that was used longest ago', async () => {
    await using desk = new Desk({ fileOpenMax: 2 })
    const ids = [await desk.begun(bytes), await desk.begun(bytes), await desk.begun(bytes)]
    // None is closed while the disk has not all of it: who comes then is to come again.
    const put = async (id: Uint8Array, at: number): Promise<void> => {
      for (const patience = Date.now() + 10_000; ; await settle()) {
        const refused = await rejectionOf(desk.files.put(desk.alice, id, at, bytes.slice(at, at + 60_000)))
        if (refused === undefined) return
        expect([refused, Date.now() < patience]).toEqual(['busy', true])
      }
    }
    for (const id of ids) await put(id, 0)
    for (const id of ids) await put(id, 60_000)
    if (process.platform === 'linux') await until(() => desk.descriptors.length <= 2)
    expect(ids.map((id) => statSync(desk.path(id)).size >= 60_000)).toEqual([true, true, true])
  })

  test('of nothing is a file too', async () => {
    await using desk = new Desk()
    const id = await desk.begun(fileBytes(0))
    await desk.files.end(desk.alice, id)
    expect((await desk.files.read(desk.alice, id, 0, 10)).length).toBe(0)
  })

  test('goes on where the disk says that it stopped', async () => {
    await using desk = new Desk()
    const announced = desk.announced(bytes)
    await desk.files.begin(desk.alice, announced)
    await desk.put(announced.id, bytes, 0, 300_000)
    await desk.files.close()
    truncateSync(desk.path(announced.id), 123_456)
    await desk.restart()
    expect(await desk.files.begin(desk.alice, announced)).toBe(123_456)
    await desk.put(announced.id, bytes, 123_456)
    await desk.files.end(desk.alice, announced.id)
    expect(await desk.files.begin(desk.alice, announced)).toBe(bytes.length)
  })

  test('of other bytes than were announced begins at 0 again', async () => {
    await using desk = new Desk()
    const announced = desk.announced(bytes)
    await desk.files.begin(desk.alice, announced)
    await desk.put(announced.id, fileBytes(400_000).fill(1, 0, 1))
    expect(await rejectionOf(desk.files.end(desk.alice, announced.id))).toBe('file_invalid')
    expect(await desk.files.begin(desk.alice, announced)).toBe(0)
    await desk.put(announced.id, bytes)
    await desk.files.end(desk.alice, announced.id)
    expect(await desk.files.read(desk.alice, announced.id, 0, 1)).toEqual(bytes.slice(0, 1))
  })

  test('notices what a crash did to bytes in the middle', async () => {
    await using desk = new Desk()
    const announced = desk.announced(bytes)
    await desk.files.begin(desk.alice, announced)
    await desk.put(announced.id, bytes, 0, 300_000)
    await desk.files.close()
    writeFileSync(desk.path(announced.id), Buffer.alloc(4_096), { flag: 'r+' })
    await desk.restart()
    expect(await desk.files.begin(desk.alice, announced)).toBe(300_000)
    await desk.put(announced.id, bytes, 300_000)
    expect(await rejectionOf(desk.files.end(desk.alice, announced.id))).toBe('file_invalid')
  })
})

describe('room on the disk', () => {
  test('is asked for before a file is announced, and as it grows', async () => {
    await using desk = new Desk({ diskBytesFreeMin: 1_048_576 * 1_048_576 })
    expect(await rejectionOf(desk.files.begin(desk.alice, desk.announced(bytes)))).toBe('storage_full')
    await using other = new Desk()
    const large = { ...other.announced(bytes), size: 1n << 50n }
    expect(await rejectionOf(other.files.begin(other.alice, large))).toBe('storage_full')
    expect(other.store('file.find', { accountId: other.alice, id: large.id })).toBeUndefined()
  })
})

describe('deleting', () => {
  test('removes the content of a message, and nobody reads on', async () => {
    await using desk = new Desk()
    const { id, seq } = await desk.sent(bytes)
    const other = await desk.sent(bytes)
    expect((await desk.files.read(desk.bob, id, 0, 10)).length).toBe(10)
    await desk.files.remove(desk.unsent(seq).files ?? [])
    expect(desk.names).toEqual([Buffer.from(other.id).toString('hex')])
    // Its room on the disk is free only when nobody has it open any more.
    await until(() => desk.descriptors.every((path) => !path.includes(Buffer.from(id).toString('hex'))))
    expect(await rejectionOf(desk.files.read(desk.bob, id, 0, 10))).toBe('not_found')
  })

  test('leaves alone what was announced under the same id since', async () => {
    await using desk = new Desk()
    const { id, seq } = await desk.sent(bytes)
    const removed = desk.unsent(seq).files ?? []
    const small = fileBytes(5)
    expect(await desk.files.begin(desk.bob, desk.announced(small, id))).toBe(0)
    await desk.files.put(desk.bob, id, 0, small)
    await desk.files.remove(removed)
    expect(await desk.files.begin(desk.bob, desk.announced(small, id))).toBe(small.length)
    await desk.files.end(desk.bob, id)
    expect(await desk.files.read(desk.bob, id, 0, 10)).toEqual(small)
  })

  test('abandons an own file, and none that a message has', async () => {
    await using desk = new Desk()
    const id = await desk.begun(bytes)
    await desk.put(id, bytes, 0, 60_000)
    expect(await rejectionOf(desk.files.abandon(desk.bob, id))).toBe('not_found')
    await desk.files.abandon(desk.alice, id)
    expect(desk.names).toEqual([])
    expect(await rejectionOf(desk.files.put(desk.alice, id, 60_000, bytes.slice(60_000, 120_000)))).toBe('not_found')
    expect(await rejectionOf(desk.files.abandon(desk.alice, (await desk.sent(bytes)).id))).toBe('not_found')
  })

  test('comes by itself to what nobody sends in time', async () => {
    await using desk = new Desk({ fileUnsentMs: 60_000, retentionSweepMs: 1_000 })
    await desk.restart()
    const old = await desk.begun(bytes)
    await desk.clock.move(30_000)
    const young = await desk.begun(bytes)
    await desk.clock.move(31_000)
    await desk.files.close()
    expect(desk.names).toEqual([Buffer.from(young).toString('hex')])
    expect(desk.store('file.known', { ids: [old, young] })).toEqual([young])
  })

  test('is done in steps of the store that are bounded', async () => {
    await using desk = new Desk()
    for (let count = 0; count < 501; count++) {
      desk.store('file.begin', { ...desk.announced(fileBytes(1)), accountId: desk.alice, at: BigInt(desk.clock.now()) })
    }
    desk.clock.jump(desk.limits.fileUnsentMs + 1)
    await desk.files.expire()
    // 500, the last one, and then there is none.
    expect(desk.asked.filter((name) => name === 'file.expire')).toHaveLength(3)
  })

  test('at the start it takes what a crash has left, and nothing else in the folder', async () => {
    await using desk = new Desk()
    const { id } = await desk.sent(bytes)
    mkdirSync(desk.folder, { recursive: true })
    writeFileSync(desk.path(newFileId()), 'orphan')
    writeFileSync(join(desk.folder, 'lost+found'), '')
    await desk.restart()
    await desk.files.close()
    expect(desk.names.toSorted()).toEqual([Buffer.from(id).toString('hex'), 'lost+found'].toSorted())
  })
})

describe('what is missing', () => {
  test('is said: a content that is lost, and a server without files', async () => {
    await using desk = new Desk()
    const { id } = await desk.sent(bytes)
    await desk.restart()
    rmSync(desk.path(id))
    expect(await rejectionOf(desk.files.read(desk.bob, id, 0, 10))).toBe('gone')
    const { clock, limits } = desk
    const none = new Files({
      folder: undefined,
      store: { run: async (name, input) => desk.store(name, input) },
      clock,
      log: silentLog,
      limits,
    })
    expect(await rejectionOf(none.begin(desk.alice, desk.announced(bytes)))).toBe('unavailable')
    await none.remove([id])
  })
})
