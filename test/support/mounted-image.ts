// An image of a file system, mounted on a folder of its own until the end of its scope.

import { command } from './store-contents.ts'
import { StoreFolder } from './store-folder.ts'

export class MountedImage implements Disposable {
  readonly #folder = new StoreFolder()
  readonly path = this.#folder.path
  /** Where a store on it keeps its database. */
  readonly database = this.#folder.database

  constructor(image: string) {
    command('mount', '-o', 'loop', image, this.path)
  }

  /** An image at this path with an empty file system of `size`, such as `96M`. */
  static make(image: string, size: string): void {
    command('truncate', '-s', size, image)
    command('mkfs.ext4', '-q', '-F', image)
  }

  [Symbol.dispose](): void {
    command('umount', this.path)
    this.#folder[Symbol.dispose]()
  }
}
