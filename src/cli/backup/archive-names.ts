// What is in a backup: a tar archive with the files of a data folder under their own names, and one more in front that says what
// follows. Logs, sockets, locks and temporary files are not in it: a server makes its own.

import * as v from 'valibot'
import { identityFiles, laterFiles } from '../../pki/identity-folder.ts'
import { ledgerKeyFile, ledgerPublicFile, nextSealedKeyFile, sealedKeyFile } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'

/** The first file of the archive: a {@link Manifest} in JSON. */
export const manifestName = 'backup.json'
export const databaseName = 'sealwire.db'
/** What the database file does not have yet. It is there also when it is empty. */
export const logName = 'sealwire.db-wal'
/** The folder with the content of files. */
export const filesName = 'files'

/** Small files of a data folder, which are read as a whole; not every server has all of them. */
export const smallNames: readonly string[] = [
  ...identityFiles,
  ...laterFiles,
  ...[ledgerKeyFile, ledgerPublicFile, sealedKeyFile, nextSealedKeyFile],
  ...['address', 'sealed-address', 'device-address', 'fingerprint'],
]

/** Those of them that are missing, though the server that has the others and so many postings cannot be made without them. */
export function missingNames(has: (name: string) => boolean, { postings }: Pick<Manifest, 'postings'>): readonly string[] {
  const needed = [
    ...['ca.key', 'server.key'],
    // Its root is how clients know the server; where it is somebody else's, that is noted.
    ...(has('imported.pem') || has('fingerprint') ? [] : ['ca.crt']),
    // A server that never ran to its end of the start may have no key of the ledger yet, and nothing that was signed.
    ...(has(ledgerPublicFile) || postings > 0 ? [ledgerKeyFile] : []),
    ...(postings > 0 ? [ledgerPublicFile] : []),
    ...(has('sealed-address') || has(nextSealedKeyFile) ? [sealedKeyFile] : []),
  ]
  return needed.filter((name) => !has(name))
}

/** The longest of them, and of the manifest. */
export const smallBytesMax = 1 << 20

/** Whether it can be the content of a file of a conversation. */
export function isContentName(name: string): boolean {
  return /^files\/[0-9a-f]{32}$/.test(name)
}

/** Certificates and public keys are for everybody, everything else for its owner. */
export function modeOf(name: string): number {
  return name.endsWith('.crt') || name.endsWith('.pub') ? 0o644 : 0o600
}

const size = () => v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const manifestSchema = v.object({
  format: v.literal(1),
  version: v.pipe(v.string(), v.maxLength(64)),
  at: v.pipe(v.string(), v.isoTimestamp()),
  /** Bytes of the database with its log. */
  database: size(),
  /** Accounts, entries of conversations, postings of the ledger. */
  accounts: size(),
  entries: size(),
  postings: size(),
  /** Rows of each table of the database; missing in backups of earlier versions. */
  rows: v.optional(v.record(v.pipe(v.string(), v.maxLength(64)), size())),
  /** Files of conversations, and their bytes. */
  files: size(),
  fileBytes: size(),
  /** The small files that follow. */
  small: v.array(v.picklist(smallNames)),
  /** All bytes of the archive, its ends included. */
  archive: size(),
})

/** What a backup says of itself. */
export type Manifest = v.InferOutput<typeof manifestSchema>

/** @throws {SealwireError} `backup_invalid`. */
export function parseManifest(text: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw notOurs(cause)
  }
  const result = v.safeParse(manifestSchema, value)
  if (result.success) return result.output
  if (typeof value === 'object' && value !== null && 'format' in value && typeof value.format === 'number' && value.format > 1) {
    throw new SealwireError('backup_invalid', `the backup has format ${value.format}, this Sealwire knows 1`, {
      hint: 'use the newer Sealwire that made it',
    })
  }
  throw notOurs()
}

/** The refusal of what is no backup of a server. */
export function notOurs(cause?: unknown): SealwireError {
  return new SealwireError('backup_invalid', 'what was decrypted is no backup of a Sealwire server', { cause })
}
