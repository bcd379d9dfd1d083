// After a failed fsync the write-ahead log can be whole in the system's cache and torn on the disk: the system forgets that
// the pages were never written, and the next fsync succeeds without writing them. Commits appended behind such a hole would
// be lost with the power. So before the log is trusted again, every byte of it is written again and synchronized.

import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { assert } from '../../protocol/errors.ts'

/**
 * Makes the log beside a database file durable, byte for byte as it reads now. No connection may be open meanwhile.
 * Throws what the file system throws; then the log must not be used.
 */
export function rewriteLog(databasePath: string): void {
  const path = `${databasePath}-wal`
  if (!existsSync(path)) return
  const descriptor = openSync(path, 'r+')
  try {
    rewrite(descriptor)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function rewrite(descriptor: number): void {
  const chunk = new Uint8Array(64 * 1024)
  let position = 0
  for (;;) {
    const length = readSync(descriptor, chunk, 0, chunk.length, position)
    if (length === 0) return
    const written = writeSync(descriptor, chunk, 0, length, position)
    assert(written === length, 'a short write to the log')
    position += length
  }
}
