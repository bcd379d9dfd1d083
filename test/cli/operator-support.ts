// A data folder as a server leaves it behind, without the server.

import { systemClock } from '../../src/domain/index.ts'
import { loadServerIdentity } from '../../src/pki/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { openInProcessStore, type SynchronousStore } from '../../src/store/index.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { type CliOptions, runCli } from './cli-process.ts'

export class LeftFolder implements Disposable {
  readonly fingerprint: string
  readonly #folder: StoreFolder

  private constructor(folder: StoreFolder, fingerprint: string) {
    this.#folder = folder
    this.fingerprint = fingerprint
  }

  /** With accounts of these names. */
  static async with(...names: readonly string[]): Promise<LeftFolder> {
    const folder = new StoreFolder()
    const identity = await loadServerIdentity({ folder: folder.path, hosts: ['chat.example'] }, { clock: systemClock })
    const left = new LeftFolder(folder, identity.fingerprint)
    left.use((store) => {
      for (const name of names) {
        store.run('account.create', {
          name,
          key: name.toLowerCase(),
          skeleton: name,
          passwordHash: undefined,
          createdAt: 1_800_000_000_000n,
        })
      }
    })
    return left
  }

  get path(): string {
    return this.#folder.path
  }

  use<T>(action: (store: SynchronousStore) => T): T {
    using store = openInProcessStore(this.path, resolveLimits())
    return action(store)
  }

  /** Runs a command on this folder. */
  run(args: readonly string[], options?: CliOptions) {
    return runCli([...args, '--data', this.path], options)
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}
