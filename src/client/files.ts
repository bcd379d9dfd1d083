// Files in a conversation: chunks over the same connection, a few under way at once, so that what is said goes between them. A
// lost connection goes on where it was, and so does a program that was ended: the server says how much it has, and the disk says
// how much was saved.

import { fileChunkBytesMax, type Params } from '../protocol/contract/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { CallOptions, Calls } from './calls.ts'
import { isPassing } from './refusals.ts'
import type { Hasher } from './sha256.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** Something to be sent. A `File` of a browser is one, with {@link blobSource}. */
export interface FileSource {
  /** For people, at most 255 characters. */
  readonly name: string
  /** Bytes, at most 5 GB. */
  readonly size: number
  /** Exactly these bytes. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** Where a file is saved, piece by piece. */
export interface FileTarget extends AsyncDisposable {
  /** How much an earlier try has left. */
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array>
  append(bytes: Uint8Array): Promise<void>
  /** What was left is not right: begins again. */
  restart(): Promise<void>
  /** All of it is there and right. */
  finish(): Promise<void>
}

/** Files by their path, where a runtime has such. */
export interface Disk {
  source(path: string): Promise<FileSource & AsyncDisposable>
  target(path: string): Promise<FileTarget>
}

/** A file as an entry names it. */
export interface FileReference {
  readonly id: Uint8Array
  /** Bytes. */
  readonly size: number
  /** Of all of it, 32 bytes. */
  readonly sha256: Uint8Array
}

/** How a file is carried. */
export interface TransferOptions extends CallOptions {
  /** Told how many bytes of how many are there. */
  readonly progress?: ((done: number, size: number) => void) | undefined
}

export interface FilesParts {
  readonly calls: Calls
  readonly limits: Limits
  readonly hasher: () => Hasher
  readonly disk?: Disk | undefined
}

export class Files {
  readonly #parts: FilesParts

  constructor(parts: FilesParts) {
    this.#parts = parts
  }

  /**
   * Puts a file there whole, to be sent with a message. Under the same id it goes on where it stopped.
   * @throws {SealwireError} `quota_exceeded`, `storage_full`, `not_permitted`, `file_invalid` when its bytes change meanwhile; `data_unusable`.
   */
  async put(conversation: number, what: string | FileSource, id: Uint8Array, options: TransferOptions): Promise<void> {
    if (typeof what !== 'string') return this.#put(conversation, what, id, options)
    const source = await this.#disk.source(what)
    try {
      await this.#put(conversation, source, id, options)
    } finally {
      await source[Symbol.asyncDispose]()
    }
  }

  /**
   * The bytes of a file, in order. Everything was handed out before it is known whether it is right.
   * @throws {SealwireError} `file_invalid` at the end when it is not; `not_found`, `gone`.
   */
  async *read({ id, size, sha256 }: FileReference, { signal, progress }: TransferOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const hasher = this.#parts.hasher()
    for await (const data of this.#chunks({ id, size }, 0, signal)) {
      hasher.update(data.bytes)
      yield data.bytes
      progress?.(data.end, size)
    }
    if (!sameBytes(hasher.digest(), sha256)) throw notWhole()
  }

  /** Saves a file under a path; what an earlier try has left is not asked for again. @throws {SealwireError} as `read`; `data_unusable`. */
  async save(file: FileReference, path: string, options: TransferOptions): Promise<void> {
    const target = await this.#disk.target(path)
    try {
      await this.#save(file, target, options)
    } finally {
      await target[Symbol.asyncDispose]()
    }
  }

