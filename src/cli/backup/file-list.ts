// What the database says of its files, taken out of it before anything is written: a transaction that lasted until the last of them is
// read would make the log of the server grow as long. 56 bytes for each of them.

import type { SnapshotFile } from '../../store/index.ts'

export class FileList implements Iterable<SnapshotFile> {
  readonly #rows: Buffer
  #count = 0

  /** There are not more than `max`. */
  constructor(files: Iterable<SnapshotFile>, max: number) {
    this.#rows = Buffer.alloc(max * rowBytes)
    for (const { id, size, sha256 } of files) {
      const at = this.#count++ * rowBytes
      this.#rows.set(id, at)
      this.#rows.writeDoubleLE(size, at + sizeAt)
      this.#rows.set(sha256, at + hashAt)
    }
  }

  *[Symbol.iterator](): Generator<SnapshotFile, void, undefined> {
    for (let at = 0; at < this.#count * rowBytes; at += rowBytes) {
      const row = this.#rows.subarray(at, at + rowBytes)
      yield { id: row.subarray(0, sizeAt), size: row.readDoubleLE(sizeAt), sha256: row.subarray(hashAt) }
    }
  }
}

const sizeAt = 16
const hashAt = 24
const rowBytes = 56
