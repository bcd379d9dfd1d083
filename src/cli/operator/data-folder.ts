// The data folder of a server as the commands of its operator see it: it is there, it is a server's, and it is ours.
// Nothing is ever made in a folder that is none.

import type { X509Certificate } from 'node:crypto'
import { readFileSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode, removeDurably, unusable, writeDurably } from '../../pki/durable-file.ts'
import { IdentityFolder, parseCertificates } from '../../pki/identity-folder.ts'
import { isPin, spkiPin } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { readPath } from '../options/option-value.ts'
import { commandLine } from '../options/origin.ts'

/** The folder that `--data` names, else SEALWIRE_DATA, else ./sealwire-data; absolute. */
export function findDataFolder(flag: string | undefined, environment: NodeJS.ProcessEnv): string {
  if (flag !== undefined) return readPath(flag, commandLine('--data'))
  const variable = environment['SEALWIRE_DATA']
  if (variable === undefined || variable === '') return readPath('sealwire-data', commandLine('--data'))
  return readPath(variable, { label: 'SEALWIRE_DATA', code: 'config_invalid' })
}

/**
 * Makes sure that a server has been here.
 * @throws {SealwireError} `data_unusable`.
 */
export function checkDataFolder(folder: string): void {
  if (statOf(folder)?.isDirectory() !== true) throw notThere(`there is no data folder ${folder}`)
  checkRestored(folder)
  // Any of them: which one is missing is told by who needs it.
  if (serverNames.every((name) => statOf(join(folder, name)) === undefined)) throw notThere(`${folder} is not the data folder of a server`)
}

/**
 * Makes sure that no restore has ended in its middle here: what is there then is not a server yet.
 * @throws {SealwireError} `data_unusable`.
 */
export function checkRestored(folder: string): void {
  if (statOf(join(folder, restoringFile)) === undefined) return
  throw new SealwireError('data_unusable', `a backup is being restored into ${folder}, or was not restored to its end`, {
    hint: 'wait for the end of sealwire restore; if it is gone, remove the folder and restore again',
  })
}

/**
 * Makes sure that the folder belongs to us. Files that another user makes there are of no use to the server: root would
 * lock out the one that it runs as.
 * @throws {SealwireError} `data_unusable`.
 */
export function checkOwner(folder: string): void {
  const stats = statOf(folder)
  if (stats === undefined || process.platform === 'win32' || stats.uid === process.getuid?.()) return
  throw new SealwireError('data_unusable', `the data folder ${folder} belongs to another user (id ${stats.uid})`, {
    hint: 'run this as that user, or while the server runs',
  })
}

/**
 * The fingerprint of the server: the pin by which its clients know it.
 * @throws {SealwireError} `certificate_invalid`, `key_unsafe`, `data_unusable`.
 */
export function folderFingerprint(folder: string): string {
  const noted = notedFingerprint(folder)
  if (noted !== undefined) return noted
  const identity = new IdentityFolder(folder)
  const imported = identity.readBundle('imported.pem')
  const chain = imported === undefined ? identity.readCertificates('ca.crt') : parseCertificates(identity.pathOf('imported.pem'), imported)
  const root = chain?.at(-1)
  if (root === undefined) throw notThere(`${join(folder, 'ca.crt')} is missing`)
  return spkiPin(root)
}

/** Notes the fingerprint where the folder does not say it: that of the files of `serve --cert`; `undefined` takes it back. */
export function noteFingerprint(folder: string, fingerprint: string | undefined): void {
  const path = join(folder, fingerprintFile)
  if (fingerprint === notedFingerprint(folder)) return
  if (fingerprint === undefined) removeDurably(path)
  else writeDurably(path, `${fingerprint}\n`, 0o600)
}

function notedFingerprint(folder: string): string | undefined {
  try {
    const text = readFileSync(join(folder, fingerprintFile), 'utf8').trim()
    return isPin(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** The server's own certificate, if there is one that can be read. */
export function folderCertificate(folder: string): X509Certificate | undefined {
  try {
    return new IdentityFolder(folder).readCertificates('server.crt')?.[0]
  } catch {
    return undefined
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' || errorCode(cause) === 'ENOTDIR') return undefined
    throw unusable(`cannot read ${path}`, cause)
  }
}

function notThere(what: string): SealwireError {
  return new SealwireError('data_unusable', what, {
    hint: 'name the folder of the server with --data DIR, or start the server there first',
  })
}

const serverNames = ['ca.key', 'ca.crt', 'ledger.pub', 'sealwire.db'] as const
/** There from the beginning of a restore to its end. */
export const restoringFile = 'restoring'
const fingerprintFile = 'fingerprint'
