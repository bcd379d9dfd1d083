// The outbox of a home: a journal of what is to be sent, one for each process that uses the home, because several may. Each is
// in a folder of its own, which its process holds locked; those that nobody holds are of processes that ended, and whoever comes
// next takes over what is in them.
//
//   <home>/outbox-<name>/0/journal, lock      a record is length, CRC-32, CBOR: ['add', id, params] or ['remove', id]
//
// An added record is brought to the disk before anything is told of it; records that wait meanwhile share the next fsync. A
// removal is not: what comes back after a crash is sent again under its id, which changes nothing. What a crash cut off at the
// end of a journal was never told of, and is left out. What could not be written is taken back, also where a part of it is whole.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import * as v from 'valibot'
import { removeDurably, unusable, writeDurably } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../protocol/contract/index.ts'
import { lockData } from '../../store/data-lock.ts'
import type { OutboxEntry, OutboxStore } from '../outbox/store.ts'
import { accountKey } from './account-files.ts'
import type { Home } from './home.ts'

export interface FileOutboxOptions {
  /** Whose messages they are: those of another account of the same home are left alone. */
  readonly name: string
  /** Bytes that are done with, from which the journal is written anew. Default: limit `outboxJournalBytesMax`. */
  readonly spentBytesMax?: number
  /** How many programs may use it at once. Default: limit `outboxProcessesMax`. */
  readonly processesMax?: number
}

/** An outbox in the files of a home. */
export class FileOutbox implements OutboxStore {
  readonly #folder: string
  readonly #spentBytesMax: number
  readonly #processesMax: number
  readonly #entries = new Map<string, OutboxEntry>()
  #held: Held | undefined
  #file: FileHandle | undefined
  /** What is to be written next, and who waits for it. */
  #batch: Batch = newBatch()
  #writing: Promise<void> | undefined
  #spentBytes = 0
  /** Of the journal, as far as it was written well. */
  #size = 0
  /** A record may have been cut off: what came behind it would never be read. */
  #isTorn = false

  constructor(home: Home, { name, spentBytesMax, processesMax }: FileOutboxOptions) {
    home.make()
    this.#folder = home.pathOf(`outbox-${accountKey(name)}`)
    this.#spentBytesMax = spentBytesMax ?? limitTable.outboxJournalBytesMax.value
    this.#processesMax = processesMax ?? limitTable.outboxProcessesMax.value
  }

