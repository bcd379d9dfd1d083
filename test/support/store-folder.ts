// A data folder of a test: random, and gone afterwards.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class StoreFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sealwire-store-'))
  /** Where the store keeps its database. */
  readonly database = join(this.path, 'sealwire.db');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
