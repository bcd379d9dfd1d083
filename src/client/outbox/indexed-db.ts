// The outbox of a browser: a database of IndexedDB, whose transactions are durable when they are complete. It is for one tab at a
// time: a second one writes over nothing of the first, but knows of it only what was there when it began.

import { SealwireError } from '../../protocol/index.ts'
import type { OutboxEntry, OutboxStore } from './store.ts'

/** Keeps messages in IndexedDB. */
export class IndexedDbOutbox implements OutboxStore {
  readonly #name: string
  readonly #factory: Factory
  #database: Promise<Database> | undefined
  #isClosed = false
  #last = 0
  /** What its keys have behind the point: a second tab, which counts from the same number, writes over none of them. */
  readonly #tab = Math.random()
  readonly #keys = new Map<string, number>()

  /**
   * `name` tells the outboxes of a page's origin apart: one for each account. `factory` is the browser's `indexedDB` by default.
   * @throws {SealwireError} `data_unusable` where there is none.
   */
  constructor(name: string, factory: unknown = Reflect.get(globalThis, 'indexedDB')) {
    if (typeof factory !== 'object' || factory === null) throw new SealwireError('data_unusable', 'this runtime has no IndexedDB')
    this.#name = `sealwire-outbox-${name}`
    this.#factory = factory as Factory
  }

  async load(): Promise<readonly OutboxEntry[]> {
    const rows = await this.#run<Row[]>('readonly', (store) => store.getAll())
    for (const { key, id } of rows) this.#keys.set(id, key)
    this.#last = Math.floor(rows.at(-1)?.key ?? 0)
    return rows.map(({ id, params }) => ({ id, params }))
  }

  async add({ id, params }: OutboxEntry): Promise<void> {
    const key = ++this.#last + this.#tab
    this.#keys.set(id, key)
    await this.#run('readwrite', (store) => store.put({ key, id, params }))
  }

  async remove(id: string): Promise<void> {
    const key = this.#keys.get(id)
    if (key === undefined) return
    this.#keys.delete(id)
    await this.#run('readwrite', (store) => store.delete(key))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const database = await this.#database
    database?.close()
  }

  async #open(): Promise<Database> {
    const request = this.#factory.open(this.#name, 1)
    request.onupgradeneeded = () => void request.result.createObjectStore(storeName, { keyPath: 'key' })
    const opening = settled(request)
    // The browser closes it where the data of the site are cleared, or its disk fails; who is next opens it again.
    const forget = (): void => void (this.#database = undefined)
    opening.then((database) => (database.onclose = forget), forget)
    return opening
  }

  /** Resolves when the transaction is complete, which is when it is durable. */
  async #run<T>(mode: 'readonly' | 'readwrite', act: (store: ObjectStore) => Request<unknown>): Promise<T> {
    if (this.#isClosed) throw new SealwireError('data_unusable', 'the outbox is closed')
    this.#database ??= this.#open()
    const transaction = begun(await this.#database, mode)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(failed(transaction.error))
    const request = act(transaction.objectStore(storeName))
    await promise
    return request.result as T
  }
}

const storeName = 'outbox'

function settled<T>(request: Request<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(failed(request.error))
  return promise
}

/** What the browser has closed, and has not said so yet, begins none. */
function begun(database: Database, mode: string): Transaction {
  try {
    return database.transaction(storeName, mode, { durability: 'strict' })
  } catch (cause) {
    throw failed(cause instanceof Error ? cause : null)
  }
}

function failed(cause: { readonly name: string } | null): SealwireError {
  const code = cause?.name === 'QuotaExceededError' ? 'storage_full' : 'data_unusable'
  return new SealwireError(code, 'the outbox of this browser cannot be used', { cause })
}

interface Row extends OutboxEntry {
  readonly key: number
}

/** What is used of IndexedDB; its types belong to browsers. */
interface Factory {
  open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null }
}

interface Request<T> {
  readonly result: T
  readonly error: { readonly name: string } | null
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}

interface Database {
  createObjectStore(name: string, options: { keyPath: string }): ObjectStore
  transaction(name: string, mode: string, options: { durability: string }): Transaction
  close(): void
  onclose: (() => void) | null
}

interface Transaction {
  readonly error: { readonly name: string } | null
  oncomplete: (() => void) | null
  onabort: (() => void) | null
  objectStore(name: string): ObjectStore
}

interface ObjectStore {
  getAll(): Request<unknown>
  put(row: Row): Request<unknown>
  delete(key: number): Request<unknown>
}
