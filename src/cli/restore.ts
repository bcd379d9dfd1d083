// `sealwire restore`: a server from its backup.

import { Command } from 'commander'
import { systemClock } from '../domain/clock.ts'
import type { BackupSource } from './backup/backup-source.ts'
import type { Examination } from './backup/examine.ts'
import { knownPassphrase } from './backup/passphrase.ts'
import type { Unpacked } from './backup/unpack.ts'
import { damagedFiles, openBackup } from './backup/verify-backup.ts'
import { counted } from './terminal/counted.ts'
import { findDataFolder } from './operator/data-folder.ts'
import { writeNow } from './terminal/descriptor.ts'
import { escapeControls } from './terminal/escape.ts'
import { shellWord } from './terminal/shell-word.ts'
import { json, print } from './operator/command.ts'
import { ProgressLine } from './terminal/progress-line.ts'
import { stoppable } from './terminal/stop-signal.ts'

interface RestoreFlags {
  readonly data?: string
  readonly passphraseFile?: string
  readonly json?: boolean
}

/** The command, as program.ts loads it. */
export function command(): Command {
  return new Command('restore')
    .usage('[OPTIONS] FILE')
    .description('Make a server from its backup, in a folder that is not there or empty.')
    .argument('<FILE>', 'the backup; - is standard input')
    .option('--data <dir>', 'data folder of the server (default: ./sealwire-data; SEALWIRE_DATA)')
    .option('--passphrase-file <file>', 'its first line is the passphrase; - is standard input (default: asked for)')
    .option('--json', 'print a JSON object')
    .addHelpText('after', notes)
    .action(restore)
}

async function restore(file: string, flags: RestoreFlags): Promise<void> {
  const folder = findDataFolder(flags.data, process.env)
  const source = await openBackup(file, flags.passphraseFile)
  const halfWay = { how: 'nothing was restored', next: `nothing of it is left in ${folder}: run the same command again` }
  await stoppable(systemClock, halfWay, (signal) => restoreInto(folder, source, flags, signal))
}

async function restoreInto(folder: string, source: BackupSource, flags: RestoreFlags, signal: AbortSignal): Promise<void> {
  const passphrase = await knownPassphrase({ file: flags.passphraseFile, signal })
  using line = new ProgressLine('restoring', systemClock)
  const { restoreBackup } = await import('./backup/restore-backup.ts')
  const progress = (done: number, size: number): void => line.show(done, size)
  const restored = await restoreBackup({ source, passphrase, folder, clock: systemClock, signal, progress })
  line.end()
  await tell(folder, restored, line.seconds, flags.json === true)
  if (restored.damaged.length > 0)
    throw damagedFiles(restored.damaged, 'the server is restored all the same; who asks for them is told that they are gone')
}

async function tell(
  folder: string,
  { manifest, fingerprint, ledgerRows, damaged }: Unpacked & Examination,
  seconds: number,
  isJson: boolean,
): Promise<void> {
  const { at, entries, files } = manifest
  if (isJson) return print(json({ data: folder, at, fingerprint, entries, ledgerRows, files, damaged, seconds }))
  const words = `${counted(entries, 'entry', 'entries')} and ${counted(files, 'file')}`
  await print(`restored ${escapeControls(folder)}: the server ${fingerprint} as of ${at}, with ${words}\n`)
  writeNow(standardError, after(at, folder))
}

/** What nobody may have to find out. */
function after(at: string, folder: string): string {
  return `
Everything after ${at} is gone:
  messages, accounts, rooms and files of that time; who has them still has
    them, the server does not
  transfers: their receipts contradict this ledger, and clients that audit it
    will say so, rightly; a transfer of that time is not known any more, and
    whoever has its signed order can send it again until that expires: agree
    with those concerned before you pay anything again by hand
  deletions, blocks and removals from rooms of that time: what and whom they
    were about is there again
  devices that were enrolled and names that were registered since: they are
    not known, and a name is free for anybody
  bans, revoked devices and passwords of that time: what they had ended is
    good again
    sealwire cert list --data ${shellWord(escapeControls(folder))}
  keys that were replaced since (cert rotate-ca, rotate-sealed, import):
    clients that know the new ones refuse this server, and need a new link
If the other server still runs somewhere, end it: two servers with one key are
two truths.
Then start this one: sealwire serve --data ${shellWord(escapeControls(folder))}
`
}

const standardError = 2

const notes = `
The server has the keys and the fingerprint that it had then, so clients connect as before, unless its
keys were replaced since. Everything is verified before anything counts, as sealwire backup verify
does. What came after the backup is gone; the command says what that means.

Examples:
  sealwire restore sealwire.age --data /srv/sealwire
  ssh safe cat sealwire.age | sealwire restore - --passphrase-file passphrase --data /srv/sealwire`
