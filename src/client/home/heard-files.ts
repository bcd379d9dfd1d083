// What came over direct links, in the files of a home: one for each message, named after its key, until its copy was acknowledged.
//
//   <home>/heard-<name>/<key>      says in which conversation and by which device it was said, and the hash of what was said
//
// Its name is what counts, and is brought to the disk; those that wait meanwhile share the next fsync of the folder. Every program
// of the home looks there. What a crash leaves behind is removed when it is older than the server keeps what nobody has fetched.

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, makeFolder, unusable } from '../../pki/durable-file.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import { ByConversation } from '../direct/by-conversation.ts'
import type { HeardMessage, HeardStore } from '../direct/heard-store.ts'
import { accountKey } from './account-files.ts'
import type { Home } from './home.ts'

export interface FileHeardOptions {
  /** Who has heard it: what another account of the same home has heard is left alone. */
  readonly name: string
  readonly clock: Clock
  readonly limits: Limits
}

/** What was heard, in the files of a home. */
export class FileHeard implements HeardStore {
  /** Made with the first one. */
  readonly folder: string
  readonly #options: FileHeardOptions
  readonly #under = new Set<Promise<void>>()
  /** What is known to be there; others of the home keep and remove some too. */
  readonly #kept = new ByConversation<Pick<HeardMessage, 'conversation'>>()
  #countedAt = -Infinity
  /** The next fsync of the folder, for those whose files are written already. */
  #next: Promise<void> | undefined
  #syncing: Promise<void> = Promise.resolve()

  constructor(home: Home, options: FileHeardOptions) {
    this.folder = home.pathOf(`heard-${accountKey(options.name)}`)
    this.#options = options
  }

  async load(): Promise<readonly HeardMessage[]> {
    if (!existsSync(this.folder)) return []
    try {
      const kept = readdirSync(this.folder)
        .filter((name) => isKey.test(name))
        .flatMap((key) => this.#read(key))
      for (const { key, conversation } of kept) this.#kept.set(key, { conversation })
      return kept
        .toSorted((one, other) => one.writtenAt - other.writtenAt)
        .map(({ key, conversation, device, hash }) => ({ key, conversation, device, hash }))
    } catch (cause) {
      throw unusable(`cannot read ${this.folder}`, cause)
    }
  }

  get size(): number {
    return this.#kept.size
  }

  countOf(conversation: number): number {
    return this.#kept.countOf(conversation)
  }

  /** Not more often than every `directLookMs`: whoever fills it does not have it counted each time. */
  recount(): void {
    const { clock, limits } = this.#options
    if (clock.monotonic() - this.#countedAt < limits.directLookMs) return
    this.#countedAt = clock.monotonic()
    const names = this.#names()
    for (const key of this.#kept.keys()) if (!names.has(key)) this.#kept.delete(key)
    for (const key of names) if (!this.#kept.has(key)) this.#kept.set(key, { conversation: 0 })
  }

  async add({ key, conversation, device, hash }: HeardMessage): Promise<void> {
    const path = this.#pathOf(key)
    try {
      makeFolder(this.folder)
      await this.#during(this.#write(path, `${conversation} ${device} ${hash}\n`))
    } catch (cause) {
      throw SealwireError.is(cause) ? cause : unusable(`cannot write ${path}`, cause)
    }
    this.#kept.set(key, { conversation })
  }

  has(key: string): boolean {
    return existsSync(this.#pathOf(key))
  }

  hashOf(key: string): string | undefined {
    if (!this.has(key)) return undefined
    try {
      return this.#wordsOf(key)?.[3] ?? ''
    } catch {
      return '' // It was there.
    }
  }

  async remove(key: string): Promise<void> {
    this.#kept.delete(key)
    if (!this.has(key)) return
    await this.#during(rm(this.#pathOf(key), { force: true })).catch(() => {}) // It is removed when it is old.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#under)
  }

  async #during(work: Promise<void>): Promise<void> {
    this.#under.add(work)
    try {
      await work
    } finally {
      this.#under.delete(work)
    }
  }

  async #write(path: string, text: string): Promise<void> {
    await writeFile(path, text, { mode: 0o600 })
    this.#next ??= this.#sync()
    await this.#next
  }

  async #sync(): Promise<void> {
    await this.#syncing.catch(() => {})
    this.#next = undefined
    this.#syncing = this.#syncFolder()
    await this.#syncing
  }

  async #syncFolder(): Promise<void> {
    // Windows cannot open a folder as a file; its file systems keep their own journal of names.
    if (process.platform === 'win32') return
    const folder = await open(this.folder, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  /** What one file says; nothing where it is too old, or another program has removed it. */
  #read(key: string): readonly (HeardMessage & { readonly writtenAt: number })[] {
    const path = this.#pathOf(key)
    try {
      const { mtimeMs } = statSync(path)
      if (mtimeMs < this.#options.clock.now() - this.#options.limits.directHeardMsMax) {
        rmSync(path, { force: true })
        return []
      }
      const words = this.#wordsOf(key)
      return [{ key, conversation: Number(words?.[1] ?? 0), device: words?.[2] ?? '', hash: words?.[3] ?? '', writtenAt: mtimeMs }]
    } catch (reason) {
      if (errorCode(reason) === 'ENOENT') return []
      throw reason
    }
  }

  /** A power cut may leave the name without the words. */
  #wordsOf(key: string): RegExpExecArray | null {
    const path = this.#pathOf(key)
    return statSync(path).size > this.#options.limits.directHeardBytesMax ? null : isWords.exec(readFileSync(path, 'utf8'))
  }

  #names(): Set<string> {
    try {
      return new Set(readdirSync(this.folder).filter((name) => isKey.test(name)))
    } catch {
      return new Set()
    }
  }

  #pathOf(key: string): string {
    return join(this.folder, key)
  }
}

const isKey = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const isWords = /^(\d{1,16}) ([0-9a-f]{1,64}) ([0-9a-f]{64})\n$/
