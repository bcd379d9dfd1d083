// Everything that can be said about an unpacked backup without starting a server on it: whether the keys fit the certificates, whether
// the database is sound, whether the ledger computes, and whether each file is what the database says.

import { getRandomValues } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { IdentityFolder, parseCertificates } from '../../pki/identity-folder.ts'
import { openLedgerKey, readLedgerPublicKey, readSealedKeys, serverIdBytes } from '../../pki/index.ts'
import { parseOwnKey } from '../../pki/own-key.ts'
import { finishRotation } from '../../pki/rotation.ts'
import { resolveLimits } from '../../protocol/limits.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { fileKey } from '../../server/files/folder.ts'
import { proveLedger } from '../../server/money/ledger-proof.ts'
import { Signatures } from '../../server/money/signatures.ts'
import { countRows, openInProcessStore, type Snapshot, type SynchronousStore, takeSnapshot, verifyStructure } from '../../store/index.ts'
import { folderFingerprint } from '../operator/data-folder.ts'
import { type Manifest, missingNames } from './archive-names.ts'
import type { Unpacked } from './unpack.ts'

/** What was found. */
export interface Examination {
  /** The pin of the server. */
  readonly fingerprint: string
  /** Rows of the ledger that were recomputed. */
  readonly ledgerRows: number
  /** Files that the database names. */
  readonly files: number
  /** Those of them that are missing or not what it says, by their ids in hexadecimal digits. */
  readonly damaged: readonly string[]
}

export interface ExamineParts {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told how many rows of the ledger were recomputed. */
  readonly progress?: (rows: number) => void
}

/**
 * Examines an unpacked backup. The schema of its database is brought up to date.
 * @throws {SealwireError} `backup_invalid` with the first thing that is wrong, but for files; `key_unsafe` where the disk knows no modes; the reason of the signal when that is aborted.
 */
export async function examine(folder: string, unpacked: Unpacked, parts: ExamineParts): Promise<Examination> {
  const fingerprint = inBackup(folder, () => examineKeys(folder, unpacked.manifest, parts.clock))
  const fault = verifyStructure(folder)
  if (fault !== undefined) throw wrong(`the database in it is damaged: ${fault.what}`)
  // Before the schema is brought up to date: what that does to tables is nothing that was lost.
  examineRows(folder, unpacked.manifest)
  inBackup(folder, () => openInProcessStore(folder, resolveLimits()).close())
  const files = examineContent(folder, unpacked)
  return { fingerprint, ...files, ledgerRows: await examineLedger(folder, parts) }
}

/** A key or a database that is of no use is a fault of the backup, and has its name there. */
function inBackup<T>(folder: string, examineThem: () => T): T {
  try {
    return examineThem()
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    if (!['key_missing', 'key_malformed', 'certificate_invalid', 'data_unusable'].includes(code)) throw reason
    throw wrong(`in it ${sentence.replaceAll(join(folder, '/'), '')}`, reason)
  }
}

function examineKeys(folder: string, manifest: Manifest, clock: Clock): string {
  const missing = missingNames((name) => existsSync(join(folder, name)), manifest)
  if (missing.length > 0) throw wrong(`what a server needs is missing in it: ${missing.join(', ')}`)
  const identity = new IdentityFolder(folder)
  // As the next start would: what is one file after the other until then is of one authority.
  finishRotation(identity)
  for (const [key, certificate] of [
    ['ca.key', 'ca.crt'],
    ['server.key', 'server.crt'],
  ] as const) {
    const secret = identity.readKey(key)
    const [leaf] = identity.readCertificates(certificate) ?? []
    if (secret !== undefined && leaf !== undefined && !leaf.checkPrivateKey(secret))
      throw wrong(`its certificate ${certificate} is not of its key ${key}`)
  }
  const imported = identity.readBundle('imported.pem')
  if (imported !== undefined) {
    const path = identity.pathOf('imported.pem')
    if (!parseCertificates(path, imported)[0].checkPrivateKey(parseOwnKey(path, imported))) {
      throw wrong('its imported certificate is not of its key')
    }
  }
  const told = readLedgerPublicKey(folder)
  if (told !== undefined && Buffer.compare(openLedgerKey(folder).publicKey, told) !== 0)
    throw wrong('ledger.pub in it is not of its ledger.key')
  readSealedKeys(folder, clock.now())
  return folderFingerprint(folder)
}

function examineRows(folder: string, { rows = {} }: Manifest): void {
  const found = countRows(folder)
  for (const [table, count] of Object.entries(rows)) {
    const has = found[table] ?? 0
    if (has !== count) throw wrong(`the database in it has ${has} rows of ${table}, and had ${count}`)
  }
}

async function examineLedger(folder: string, { clock, signal, progress }: ExamineParts): Promise<number> {
  const limits = resolveLimits()
  using opened: SynchronousStore = openInProcessStore(folder, limits)
  const serverId = opened.run('server.id', { fresh: getRandomValues(new Uint8Array(serverIdBytes)) })
  const store: Parameters<typeof proveLedger>[0]['store'] = { run: async (name, input) => opened.run(name, input) }
  const parts = { store, clock, limits, signatures: new Signatures(limits), serverId, publicKey: readLedgerPublicKey(folder) }
  const rest = async (): Promise<void> => {
    await new Promise<void>((resolve) => void setImmediate(resolve))
    signal.throwIfAborted()
  }
  const { rows, fault } = await proveLedger(parts, { rest, ...(progress === undefined ? {} : { progress }) })
  if (fault !== undefined) throw wrong(`the ledger in it is not what it must be: ${fault.row} ${fault.what}`)
  return rows
}

/** Whether the database has what it had in the moment of the backup; and its files. */
function examineContent(folder: string, { manifest, contents }: Unpacked): Pick<Examination, 'files' | 'damaged'> {
  using snapshot = takeSnapshot(folder, resolveLimits())
  const counts = snapshot.count()
  for (const name of ['accounts', 'entries', 'postings'] as const) {
    if (counts[name] !== manifest[name]) throw wrong(`the database in it has ${counts[name]} ${name}, and had ${manifest[name]}`)
  }
  const fault = snapshot.fault()
  if (fault !== undefined) throw wrong(`the database in it is not that of a server: ${fault}`)
  return { files: counts.files, damaged: damagedFiles(snapshot, contents) }
}

function damagedFiles(snapshot: Snapshot, contents: Unpacked['contents']): readonly string[] {
  const damaged: string[] = []
  const unnamed = new Set(contents.keys())
  for (const { id, size, sha256 } of snapshot.files()) {
    const content = contents.get(fileKey(id))
    unnamed.delete(fileKey(id))
    if (content === undefined || content.size !== size || Buffer.compare(content.sha256, sha256) !== 0) damaged.push(fileKey(id))
  }
  const [first] = unnamed
  if (first !== undefined) throw wrong(`the database in it does not know the file ${first}, which is in it`)
  return damaged
}

function wrong(what: string, cause?: unknown): SealwireError {
  return new SealwireError('backup_invalid', what, { cause, hint: 'take an earlier backup' })
}
