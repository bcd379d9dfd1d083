// The content of one file that is open. What is appended waits in memory until the disk has it, at most `fileBufferBytes` of
// it and then whoever appends waits; the disk is told to keep what it has after every few mebibytes, so that the end of a large
// file, and the commits of the database beside it, do not wait for gigabytes.
//
// SHA-256 goes along while a file is uploaded in one go. After it was opened again, what is there already is read back once,
// beside the upload, piece by piece: the event loop never has more than one piece to hash.
//
//   0 ≤ hashed ≤ size,  0 ≤ durable ≤ written ≤ size,  size − written = what waits

import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { assert, type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import { diskFailure } from './folder.ts'
import type { Turns } from '../turns.ts'

/** What the content of a file works with. */
export interface FileContentParts {
  readonly limits: Pick<Limits, 'fileBufferBytes'>
  /** Who may read back what is there, to hash it. */
  readonly hashing: Turns
  /** Aborted when the server ends: nobody reads back a large file then. */
  readonly ended: AbortSignal
  /** Asked before the disk gets more. Throws `storage_full`. */
  readonly requireRoom: () => Promise<void>
}

export class FileContent {
  readonly #handle: FileHandle
  readonly #parts: FileContentParts
  /** The chunks that the disk does not have yet. */
  readonly #waiting: Uint8Array[] = []
  #size: number
  #written: number
  #durable = 0
  #hash: Hash = createHash('sha256')
  #hashed = 0
  #writing: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #hashing: Promise<void> | undefined
  #failure: unknown
  #closing = false

  private constructor(handle: FileHandle, size: number, parts: FileContentParts) {
    this.#handle = handle
    this.#size = size
    this.#written = size
    this.#parts = parts
  }

  /** How much there is, is what is on the disk. Closes the handle when that cannot be told. */
  static async open(handle: FileHandle, parts: FileContentParts): Promise<FileContent> {
    try {
      return new FileContent(handle, (await handle.stat()).size, parts)
    } catch (reason) {
      await handle.close()
      throw diskFailure(reason)
    }
  }

  /** Bytes, those that the disk does not have yet too. */
  get size(): number {
    return this.#size
  }

  /** Nothing is under way: it can be closed, and opened again as it was. */
  get isIdle(): boolean {
    return this.#writing === undefined && this.#syncing === undefined && this.#hashing === undefined
  }

  /** The disk has refused something: what is there has to be found out anew. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * Puts bytes behind what is there; resolves when there is room in memory for the next ones. `data` must not be changed.
   * @throws {SealwireError} `storage_full`, `unavailable`, also for what was appended before.
   */
  async append(data: Uint8Array): Promise<void> {
    this.#requireSound()
    if (this.#hashed === this.#size) this.#take(data)
    else void this.#beginHashing()
    this.#waiting.push(data)
    this.#size += data.length
    this.#writing ??= this.#write()
    while (this.#size - this.#written > this.#parts.limits.fileBufferBytes && !this.hasFailed) await this.#writing
    this.#requireSound()
  }

  /**
   * Makes all of it durable and resolves with its SHA-256.
   * @throws {SealwireError} `storage_full`, `unavailable`.
   */
  async finish(): Promise<Uint8Array> {
    await this.#settled()
    await this.#sync()
    while (this.#hashed < this.#size && !this.hasFailed && !this.#isEnding) await this.#beginHashing()
    this.#requireSound()
    if (this.#isEnding) throw new SealwireError('unavailable', 'the server is stopping')
    return this.#hash.copy().digest()
  }

  /** Forgets everything: it begins at 0 again. @throws {SealwireError} `unavailable`. */
  async restart(): Promise<void> {
    await this.#settled()
    this.#requireSound()
    await this.#handle.truncate(0).catch((reason: unknown) => this.#fail(reason))
    this.#requireSound()
    this.#size = this.#written = this.#durable = this.#hashed = 0
    this.#hash = createHash('sha256')
  }

  /** At most `length` bytes from `offset` on, fewer only at the end. @throws {SealwireError} `unavailable`. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#written - offset)))
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await this.#handle.read(bytes, filled, bytes.length - filled, offset + filled).catch((reason: unknown) => {
        throw diskFailure(reason)
      })
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }

  /** Gives what waits to the disk and closes. Never rejects. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#settled()
    await this.#handle.close().catch(() => {})
  }

  get #isEnding(): boolean {
    return this.#closing || this.#parts.ended.aborted
  }

  /** Nothing is under way any more. */
  async #settled(): Promise<void> {
    while (!this.isIdle) await Promise.all([this.#writing, this.#syncing, this.#hashing])
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writeWaiting()
    } catch (reason) {
      this.#fail(reason)
    }
    this.#writing = undefined
  }

  async #writeWaiting(): Promise<void> {
    const count = this.#waiting.length
    const bytes = Buffer.concat(this.#waiting)
    for (let at = 0; at < bytes.length; ) {
      at += (await this.#handle.write(bytes, at, bytes.length - at, this.#written + at)).bytesWritten
    }
    this.#waiting.splice(0, count)
    this.#written += bytes.length
    if (this.#written - this.#durable < syncBytes) return
    // The disk is behind: more is written when it has caught up.
    await this.#syncing
    this.#syncing = this.#sync()
    await this.#parts.requireRoom()
  }

  /** Never rejects. */
  async #sync(): Promise<void> {
    const upTo = this.#written
    try {
      await this.#handle.datasync()
      this.#durable = upTo
    } catch (reason) {
      this.#fail(reason)
    }
    this.#syncing = undefined
  }

  #beginHashing(): Promise<void> {
    this.#hashing ??= this.#parts.hashing
      .run(() => this.#readBack())
      .catch((reason: unknown) => this.#fail(reason))
      .then(() => void (this.#hashing = undefined))
    return this.#hashing
  }

  /** Until everything is hashed, what waits too: from then on each chunk is hashed as it comes. */
  async #readBack(): Promise<void> {
    while (this.#hashed < this.#written && !this.hasFailed && !this.#isEnding) {
      const piece = await this.read(this.#hashed, pieceBytes)
      assert(piece.length > 0, 'a file is shorter than it was')
      this.#take(piece)
    }
    for (const chunk of this.#hashed === this.#written ? this.#waiting : []) this.#take(chunk)
  }

  #take(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#hashed += bytes.length
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason
    this.#waiting.length = 0
  }

  #requireSound(): void {
    if (this.hasFailed) throw diskFailure(this.#failure)
  }
}

/** What the disk is told to keep at once. */
const syncBytes = limitTable.fileSyncBytes.value
/** What is read back and hashed at once: well under a millisecond. */
const pieceBytes = 256 * 1024
