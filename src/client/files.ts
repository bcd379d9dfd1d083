// Files in a conversation: chunks over the same connection, a few under way at once, so that what is said goes between them. A
// lost connection goes on where it was, and so does a program that was ended: the server says how much it has, and the disk says
// how much was saved. Chunks come from the device that has sent the file where there is a direct link with it, else from the server;
// each is asked for anew, so a link may come and go in the middle. Whether all of it is right says the hash, whoever has given it.

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

/** A file of a disk, while it is read. */
export interface DiskSource extends FileSource, AsyncDisposable {
  /** Another one as soon as somebody has written to the file. Left out where that cannot be told: then the server alone has its bytes. */
  version?(): Promise<string>
}

/** Files by their path, where a runtime has such. */
export interface Disk {
  source(path: string): Promise<DiskSource>
  /** `id` is that of the file: what an earlier try has left of another one is not touched. */
  target(path: string, id: Uint8Array): Promise<FileTarget>
}

/** A file as an entry names it. */
export interface FileReference {
  readonly id: Uint8Array
  /** Bytes. */
  readonly size: number
  /** Of all of it, 32 bytes. */
  readonly sha256: Uint8Array
  /** Whose it is, and the device that has sent it: who is asked for it over a direct link. Default: the server alone is. */
  readonly from?: string | undefined
  readonly device?: string | undefined
}

/** How bytes came: over a direct link with who has sent the file, or from the server. */
export type FileWay = 'direct' | 'relayed'

/** How a file is carried. */
export interface TransferOptions extends CallOptions {
  /** Told how many bytes of how many are there, and how the last ones came. */
  readonly progress?: ((done: number, size: number, way: FileWay) => void) | undefined
}

/** @internal How a file is put there. */
export interface PutOptions extends TransferOptions {
  /** Who else is in the conversation, where it is a direct one. */
  readonly peer?: string | undefined
}

/** @internal A file that is on the server, and that somebody may have from this device too. */
export interface FileOffer {
  readonly id: Uint8Array
  readonly conversation: number
  /** The account that may have it. */
  readonly peer: string
  readonly path: string
  readonly size: number
  /** What `path` was when the file was sent. */
  readonly version: string
}

/** @internal Files over direct links. */
export interface FilesDirect {
  /** A chunk from the device that has sent the file. `undefined`, at once or later, where it is not to be had there. */
  chunk(file: FileReference, offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> | undefined
  /** What came was not the file: nothing more of it comes from there. */
  distrust(file: FileReference): void
  offered(offer: FileOffer): void
  /** What was offered in this conversation is the server's alone from now on. */
  withdrawn(conversation: number): void
}

export interface FilesParts {
  readonly calls: Pick<Calls, 'again' | 'once' | 'pause'>
  readonly limits: Limits
  readonly hasher: () => Hasher
  readonly disk?: Disk | undefined
  readonly direct?: FilesDirect | undefined
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
  async put(conversation: number, what: string | FileSource, id: Uint8Array, options: PutOptions): Promise<void> {
    if (typeof what !== 'string') return this.#put(conversation, what, id, options)
    const source = await this.#disk.source(what)
    try {
      const version = await source.version?.()
      await this.#put(conversation, source, id, options)
      if (version === undefined || options.peer === undefined) return
      this.#parts.direct?.offered({ id, conversation, peer: options.peer, path: what, size: source.size, version })
    } finally {
      await source[Symbol.asyncDispose]()
    }
  }

  /** Something in this conversation is to be deleted: from now on only the server gives what is in it. */
  withdraw(conversation: number): void {
    this.#parts.direct?.withdrawn(conversation)
  }

  /**
   * The bytes of a file, in order. Everything was handed out before it is known whether it is right.
   * @throws {SealwireError} `file_invalid` at the end when it is not; `not_found`, `gone`.
   */
  async *read(file: FileReference, { signal, progress }: TransferOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const hasher = this.#parts.hasher()
    let isDirect = false
    for await (const { bytes, end, way } of this.#chunks(file, 0, signal)) {
      hasher.update(bytes)
      isDirect ||= way === 'direct'
      yield bytes
      progress?.(end, file.size, way)
    }
    if (sameBytes(hasher.digest(), file.sha256)) return
    if (!isDirect) throw notWhole()
    this.#parts.direct?.distrust(file)
    throw notWhole('read it again: it comes from the server then')
  }

