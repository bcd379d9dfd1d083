// `sealwire backup verify`: a backup is good when a server can be made of it, so one is made, looked at, and removed.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../domain/clock.ts'
import { unusable, writeDurably } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { counted } from '../terminal/counted.ts'
import { restoringFile } from '../operator/data-folder.ts'
import { json, print } from '../operator/command.ts'
import { readPath } from '../options/option-value.ts'
import { commandLine } from '../options/origin.ts'
import { ProgressLine } from '../terminal/progress-line.ts'
import { stoppable } from '../terminal/stop-signal.ts'
import { type BackupSource, fileSource, inputSource } from './backup-source.ts'
import { knownPassphrase } from './passphrase.ts'
import type { Examination } from './examine.ts'
import type { Manifest } from './archive-names.ts'

export interface VerifyFlags {
  readonly passphraseFile?: string
  readonly temp?: string
  readonly json?: boolean
}

/** @throws {SealwireError} what unpacking and the examination throw; `backup_invalid` also when a file in it is not what it was. */
export async function verifyBackup(file: string, flags: VerifyFlags): Promise<void> {
  const source = await openBackup(file, flags.passphraseFile)
  const halfWay = { how: 'nothing is known of the backup', next: 'nothing is left of the look at it: run the same command again' }
  await stoppable(systemClock, halfWay, (signal) => verify(source, flags, signal))
}

async function verify(source: BackupSource, flags: VerifyFlags, signal: AbortSignal): Promise<void> {
  const passphrase = await knownPassphrase({ file: flags.passphraseFile, signal })
  using temporary = temporaryFolder(flags.temp)
  const { folder } = temporary
  // Killed, it leaves the keys there: nobody may take that for a server.
  writeDurably(join(folder, restoringFile), 'A backup is being verified here.\n', 0o600)
  using line = new ProgressLine('verifying', systemClock)
  const [{ unpack }, { examine }] = await Promise.all([import('./unpack.ts'), import('./examine.ts')])
  const progress = (done: number, size: number): void => line.show(done, size)
  const unpacked = await unpack({ source, passphrase, folder, signal, progress })
  const examination = await examine(folder, unpacked, { clock: systemClock, signal })
  line.end()
  await tell(unpacked.manifest, examination, line.seconds, flags.json === true)
  if (examination.damaged.length > 0) throw damagedFiles(examination.damaged)
}

/** The file of a backup, or standard input. @throws {SealwireError} `usage` when the passphrase comes the same way; `data_unusable`. */
export async function openBackup(file: string, passphraseFile: string | undefined): Promise<BackupSource> {
  if (file !== '-') return fileSource(readPath(file, commandLine('FILE')))
  if (passphraseFile !== undefined && passphraseFile !== '-') return inputSource
  throw new SealwireError('usage', 'standard input is the backup already', {
    hint: 'name a file that has the passphrase: --passphrase-file FILE',
  })
}

/** The refusal of a backup, or the end of a restore, in which files are not what the database says. */
export function damagedFiles(damaged: readonly string[], hint = 'everything else is good; an earlier backup may have them'): SealwireError {
  const which = damaged.length === 1 ? `the file ${damaged[0]} is` : `${damaged.length} files, the first of them ${damaged[0]}, are`
  return new SealwireError('backup_invalid', `${which} missing or damaged in it, as they were on the server`, { hint })
}

function temporaryFolder(parent: string | undefined): Disposable & { readonly folder: string } {
  const where = parent === undefined ? tmpdir() : readPath(parent, commandLine('--temp'))
  try {
    const folder = mkdtempSync(join(where, 'sealwire-verify-'))
    return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
  } catch (cause) {
    throw unusable(`cannot make a folder in ${where}`, cause)
  }
}

async function tell(
  manifest: Manifest,
  { fingerprint, ledgerRows, files, damaged }: Examination,
  seconds: number,
  isJson: boolean,
): Promise<void> {
  const { at, version, database, fileBytes, entries } = manifest
  const good = damaged.length === 0
  if (isJson) {
    const told = { good, at, version, fingerprint, database, entries, ledgerRows, files, fileBytes, damaged, seconds }
    return print(json(told))
  }
  const words = `${counted(entries, 'entry', 'entries')}, ${counted(ledgerRows, 'row')} of the ledger recomputed, ${files - damaged.length} of ${files} files with their SHA-256`
  await print(`${good ? 'good' : 'not good'}: the server ${fingerprint} as of ${at}: ${words}, in ${seconds} s\n`)
}
