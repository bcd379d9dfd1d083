// The log file: appended to in the background, renamed to `server.log.1` when it is full (`.1` to `.2` and so on, the
// oldest is removed). Somebody else may move or remove it too: from the next second on lines go into the one that
// has its name then, and that is made if need be. A disk that fails costs lines, never the server: the trouble is told once, the file is tried
// again every `logRetryMs`, and a line in it counts what is missing.

import { closeSync, constants, fstatSync, open, openSync, write, writeSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, makeFolder, unusable } from '../../pki/durable-file.ts'
import type { Limits } from '../../protocol/limits.ts'

export interface LogFileEvents {
  /** Lines cannot be written; told once, until they can be again. */
  failed(reason: unknown): void
  /** The line that says in the file how many lines are missing before it. */
  lossLine(lines: number): string
  /** Somebody has moved or removed the file, and another one is open: the first line in that. */
  reopened(): string
}

export class LogFile {
  readonly #path: string
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #events: LogFileEvents
  #descriptor: number
  #size: number
  /** What is not written yet of the batch. */
  #rest: Buffer = nothing
  /** Whether it is on its way: until then something else is done for it. */
  #isHanded = false
  /** Bytes that the system is writing at this moment. */
  #writing = 0
  #lost = 0
  #torn = false
  #retryAt = -Infinity
  #lookAt = -Infinity

  /**
   * Opens the file, and makes it (`0600`) and its folder (`0700`) if need be.
   * @throws {SealwireError} `data_unusable` or `storage_full`.
   */
  constructor(path: string, { limits, clock, events }: { readonly limits: Limits; readonly clock: Clock; readonly events: LogFileEvents }) {
    this.#path = path
    this.#limits = limits
    this.#clock = clock
    this.#events = events
    makeFolder(dirname(path))
    try {
      this.#descriptor = openSync(path, appending, fileMode)
      this.#size = fstatSync(this.#descriptor).size
    } catch (cause) {
      throw unusable(`cannot open the log ${path}`, cause)
    }
  }

