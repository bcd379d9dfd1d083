// A private copy of the program with something wrong in it, to see that the tests of faults find it.

import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
  /** Where the copy is. */
  readonly path = join(this.#folder.path, 'main')
  /** Path of the program. */
  readonly program = join(this.path, 'src/cli/main.ts')

  /** `beside`: what is copied beside the sources, from the root on. */
  constructor(mutations: readonly Mutation[], beside: readonly string[] = []) {
    for (const each of ['src', 'package.json', ...beside]) cpSync(join(root, each), join(this.path, each), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(this.path, 'node_modules'))
    // Published vectors lie beside a checkout.
    const shared = join(root, '../shared')
    if (existsSync(shared)) symlinkSync(shared, join(this.#folder.path, 'shared'))
    this.change(mutations)
  }

  /** Puts something wrong into the copy. */
  change(mutations: readonly Mutation[]): void {
    for (const { file, from, to } of mutations) {
      const path = join(this.path, 'src', file)
      const parts = readFileSync(path, 'utf8').split(from)
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what the mutant replaces: ${from}`)
      writeFileSync(path, parts.join(to))
    }
  }

  /** Puts a file of this checkout beside the copy, at the same place; its path there. */
  with(path: string): string {
    const copy = join(this.path, path)
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(join(root, path), copy)
    return copy
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
