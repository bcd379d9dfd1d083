// `sealwire backup`: everything that another machine needs to be this server, in one encrypted file; and whether such a file is good.

import { existsSync } from 'node:fs'
import { isatty } from 'node:tty'
import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { limitTable } from '../protocol/limits.ts'
import type { BackedUp } from './backup/back-up.ts'
import { fileTarget, OutputTarget } from './backup/backup-target.ts'
import { newPassphrase } from './backup/passphrase.ts'
import { verifyBackup, type VerifyFlags } from './backup/verify-backup.ts'
import { counted } from './terminal/counted.ts'
import { findDataFolder } from './operator/data-folder.ts'
import { checkTarget } from './operator/own-files.ts'
import { writeNow } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { json, type OperatorFlags, print } from './operator/command.ts'
import { readPath } from './options/option-value.ts'
import { commandLine } from './options/origin.ts'
import { ProgressLine } from './terminal/progress-line.ts'
import { type HalfWay, stoppable } from './terminal/stop-signal.ts'
import { version } from './version.ts'

interface BackupFlags extends OperatorFlags {
  readonly passphraseFile?: string
  readonly force?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  const verify = new Command('verify')
    .description('Restore a backup into a temporary folder, recompute its ledger, and look at everything in it.')
    .summary('say whether a backup is good')
    .argument('<FILE>', 'the backup; - is standard input')
    .option('--passphrase-file <file>', 'its first line is the passphrase; - is standard input (default: asked for)')
    .option('--temp <dir>', 'where the temporary folder is made (default: that of the system; TMPDIR)')
    .option('--json', 'print a JSON object')
    .action((file: string, _flags: VerifyFlags, self: Command) => verifyBackup(file, self.optsWithGlobals<VerifyFlags>()))
  return new Command('backup')
    .usage('[OPTIONS] FILE | verify FILE')
    .description('Back up a server into an encrypted file, while it runs or not.')
    .argument('<FILE>', 'of the backup; - is standard output')
    .option('--data <dir>', 'data folder of the server (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--passphrase-file <file>', 'its first line is the passphrase; - is standard input (default: asked for, twice)')
    .option('--force', 'replace FILE if it is there')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .addCommand(verify)
    .action(backup)
}

async function backup(file: string, flags: BackupFlags): Promise<void> {
  const folder = findDataFolder(flags.data, process.env)
  const path = file === '-' ? undefined : readPath(file, commandLine('FILE'))
  if (path === undefined && isatty(standardOutput)) {
    throw new SealwireError('usage', 'a backup is no text for a terminal', { hint: 'name a file, or send it into a pipe' })
  }
  if (path !== undefined) checkTarget(path, folder)
  await stoppable(systemClock, halfWay(path, flags.force === true), (signal) => make({ folder, path, signal }, flags))
}

interface Make {
  readonly folder: string
  /** Default: standard output. */
  readonly path: string | undefined
  readonly signal: AbortSignal
}

async function make({ folder, path, signal }: Make, flags: BackupFlags): Promise<void> {
  const passphrase = await newPassphrase({ file: flags.passphraseFile, signal })
  await using target = path === undefined ? new OutputTarget(signal) : await fileTarget(path, { force: flags.force === true })
  using line = new ProgressLine('backing up', systemClock)
  const { backUp } = await import('./backup/back-up.ts')
  const progress = (done: number, size: number): void => line.show(done, size)
  const done = await backUp({ folder, passphrase, target, version: version(), clock: systemClock, signal, progress })
  await target.commit()
  line.end()
  await tell(done, { file: path, bytes: target.bytes, seconds: line.seconds, isJson: flags.json === true })
  if (done.damaged.length > 0) throw incomplete(done.damaged)
}

function halfWay(path: string | undefined, isForced: boolean): HalfWay {
  const left =
    path === undefined
      ? 'what was written is no backup: remove it, and'
      : isForced && existsSync(path)
        ? 'the one that was there stays:'
        : 'nothing of it is left:'
  return { how: 'no backup was made', next: `${left} run the same command again` }
}

interface Told {
  readonly file: string | undefined
  readonly bytes: number
  readonly seconds: number
  readonly isJson: boolean
}

/** Beside a backup on standard output it is told on standard error. */
async function tell({ manifest, damaged }: BackedUp, { file, bytes, seconds, isJson }: Told): Promise<void> {
  const { at, database, files, fileBytes, entries } = manifest
  const told = { file: file ?? '-', bytes, at, database, files, fileBytes, entries, damaged: damaged.length, seconds }
  const words = `backed up as of ${at}: ${counted(entries, 'entry', 'entries')}, ${counted(files, 'file')}, ${sizeText(bytes)} in ${seconds} s${file === undefined ? '' : ` to ${escapeControls(file)}`}\n`
  const text = isJson ? json(told) : words
  if (file === undefined) writeNow(standardError, text)
  else await print(text)
}

function incomplete(damaged: readonly string[]): SealwireError {
  const which = damaged.length === 1 ? `the file ${damaged[0]} is` : `${damaged.length} files are`
  return new SealwireError('data_unusable', `the backup is there, but ${which} missing or damaged in the data folder itself`, {
    hint: `the first one is files/${damaged[0]}: check the disk, and put it there from an earlier backup`,
  })
}

/** `12.3 MB`. */
function sizeText(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

const standardOutput = 1
const standardError = 2

const notes = `
The server may run meanwhile, and is hardly slowed down. The backup is of one moment: the database,
the files, the keys and the certificates as they are when it begins. What --cert, --key and --config
name outside of the data folder is not in it.

Whoever has the file and the passphrase has the server: keep them apart, and choose a long one, of
${limitTable.passwordCharactersMin.value} to ${limitTable.passwordCharactersMax.value} characters. The file is an age file with a tar archive in it: age -d FILE | tar x takes
it apart without Sealwire.

Examples:
  sealwire backup /backups/sealwire.age --data /srv/sealwire
  sealwire backup - --passphrase-file /etc/sealwire/passphrase | ssh safe 'cat > sealwire.age'
  sealwire backup verify /backups/sealwire.age
  sealwire restore /backups/sealwire.age --data /srv/sealwire`
