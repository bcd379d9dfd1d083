// Where the write-ahead log ends for who begins to read now, as SQLite's index of it says: what was committed, whatever has become of
// it in the file since. Form of the index: https://sqlite.org/walformat.html#the_wal_index_file_format

import { readSync } from 'node:fs'
import { SealwireError } from '../../protocol/errors.ts'

/**
 * Bytes of the log with its header, by the open file of its index; 0 when it is empty. Nobody may write meanwhile. Throws what the
 * file system throws.
 * @throws {SealwireError} `data_unusable` when it is no index.
 */
export function logEnd(index: number): number {
  const header = new ArrayBuffer(headBytes)
  // It is shared memory, in the order of bytes of this machine.
  const [words, halves] = [new Uint32Array(header), new Uint16Array(header)]
  if (readSync(index, words, 0, headBytes, 0) !== headBytes || words[0] !== version) {
    throw new SealwireError('data_unusable', 'the index of the log of the database cannot be read', { hint: 'start the server again' })
  }
  const [frames = 0, size = 0] = [words[4], halves[7]]
  const pageBytes = size === 1 ? 65_536 : size
  return frames === 0 ? 0 : logHeaderBytes + frames * (frameHeaderBytes + pageBytes)
}

const headBytes = 48
const version = 3_007_000
const logHeaderBytes = 32
const frameHeaderBytes = 24
