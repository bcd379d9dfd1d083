// Files that are sent and saved by their path. What is being saved is `PATH.ID.part` until it is whole, on the disk and right: by the id of
// the file a later try knows it for its own, and nobody else has such a name. Two who save to one path at once would mix what they write
// there: whoever finds it longer or shorter than left, or no longer under its name, stops, and leaves it to the other one. What has come to be
// under PATH meanwhile is not written over.

import { constants, type Stats } from 'node:fs'
import { type FileHandle, link, lstat, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCode, unusable } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Disk, DiskSource, FileTarget } from '../files.ts'

/** Paths of this machine. */
export const disk: Disk = Object.freeze({
  async source(path: string): Promise<DiskSource> {
    const kind = await kindOf(path)
    if (kind === 'missing') throw refused(`there is no file ${path}`, 'check the path')
    if (kind !== 'file') throw refused(kind === 'folder' ? `${path} is a folder` : `${path} is not an ordinary file`, 'name a file')
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

  async target(path: string, id: Uint8Array): Promise<FileTarget> {
    const folder = dirname(path)
    if ((await kindOf(folder)) !== 'folder') throw refused(`there is no folder ${folder}`, 'make it, or name another path')
    const before = await kindOf(path)
    if (before === 'folder') throw refused(`${path} is a folder`, 'name a file in it')
    const part = partOf(path, id)
    const made = await openedNew(part)
    const file = made ?? (await opened(part, appending))
    let size = made === undefined ? await ownSize(file, part) : 0
    const checkAlone = async (): Promise<void> => {
      const { size: found } = await attempt(part, () => file.stat())
      if (found !== size) throw taken(path)
    }
    return {
      get size() {
        return size
      },
      read: (offset, length) => exactly(file, part, offset, length),
      async append(bytes) {
        await checkAlone()
        await attempt(part, () => file.appendFile(bytes))
        size += bytes.length
      },
      async restart() {
        await checkAlone()
        await attempt(part, () => file.truncate(0))
        size = 0
      },
      async finish() {
        await checkAlone()
        await attempt(part, () => file.sync())
        await renameOwn(file, part, path, before === 'missing' ? moveNew : rename)
      },
      [Symbol.asyncDispose]: () => file.close(),
    }
  },
})

/** What of a file is there before it is whole. A name that would be too long with the id is cut. */
export function partOf(path: string, id: Uint8Array): string {
  let name = basename(path)
  while (Buffer.byteLength(name) > cutNameBytes) name = Array.from(name).slice(0, -1).join('')
  return join(dirname(path), `${name}.${Buffer.from(id).toString('hex')}.part`)
}

/** One that was not there: whose it is needs no look then, and some file systems say the same owner and mode of all that is on them. */
async function openedNew(part: string): Promise<FileHandle | undefined> {
  try {
    return await open(part, appending | constants.O_EXCL, ownerOnly)
  } catch (reason) {
    if (errorCode(reason) === 'EEXIST') return undefined
    throw cannotUse(part, reason)
  }
}

/** In a folder of many somebody may have put something else there, to have it written to, or to write to it later. */
async function ownSize(file: FileHandle, part: string): Promise<number> {
  const found = await file.stat()
  if (found.isFile() && found.nlink === 1 && isOurs(found)) return found.size
  await file.close()
  throw refused(`${part} is not what an earlier try has left`, 'move it away, or name another path')
}

/** Windows has no user ids, and its modes say nothing of others. */
function isOurs({ uid, mode }: Stats): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & writableByOthers) === 0)
}

/** Who was done first has taken the part away under its new name, and a third one may have begun anew in its place. */
async function renameOwn(file: FileHandle, part: string, path: string, move: typeof moveNew): Promise<void> {
  try {
    if (await isAt(file, part)) return await move(part, path)
  } catch (reason) {
    const code = errorCode(reason)
    if (code === 'EEXIST' && !(await isAt(file, path).catch(() => false))) throw occupied(path)
    if (code !== 'EEXIST' && (code !== 'ENOENT' || (await kindOf(path)) === 'missing')) throw cannotUse(path, reason)
  }
  throw taken(path)
}

async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const own = await file.stat({ bigint: true })
  const found = await lstat(path, { bigint: true })
  return found.dev === own.dev && found.ino === own.ino
}

/** To where nothing is: rejects with `EEXIST` where something has come to be. */
async function moveNew(part: string, path: string): Promise<void> {
  try {
    await link(part, path)
  } catch (reason) {
    if (!withoutLinks.includes(errorCode(reason) ?? '')) throw reason
    await (await open(path, 'wx', ownerOnly)).close()
    return rename(part, path)
  }
  await unlink(part)
}

async function exactly(file: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let read = 0; read < length; ) {
    const { bytesRead } = await attempt(path, () => file.read(bytes, read, length - read, offset + read))
    if (bytesRead === 0) throw unusable(`${path} became shorter while it was read`, undefined, 'try again when nobody writes to it')
    read += bytesRead
  }
  return bytes
}

/** Whoever writes to a file changes one of these: which file it is, how long, and when it was changed. */
async function versionOf(file: FileHandle, path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await attempt(path, () => file.stat({ bigint: true }))
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

/** What a path leads to. What may not even be looked at counts as a file: to open it says why. Throws when nothing can have the name. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | 'missing'> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return 'folder'
    return found.isFile() ? 'file' : 'other'
  } catch (reason) {
    const code = errorCode(reason)
    if (code === 'ENAMETOOLONG') throw refused(`the name ${path} is too long`, 'name a shorter path')
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'file'
  }
}

function refused(sentence: string, hint: string): SealwireError {
  return new SealwireError('data_unusable', sentence, { hint })
}

function taken(path: string): SealwireError {
  return refused(`somebody else is saving to ${path}`, 'wait until it is there, or name another path')
}

function occupied(path: string): SealwireError {
  return new SealwireError('usage', `there is ${path} already`, { hint: 'name another path, or move it away' })
}

function cannotUse(path: string, reason: unknown): SealwireError {
  return unusable(`cannot use ${path}`, reason, 'check the path, and that you may read and write there')
}

function opened(path: string, flags: string | number): Promise<FileHandle> {
  return attempt(path, () => open(path, flags, ownerOnly))
}

async function attempt<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (reason) {
    throw cannotUse(path, reason)
  }
}

/** Makes it, or goes on behind what is there; nowhere where a link leads. */
const appending = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
const ownerOnly = 0o600
/** What file systems say that know no second name of a file. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']
const writableByOthers = 0o022
/** What is left of a longer name: with the rest it has 138 bytes, and some file systems take no more than 143. */
const cutNameBytes = 100
