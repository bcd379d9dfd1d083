// How long test files take, so that the longest begin first: test/timings.json, which docs/testing.md says how to make anew.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As `bun test --timings` reads and writes it. */
interface TimingsFile {
  readonly version: 1
  /** Paths from the root of the repository on, and ms. */
  readonly files: Readonly<Record<string, number>>
}

/** A file for `--timings` that names all `files`: what it does not name, Bun takes for something that takes long. */
export class Timings implements Disposable {
  readonly files: readonly string[]
  readonly path: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-timings-'))

  /** `folder` is the root of the repository, and `files` are paths from there on. */
  constructor(folder: string, files: readonly string[]) {
    const known = knownIn(join(folder, 'test', 'timings.json'))
    this.files = files
    this.path = join(this.#folder, 'timings.json')
    const all: TimingsFile = { version: 1, files: Object.fromEntries(files.map((file) => [file, known[file] ?? shortMs])) }
    writeFileSync(this.path, JSON.stringify(all))
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}

/** Without the file everything is short. */
function knownIn(path: string): TimingsFile['files'] {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as TimingsFile).files
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw reason
  }
}

const shortMs = 500
