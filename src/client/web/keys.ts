// The keys of a device in a browser, made by WebCrypto so that nobody can take them out of it, and kept in IndexedDB. The types
// of both are written down here as far as they are used: the sources compile without those of a browser.

import { SealwireError } from '../../protocol/errors.ts'

/** A key of WebCrypto. */
export type WebKey = Parameters<typeof crypto.subtle.exportKey>[1]

/** A pair whose private half cannot be read. */
export interface WebKeyPair {
  readonly publicKey: WebKey
  readonly privateKey: WebKey
}

/** What is kept of a device. */
export interface WebKeys {
  /** For signatures. */
  readonly ed25519: WebKeyPair
  /** For keys that two agree on. */
  readonly x25519: WebKeyPair
}

/** Where keys are kept by name. */
export interface WebKeyStore {
  read(name: string): Promise<WebKeys | undefined>
  /** Keeps them unless there are some under this name; those that are there then. */
  keep(name: string, keys: WebKeys): Promise<WebKeys>
  remove(name: string): Promise<void>
}

/**
 * Makes the keys of a new device.
 * @throws {SealwireError} `runtime_unsupported` where the browser has no Ed25519 or X25519, or the page is not a secure one.
 */
export async function newWebKeys(): Promise<WebKeys> {
  try {
    const ed25519 = pairOf(await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']))
    const x25519 = pairOf(await crypto.subtle.generateKey('X25519', false, ['deriveBits']))
    return { ed25519, x25519 }
  } catch (cause) {
    throw unsupported('this browser cannot make the keys of a device', cause)
  }
}

/**
 * The store of this page's origin.
 * @throws {SealwireError} `runtime_unsupported` where there is no IndexedDB, or it may not be used here.
 */
export async function openWebKeyStore(): Promise<WebKeyStore> {
  const { indexedDB } = globalThis as { readonly indexedDB?: Factory }
  if (indexedDB === undefined) throw unsupported('this page may not keep anything in the browser')
  const opening = indexedDB.open(databaseName, 1)
  opening.onupgradeneeded = () => void opening.result.createObjectStore(storeName)
  const database = await settled(opening)
  const inStore = <T>(mode: 'readonly' | 'readwrite', ask: (store: ObjectStore) => Request<T>): Promise<T> =>
    committed(database.transaction(storeName, mode), ask)
  const read = async (name: string): Promise<WebKeys | undefined> => inStore('readonly', (store) => store.get(name))
  return {
    read,
    async keep(name, keys) {
      // Of two pages that begin at once the first one's keys count.
      await inStore('readwrite', (store) => store.add(keys, name)).catch(() => {})
      const kept = await read(name)
      if (kept === undefined) throw unsupported('this browser does not keep the keys of the device')
      return kept
    },
    async remove(name) {
      await inStore('readwrite', (store) => store.delete(name))
    },
  }
}

/** The answer, once the transaction is on the disk. */
async function committed<T>(transaction: Transaction, ask: (store: ObjectStore) => Request<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  transaction.oncomplete = () => resolve()
  transaction.onabort = () => reject(unsupported('this browser does not keep what it is given', transaction.error))
  const request = ask(transaction.objectStore(storeName))
  await promise
  return request.result
}

async function settled<T>(request: Request<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(unsupported('this page may not keep anything in the browser', request.error))
  return promise
}

/** To the types some algorithms have one key. */
function pairOf(made: WebKey | WebKeyPair): WebKeyPair {
  if ('privateKey' in made) return made
  throw unsupported('this browser makes one key where two belong')
}

function unsupported(sentence: string, cause?: unknown): SealwireError {
  return new SealwireError('runtime_unsupported', sentence, { cause, hint: 'use a browser of today, over https, and no private window' })
}

interface Request<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
}
interface Factory {
  open(name: string, version: number): Request<Database> & { onupgradeneeded: (() => void) | null }
}
interface Database {
  createObjectStore(name: string): unknown
  transaction(name: string, mode: 'readonly' | 'readwrite'): Transaction
}
interface Transaction {
  readonly error: unknown
  oncomplete: (() => void) | null
  onabort: (() => void) | null
  objectStore(name: string): ObjectStore
}
interface ObjectStore {
  get(key: string): Request<WebKeys | undefined>
  add(value: WebKeys, key: string): Request<unknown>
  delete(key: string): Request<unknown>
}

const databaseName = 'sealwire'
const storeName = 'devices'
