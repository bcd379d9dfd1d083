// A data folder from a backup. From its first to its last moment there is a file in the folder which says that this is not a server
// yet: whatever ends in between, nobody starts one on half of it.

import { randomInt } from 'node:crypto'
import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, makeFolder, removeDurably, unusable, writeDurably } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { resolveLimits } from '../../protocol/limits.ts'
import { lockData, openInProcessStore } from '../../store/index.ts'
import { restoringFile } from '../operator/data-folder.ts'
import type { BackupSource } from './backup-source.ts'
import { type Examination, examine } from './examine.ts'
import { type Unpacked, unpack } from './unpack.ts'

/** What restoring works with. */
export interface RestoreParts {
  readonly source: BackupSource
  readonly passphrase: string
  /** The data folder: it is not there, or empty. */
  readonly folder: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly progress: (done: number, size: number) => void
}

/**
 * Makes a data folder of a backup: verified, on the disk, and going on behind the numbers of the server that it takes the place of.
 * @throws {SealwireError} `data_unusable` when something is in the folder; what `unpack` and `examine` throw. Nothing is left then.
 */
export async function restoreBackup(parts: RestoreParts): Promise<Unpacked & Examination> {
  const { folder } = parts
  requireEmpty(folder)
  // Undone in the other order: what is here is removed under the lock, the lock's file as the last, and then the folder.
  using made = new DisposableStack()
  made.adopt(makeFolder(folder), removeFolders)
  using _lock = lockData(folder)
  // Nobody else begins here from now on, and what is here is ours.
  requireEmpty(folder, [lockName])
  using undo = new DisposableStack()
  undo.defer(() => rmSync(join(folder, lockName), { force: true }))
  writeDurably(join(folder, restoringFile), 'A backup is being restored here.\n', 0o600)
  undo.defer(() => rmSync(join(folder, restoringFile), { force: true }))
  undo.defer(() => clear(folder))
  const unpacked = await unpack(parts)
  const examination = await examine(folder, unpacked, { clock: parts.clock, signal: parts.signal })
  goOn(folder)
  parts.signal.throwIfAborted()
  removeDurably(join(folder, restoringFile))
  undo.move()
  made.move()
  return { ...unpacked, ...examination }
}

/** What was given away since the backup is not given away again. */
function goOn(folder: string): void {
  using store = openInProcessStore(folder, resolveLimits())
  store.run('server.setBack', { lives: BigInt(1 + randomInt(lives)), skipped: BigInt(randomInt(skippedMin, skippedMax)) })
}

function requireEmpty(folder: string, own: readonly string[] = []): void {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return
    throw unusable(`cannot read ${folder}`, cause)
  }
  if (names.every((name) => name === freshName || own.includes(name))) return
  throw new SealwireError('data_unusable', `the folder ${folder} is not empty`, {
    hint: 'name another one with --data DIR, or move this one away: nothing is ever written over a server',
  })
}

/** While something cannot be removed the file stays that says what it is. */
function clear(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!keptNames.includes(name)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

/** The innermost comes first. */
function removeFolders(folders: readonly string[]): void {
  for (const folder of folders) if (readdirSync(folder).length === 0) rmdirSync(folder)
}

/** There are two million lives of an inbox: enough for 500 restores, and two of one backup meet in one of 8,000. */
const lives = 2 ** 13
/** More numbers than anybody uses between a backup and the day on which it is needed. Conversations have 2^31 of them. */
const [skippedMin, skippedMax] = [1_000_000, 17_000_000]

/** Of a new file system. */
const freshName = 'lost+found'
const lockName = 'lock'
/** Removed by name, after everything else. */
const keptNames: readonly string[] = [freshName, lockName, restoringFile]
