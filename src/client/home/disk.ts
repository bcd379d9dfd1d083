// Files that are sent and saved by their path. What is being saved is `PATH.part` until it is whole, on the disk and right.

import { type FileHandle, open, rename } from 'node:fs/promises'
import { basename } from 'node:path'
import { unusable } from '../../pki/durable-file.ts'
import type { Disk, DiskSource, FileTarget } from '../files.ts'

/** Paths of this machine. */
export const disk: Disk = Object.freeze({
  async source(path: string): Promise<DiskSource> {
    const file = await opened(path, 'r')
    const { size } = await file.stat()
    return {
      name: basename(path),
      size,
      read: (offset, length) => exactly(file, path, offset, length),
      version: () => versionOf(file, path),
      [Symbol.asyncDispose]: () => file.close(),
    }
  },

  async target(path: string): Promise<FileTarget> {
    const part = `${path}.part`
    const file = await opened(part, 'a+')
    let { size } = await file.stat()
    return {
      get size() {
        return size
      },
      read: (offset, length) => exactly(file, part, offset, length),
      async append(bytes) {
        await attempt(part, () => file.appendFile(bytes))
        size += bytes.length
      },
      async restart() {
        await file.truncate(0)
        size = 0
      },
      async finish() {
        await attempt(part, () => file.sync())
        await attempt(path, () => rename(part, path))
      },
      [Symbol.asyncDispose]: () => file.close(),
    }
  },
})

async function exactly(file: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let read = 0; read < length; ) {
    const { bytesRead } = await attempt(path, () => file.read(bytes, read, length - read, offset + read))
    if (bytesRead === 0) throw unusable(`${path} became shorter while it was read`, undefined)
    read += bytesRead
  }
  return bytes
}

/** Whoever writes to a file changes one of these: which file it is, how long, and when it was changed. */
async function versionOf(file: FileHandle, path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await attempt(path, () => file.stat({ bigint: true }))
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

function opened(path: string, flags: string): Promise<FileHandle> {
  return attempt(path, () => open(path, flags, 0o600))
}

async function attempt<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (reason) {
    throw unusable(`cannot use ${path}`, reason)
  }
}
