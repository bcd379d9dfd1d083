// Files of a home that are one account's: each account has a folder of its own, and several programs write there.

import { createHash } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode, makeFolder, unusable, writeDurably } from '../../pki/durable-file.ts'
import type { Home } from './home.ts'

/** What the folders of an account are called by; names are the same whatever their capitals. */
export function accountKey(name: string): string {
  return createHash('sha256').update(name.toLowerCase()).digest('hex').slice(0, keyDigits)
}

/** A folder of many small files: `<home>/<kind>/<account>/<name>`. */
export class AccountFiles {
  readonly #home: Home
  readonly #folder: string
  readonly #isName: RegExp

  /** Of the account `owner`. What `isName` does not match is no file of it. */
  constructor(home: Home, kind: string, { owner, isName }: { readonly owner: string; readonly isName: RegExp }) {
    this.#home = home
    this.#folder = join(home.pathOf(kind), accountKey(owner))
    this.#isName = isName
  }

  pathOf(name: string): string {
    return join(this.#folder, name)
  }

  /** Makes the folder, if there is none. @throws {SealwireError} what {@link Home.make} throws. */
  make(): void {
    this.#home.make()
    makeFolder(this.#folder)
  }

  /** Writes a file into the folder, for its owner only. @throws {SealwireError} `storage_full` or `data_unusable`. */
  write(name: string, bytes: string | Uint8Array): void {
    writeDurably(this.pathOf(name), bytes, 0o600)
  }

  /** None where there is no folder. @throws {SealwireError} `data_unusable`. */
  names(): readonly string[] {
    return this.#entries().filter((entry) => this.#isName.test(entry))
  }

  /** Removes what a crash has left of a write. `now` is milliseconds since 1970. @throws {SealwireError} `data_unusable`. */
  sweep(now: number): void {
    for (const entry of this.#entries()) {
      const name = temporaryName.exec(entry)?.[1]
      if (name !== undefined && this.#isName.test(name)) removeOld(this.pathOf(entry), now - writeMs)
    }
  }

  #entries(): readonly string[] {
    try {
      return readdirSync(this.#folder)
    } catch (reason) {
      if (errorCode(reason) === 'ENOENT') return []
      throw unusable(`cannot read ${this.#folder}`, reason)
    }
  }
}

/** Another program may be in the middle of a write. */
function removeOld(path: string, before: number): void {
  try {
    if (statSync(path).mtimeMs < before) rmSync(path, { force: true })
  } catch {
    // Somebody else has removed it.
  }
}

const keyDigits = 16
/** As {@link writeDurably} calls them. */
const temporaryName = /^\.([^.]+)\.[^.]+\.tmp$/
/** Nobody takes so long to write one. */
const writeMs = 60_000