  async load(): Promise<readonly OutboxEntry[]> {
    try {
      const [own, ...left] = this.#hold()
      this.#held = own
      for (const { path } of [own, ...left]) for (const entry of readJournal(path)) this.#entries.set(entry.id, entry)
      await this.#rewrite(own.path)
      // It is all in our own journal now, and on the disk.
      for (const { path, lock } of left) {
        removeDurably(path)
        lock[Symbol.dispose]()
      }
    } catch (cause) {
      throw SealwireError.is(cause) ? cause : unusable(`cannot use the outbox ${this.#folder}`, cause)
    }
    return [...this.#entries.values()]
  }

  async add(entry: OutboxEntry): Promise<void> {
    this.#entries.set(entry.id, entry)
    const batch = this.#write(['add', entry.id, entry.params], true)
    try {
      await batch
    } catch (cause) {
      this.#entries.delete(entry.id)
      throw isDoubtful(cause) ? cause : unusable(`cannot write the outbox ${this.#folder}`, cause)
    }
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#spentBytes += entry.params.length
    await this.#write(['remove', id], false)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    await this.#file?.close()
    this.#file = undefined
    this.#held?.lock[Symbol.dispose]()
    this.#held = undefined
  }

  /** The folders that nobody else holds: the first is ours, the others were left behind. */
  #hold(): [Held, ...Held[]] {
    const left = existsSync(this.#folder) ? readdirSync(this.#folder).filter((name) => /^\d+$/.test(name)) : []
    const free = left.flatMap((name) => held(join(this.#folder, name)) ?? [])
    const [first, ...others] = free
    if (first !== undefined) return [first, ...others]
    for (let next = left.length; next < this.#processesMax; next++) {
      const own = held(join(this.#folder, String(next)))
      if (own !== undefined) return [own]
    }
    throw new SealwireError('data_locked', `too many programs use the outbox ${this.#folder}`)
  }

  /** Writes a record with those that wait already. */
  #write(record: readonly (string | Uint8Array)[], isDurable: boolean): Promise<void> {
    const batch = this.#batch
    batch.records.push(framed(record))
    batch.isDurable ||= isDurable
    this.#writing ??= this.#run().finally(() => (this.#writing = undefined))
    return batch.done.promise
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    while (this.#batch.records.length > 0) {
      const batch = this.#batch
      this.#batch = newBatch()
      try {
        await this.#append(batch)
        batch.done.resolve()
      } catch (reason) {
        batch.done.reject(reason)
      }
    }
  }

  async #append({ records, isDurable }: Batch): Promise<void> {
    if (this.#held === undefined) throw new SealwireError('data_unusable', 'the outbox is closed')
    const mustRewrite = this.#file === undefined || this.#isTorn || this.#spentBytes > this.#spentBytesMax
    if (this.#file === undefined || mustRewrite) return this.#rewrite(this.#held.path)
    if (this.#entries.size === 0 && this.#spentBytes > 0) return this.#clear(this.#file)
    this.#isTorn = true
    const bytes = Buffer.concat(records)
    try {
      await this.#file.appendFile(bytes)
      if (isDurable) await this.#file.datasync()
    } catch (reason) {
      await this.#takeBack(this.#file, reason)
      throw reason
    }
    this.#size += bytes.length
    this.#isTorn = false
  }

  /** Who sends is told that it was not kept: nobody may find it there later. */
  async #takeBack(file: FileHandle, cause: unknown): Promise<void> {
    try {
      await file.truncate(this.#size)
      await file.sync()
      this.#isTorn = false
    } catch {
      throw new SealwireError('unknown_outcome', `the outbox ${this.#folder} may have kept what it could not write whole`, { cause })
    }
  }

  /** Nothing waits any more: also what was to be added is done with by now. */
  async #clear(file: FileHandle): Promise<void> {
    await file.truncate(0)
    this.#spentBytes = this.#size = 0
  }

  /** Writes what waits in the place of everything that was written. */
  async #rewrite(path: string): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
    const bytes = Buffer.concat([...this.#entries.values()].map(({ id, params }) => framed(['add', id, params])))
    writeDurably(path, bytes, 0o600)
    this.#file = await open(path, 'a', 0o600)
    this.#size = bytes.length
    this.#spentBytes = 0
    this.#isTorn = false
  }
}

function isDoubtful(reason: unknown): boolean {
  return SealwireError.is(reason) && reason.code === 'unknown_outcome'
}

interface Held {
  /** Of the journal. */
  readonly path: string
  readonly lock: Disposable
}

interface Batch {
  readonly records: Uint8Array[]
  readonly done: PromiseWithResolvers<void>
  isDurable: boolean
}

function newBatch(): Batch {
  return { records: [], done: Promise.withResolvers<void>(), isDurable: false }
}

/** The folder, locked, or `undefined` when another process has it. */
function held(folder: string): Held | undefined {
  try {
    return { lock: lockData(folder), path: join(folder, 'journal') }
  } catch (reason) {
    if (SealwireError.from(reason).code === 'data_locked') return undefined
    throw reason
  }
}

function framed(record: CborValue): Uint8Array {
  const body = encodeCbor(record)
  const bytes = new Uint8Array(headBytes + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, body.length)
  view.setUint32(4, crc32(body))
  bytes.set(body, headBytes)
  return bytes
}

/** What a journal says that waits, in the order in which it was added. */
function readJournal(path: string): Iterable<OutboxEntry> {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const entries = new Map<string, OutboxEntry>()
  for (let at = 0; at + headBytes <= bytes.length; ) {
    const end = at + headBytes + bytes.readUInt32BE(at)
    const body = bytes.subarray(at + headBytes, end)
    // A power cut may leave zeros behind what was written, and they are a sound record of nothing.
    if (end > bytes.length || body.length === 0 || crc32(body) !== bytes.readUInt32BE(at + 4)) break
    const [what, id, params] = v.parse(recordSchema, decodeCbor(body))
    if (what === 'add') entries.set(id, { id, params })
    else entries.delete(id)
    at = end
  }
  return entries.values()
}

const headBytes = 8
const recordSchema = v.union([v.tuple([v.literal('add'), v.string(), v.instance(Uint8Array)]), v.tuple([v.literal('remove'), v.string()])])