  async #save(file: FileReference, target: FileTarget, options: TransferOptions): Promise<void> {
    if (!(await this.#saved(file, target, options))) {
      // What was left of another try may have been of another file.
      await target.restart()
      if (!(await this.#saved(file, target, options))) throw notWhole()
    }
    await target.finish()
  }

  async #saved({ id, size, sha256 }: FileReference, target: FileTarget, { signal, progress }: TransferOptions): Promise<boolean> {
    if (target.size > size) return false
    const hasher = this.#parts.hasher()
    for (let at = 0; at < target.size; at += fileChunkBytesMax) {
      hasher.update(await target.read(at, Math.min(fileChunkBytesMax, target.size - at)))
    }
    for await (const { bytes, end } of this.#chunks({ id, size }, target.size, signal)) {
      hasher.update(bytes)
      await target.append(bytes)
      progress?.(end, size)
    }
    return sameBytes(hasher.digest(), sha256)
  }

  /** Chunks in order, the next ones asked for while one is used. */
  async *#chunks(
    { id, size }: Pick<FileReference, 'id' | 'size'>,
    from: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ bytes: Uint8Array; end: number }> {
    const underWay: Promise<{ bytes: Uint8Array; end: number }>[] = []
    let offset = from
    const ask = async (at: number): Promise<{ bytes: Uint8Array; end: number }> => {
      const length = Math.min(fileChunkBytesMax, size - at)
      const { data } = await this.#parts.calls.again('file.get', { id, offset: at, length }, { signal })
      if (data.length !== length) throw notWhole()
      return { bytes: data, end: at + length }
    }
    while (offset < size || underWay.length > 0) {
      for (; offset < size && underWay.length < this.#parts.limits.clientChunksMax; offset += fileChunkBytesMax) {
        const chunk = ask(offset)
        chunk.catch(() => {}) // It is told when it is its turn.
        underWay.push(chunk)
      }
      const next = await underWay.shift()
      if (next !== undefined) yield next
    }
  }

  async #put(conversation: number, source: FileSource, id: Uint8Array, options: TransferOptions): Promise<void> {
    const sha256 = await this.#hash(source)
    const announced = { id, conversation, name: source.name, size: source.size, sha256 }
    let reached = -1
    for (let tries = 1; ; tries++) {
      try {
        return await this.#upload(announced, source, options, (offset) => {
          if (offset > reached) tries = 1
          reached = offset
        })
      } catch (reason) {
        const error = SealwireError.from(reason)
        // A chunk that was lost makes those behind it be in the wrong place.
        const isWorthwhile = isPassing(error) || error.code === 'conflict'
        if (options.signal?.aborted === true || tries >= triesMax || !isWorthwhile) throw error
        if (!error.fatal) await this.#parts.calls.pause(tries)
      }
    }
  }

  async #upload(
    announced: Params<'file.begin'>,
    source: FileSource,
    { signal, progress }: TransferOptions,
    begun: (offset: number) => void,
  ): Promise<void> {
    const { calls, limits } = this.#parts
    const { id, size } = announced
    const { offset: first } = await calls.again('file.begin', announced, { signal })
    begun(first)
    const underWay: Promise<unknown>[] = []
    for (let offset = first; offset < size; offset += fileChunkBytesMax) {
      const data = await source.read(offset, Math.min(fileChunkBytesMax, size - offset))
      const chunk = calls.once('file.put', { id, offset, data }, { signal }).then(({ offset: done }) => progress?.(done, size))
      chunk.catch(() => {}) // It is told when it is its turn.
      underWay.push(chunk)
      if (underWay.length >= limits.clientChunksMax) await underWay.shift()
    }
    await Promise.all(underWay)
    await calls.again('file.end', { id }, { signal })
  }

  async #hash(source: FileSource): Promise<Uint8Array> {
    const hasher = this.#parts.hasher()
    for (let at = 0; at < source.size; at += hashBytes) hasher.update(await source.read(at, Math.min(hashBytes, source.size - at)))
    return hasher.digest()
  }

  get #disk(): Disk {
    if (this.#parts.disk === undefined) throw new TypeError('this runtime has no paths: give a source, or read the file')
    return this.#parts.disk
  }
}

/** A `Blob`, or a `File` of a browser, to be sent. `name` is needed for what has none. */
export function blobSource(blob: Blob, name: string = nameOf(blob)): FileSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  }
}

function nameOf(blob: Blob): string {
  return 'name' in blob && typeof blob.name === 'string' ? blob.name : 'file'
}

function notWhole(): SealwireError {
  return new SealwireError('file_invalid', 'what came is not the file that was announced')
}

const triesMax = limitTable.fileTriesMax.value
const hashBytes = 1_048_576