  /** Appends whole lines. Never rejects; one call at a time. */
  async write(batch: string): Promise<void> {
    this.#rest = Buffer.from(batch)
    this.#isHanded = false
    try {
      if (this.#clock.monotonic() < this.#retryAt) return
      await this.#stayAtName()
      if (this.#isFull()) await this.#rotate()
      if (this.#lost > 0) await this.#tellLoss()
      this.#isHanded = true
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(await this.#append(this.#rest))
      this.#retryAt = -Infinity
    } catch (reason) {
      this.#failed(reason)
    } finally {
      this.#lost += linesIn(this.#rest)
      this.#rest = nothing
    }
  }

  /** Appends without the event loop, for a process that is about to end. What fails now is lost. */
  writeSync(batch: string): void {
    try {
      this.#awaitWriting()
      writeSync(this.#descriptor, Buffer.concat([this.#isHanded ? nothing : this.#rest, Buffer.from(batch)]))
    } catch {
      // There is nobody left to tell.
    }
  }

  /** No write may be under way. What is written afterwards is lost. */
  close(): void {
    closeSync(this.#descriptor)
    this.#descriptor = -1
  }

  /** How many of the bytes the system took. */
  async #append(bytes: Uint8Array): Promise<number> {
    this.#writing = bytes.length
    const { bytesWritten } = await writeBytes(this.#descriptor, bytes)
    this.#writing = 0
    this.#size += bytesWritten
    this.#torn = bytesWritten < bytes.length
    return bytesWritten
  }

  /** Whoever reads the file learns what is missing where it is missing. A write that broke off has left half a line. */
  async #tellLoss(): Promise<void> {
    await this.#appendAll((this.#torn ? '\n' : '') + this.#events.lossLine(this.#lost))
    this.#lost = 0
  }

  async #appendAll(line: string): Promise<void> {
    let rest = Buffer.from(line)
    while (rest.length > 0) rest = rest.subarray(await this.#append(rest))
  }

  /** A look costs as much as a line, so there is one a second at most; the first line after a pause is never written into what is gone. */
  async #stayAtName(): Promise<void> {
    const now = this.#clock.monotonic()
    if (now < this.#lookAt) return
    if (await this.#isElsewhere()) await this.#reopen()
    this.#lookAt = now + lookMs
  }

  /** Whether what is written would go where nobody looks for it: the name is another file's, or nobody's. */
  async #isElsewhere(): Promise<boolean> {
    const own = fstatSync(this.#descriptor, { bigint: true })
    const look = stat(this.#path, { bigint: true })
    // Who may not look does not know better than that it is still there.
    const there = await look.catch((reason: unknown) => (errorCode(reason) === 'ENOENT' ? undefined : own))
    return there?.dev !== own.dev || there.ino !== own.ino
  }

  /** While there can be none the one that is open stays so: the next call tries again. */
  async #reopen(): Promise<void> {
    // Not those around it: where the data folder is gone there is none to be made.
    await mkdir(dirname(this.#path), { mode: folderMode }).catch((reason: unknown) => {
      if (errorCode(reason) !== 'EEXIST') throw reason
    })
    const descriptor = await openFile(this.#path, appending, fileMode)
    closeSync(this.#descriptor)
    this.#descriptor = descriptor
    this.#size = fstatSync(descriptor).size
    this.#torn = false
    await this.#appendAll(this.#events.reopened())
  }

  /** A device (server.log may be a link to /dev/null) has no size and is never full. */
  #isFull(): boolean {
    if (this.#size + this.#rest.length <= this.#limits.logFileBytesMax) return false
    const stats = fstatSync(this.#descriptor)
    this.#size = stats.size
    return stats.isFile() && stats.size > 0 && stats.size + this.#rest.length > this.#limits.logFileBytesMax
  }

  /** The new file is opened first: whatever fails on the way, there is one to write to, and the next call tries again. */
  async #rotate(): Promise<void> {
    const path = `${this.#path}.new`
    const descriptor = await openFile(path, appending | constants.O_TRUNC, fileMode)
    try {
      for (const number of await this.#rotated()) {
        if (number >= this.#limits.logFilesMax) await rm(`${this.#path}.${number}`)
        else await rename(`${this.#path}.${number}`, `${this.#path}.${number + 1}`)
      }
      await rename(this.#path, `${this.#path}.1`)
      await rename(path, this.#path)
    } catch (reason) {
      closeSync(descriptor)
      throw reason
    }
    closeSync(this.#descriptor)
    this.#descriptor = descriptor
    this.#size = 0
    this.#torn = false
  }

  /** The numbers of the files that were rotated before, the highest first. */
  async #rotated(): Promise<readonly number[]> {
    const prefix = `${basename(this.#path)}.`
    const names = (await readdir(dirname(this.#path))).filter((name) => name.startsWith(prefix))
    const numbers = names.map((name) => name.slice(prefix.length)).filter((rest) => /^[1-9]\d*$/.test(rest))
    return numbers.map(Number).toSorted((one, other) => other - one)
  }

  #failed(reason: unknown): void {
    if (this.#retryAt === -Infinity) this.#events.failed(reason)
    this.#writing = 0
    this.#retryAt = this.#clock.monotonic() + this.#limits.logRetryMs
  }

  /** Bytes that were handed to the system just now are on their way; the file grows when they have arrived. */
  #awaitWriting(): void {
    const until = this.#clock.monotonic() + this.#limits.exitMsMax
    const arrived = () => fstatSync(this.#descriptor).size >= this.#size + this.#writing
    while (this.#writing > 0 && !arrived() && this.#clock.monotonic() < until) Atomics.wait(nobody, 0, 0, 1)
  }
}

function linesIn(bytes: Uint8Array): number {
  return bytes.reduce((lines, byte) => (byte === endOfLine ? lines + 1 : lines), 0)
}

const openFile = promisify(open)
const writeBytes = promisify(write)
const lookMs = 1000
const endOfLine = 0x0a
const nothing = Buffer.alloc(0)
const nobody = new Int32Array(new SharedArrayBuffer(4))
const [fileMode, folderMode] = [0o600, 0o700]
/** Without O_NONBLOCK a pipe in the file's place would stop the start until somebody reads it. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