  /** Saves a file under a path; what an earlier try has left is not asked for again. @throws {SealwireError} as `read`; `data_unusable`. */
  async save(file: FileReference, path: string, options: TransferOptions): Promise<void> {
    const target = await this.#disk.target(path, file.id)
    try {
      await this.#save(file, target, options)
    } finally {
      await target[Symbol.asyncDispose]()
    }
  }

  async #save(file: FileReference, target: FileTarget, options: TransferOptions): Promise<void> {
    for (let isAgain = false; ; isAgain = true) {
      const { isRight, isDirect } = await this.#saved(file, target, options)
      if (isRight) return target.finish()
      if (isDirect) this.#parts.direct?.distrust(file)
      else if (isAgain) throw notWhole()
      // What was left of another try may have been of another file.
      await target.restart()
    }
  }

  async #saved(file: FileReference, target: FileTarget, { signal, progress }: TransferOptions): Promise<Saved> {
    const { size, sha256 } = file
    if (target.size > size) return { isRight: false, isDirect: false }
    const hasher = this.#parts.hasher()
    for (let at = 0; at < target.size; at += fileChunkBytesMax) {
      hasher.update(await target.read(at, Math.min(fileChunkBytesMax, target.size - at)))
    }
    let isDirect = false
    for await (const { bytes, end, way } of this.#chunks(file, target.size, signal)) {
      hasher.update(bytes)
      isDirect ||= way === 'direct'
      await target.append(bytes)
      progress?.(end, size, way)
    }
    return { isRight: sameBytes(hasher.digest(), sha256), isDirect }
  }

  /** Chunks in order, the next ones asked for while one is used. */
  async *#chunks(file: FileReference, from: number, signal: AbortSignal | undefined): AsyncGenerator<Chunk> {
    const underWay: Promise<Chunk>[] = []
    let offset = from
    while (offset < file.size || underWay.length > 0) {
      for (; offset < file.size && underWay.length < this.#parts.limits.clientChunksMax; offset += fileChunkBytesMax) {
        const chunk = this.#chunk(file, offset, signal)
        chunk.catch(() => {}) // It is told when it is its turn.
        underWay.push(chunk)
      }
      const next = await underWay.shift()
      if (next !== undefined) yield next
    }
  }

  async #chunk(file: FileReference, offset: number, signal: AbortSignal | undefined): Promise<Chunk> {
    const { calls, direct } = this.#parts
    const { id, size } = file
    const length = Math.min(fileChunkBytesMax, size - offset)
    const end = offset + length
    const bytes = await direct?.chunk(file, offset, length, signal)
    if (bytes !== undefined) return { bytes, end, way: 'direct' }
    const { data } = await calls.again('file.get', { id, offset, length }, { signal })
    if (data.length !== length) throw notWhole()
    return { bytes: data, end, way: 'relayed' }
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
        // A beginning has been tried as often as calls are.
        if (reached < 0 && !error.fatal) throw error
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
      const chunk = calls.once('file.put', { id, offset, data }, { signal }).then(({ offset: done }) => progress?.(done, size, 'relayed'))
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

function notWhole(hint?: string): SealwireError {
  return new SealwireError('file_invalid', 'what came is not the file that was announced', hint === undefined ? {} : { hint })
}

/** A piece of a file. */
interface Chunk {
  readonly bytes: Uint8Array
  /** Where the next one begins. */
  readonly end: number
  readonly way: FileWay
}

/** What became of saving a file. */
interface Saved {
  readonly isRight: boolean
  /** Whether anything of it came over a direct link. */
  readonly isDirect: boolean
}

const triesMax = limitTable.fileTriesMax.value
const hashBytes = 1_048_576
