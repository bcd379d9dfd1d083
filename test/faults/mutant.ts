// A private copy of the program with something wrong in it, to see that the tests of faults find it.

import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StoreFolder } from '../support/store-folder.ts'

/** One place in the sources, and what stands there in its stead. */
export interface Mutation {
  /** Below src. */
  readonly file: string
  /** It has to be there exactly once: a mutant that changes nothing proves nothing. */
  readonly from: string
  readonly to: string
}

/** The copy; it is gone at the end of its scope. */
export class Mutant implements Disposable {
  readonly #folder = new StoreFolder()
  /** Path of the program. */
  readonly program = join(this.#folder.path, 'src/cli/main.ts')

  constructor(mutations: readonly Mutation[]) {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    cpSync(join(root, 'src'), join(this.#folder.path, 'src'), { recursive: true })
    cpSync(join(root, 'package.json'), join(this.#folder.path, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(this.#folder.path, 'node_modules'))
    for (const { file, from, to } of mutations) {
      const path = join(this.#folder.path, 'src', file)
      const parts = readFileSync(path, 'utf8').split(from)
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what the mutant replaces: ${from}`)
      writeFileSync(path, parts.join(to))
    }
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}
