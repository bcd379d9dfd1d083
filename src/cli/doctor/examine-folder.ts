// The doctor at a server's side: the data folder, and whether a server could start in it. It changes nothing: what it writes to
// try the disk is gone again, and a server that runs is left alone.

import type { X509Certificate, KeyObject } from 'node:crypto'
import { existsSync, rmSync, type Stats, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { unusable, writeDurably } from '../../pki/durable-file.ts'
import { type CertificateFile, IdentityFolder, identityFiles, type KeyFile } from '../../pki/identity-folder.ts'
import { type OwnFiles, readImported, readOwnCertificate } from '../../pki/own-certificate.ts'
import { findLedgerKey, ledgerPublicFile } from '../../pki/ledger-key.ts'
import { sealedPins } from '../../pki/sealed-key.ts'
import { renewalTime } from '../../pki/server-certificate.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'
import { lockData } from '../../store/data-lock.ts'
import { databaseName } from '../backup/archive-names.ts'
import { restoringFile } from '../operator/data-folder.ts'
import { type FaultName, type Finding, fault, fine, spanText, timeText, warning } from './finding.ts'

export interface FolderParts {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly limits: Limits
}

export interface FolderExamination {
  readonly findings: readonly Finding[]
  /** Whether a server runs in the folder now. */
  readonly isInUse: boolean
}

/** What is found in a data folder. */
export function examineFolder(path: string, { now, limits }: FolderParts): FolderExamination {
  const stats = statOf(path)
  if (stats?.isDirectory() !== true) return { findings: [missing(path)], isInUse: false }
  const owner = ownerFindings(path, stats)
  if (owner.length > 0) return { findings: owner, isInUse: false }
  if (existsSync(join(path, restoringFile))) return { findings: [unfinished(path)], isInUse: false }
  const isInUse = isLocked(path)
  const running = fine(isInUse ? `a server runs in ${path}` : `no server runs in ${path}`)
  const keys = [...identityFindings(path, now), ...sealedKeyFindings(path, now), ...ledgerFindings(path)]
  return { findings: [running, ...diskFindings(path, limits), ...keys], isInUse }
}

function missing(path: string): Finding {
  const next = 'name the folder of the server with --data DIR, or start a server there: sealwire serve --data DIR'
  return fault('folder_missing', `there is no data folder ${path}`, 'nothing is there, or no folder', next)
}

function unfinished(path: string): Finding {
  const next = 'wait for the end of sealwire restore; if it is gone, remove the folder and restore again'
  return fault('folder_unfinished', `${path} is not a server yet`, 'a backup is being restored there, or was not restored to its end', next)
}

function ownerFindings(path: string, { uid, mode }: Stats): readonly Finding[] {
  if (process.platform === 'win32') return []
  if (uid !== process.getuid?.()) {
    const why = `it belongs to the user with the id ${uid}, and this is ${process.getuid?.()}`
    return [
      fault('folder_of_another_user', `the data folder ${path} belongs to another user`, why, 'run this, and the server, as its owner'),
    ]
  }
  if ((mode & writableByOthers) === 0) return []
  const why = `its mode is ${modeText(mode)}: others can put keys of their own in the place of the server's`
  return [fault('folder_open', `other users can write in ${path}`, why, `run: chmod 700 ${path}`)]
}

function diskFindings(path: string, { doctorDiskFreeBytesMin, diskBytesFreeMin }: Limits): readonly Finding[] {
  const probe = join(path, probeName)
  try {
    writeDurably(probe, ' '.repeat(probeBytes), 0o600)
  } catch (reason) {
    const { code, sentence, hint = '' } = SealwireError.from(reason)
    if (code === 'storage_full')
      return [fault('disk_full', 'the disk of the data folder is full', sentence, 'free some space: until then nothing can be kept')]
    return [fault('folder_unwritable', `nothing can be written in ${path}`, sentence, hint)]
  } finally {
    rmSync(probe, { force: true })
  }
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  if (free < diskBytesFreeMin) {
    const why = `${mebibytes(free)} MiB are free, and with fewer than ${mebibytes(diskBytesFreeMin)} (diskBytesFreeMin) a server stores nothing`
    return [fault('disk_full', 'the disk of the data folder is full', why, 'free some space, or move the folder to a larger disk')]
  }
  if (free >= doctorDiskFreeBytesMin) return [fine(`the disk has ${mebibytes(free)} MiB free`)]
  const why = `${mebibytes(free)} MiB are free, fewer than ${mebibytes(doctorDiskFreeBytesMin)}`
  return [warning('the disk of the data folder is almost full', why, 'free some space, or move the folder to a larger disk')]
}

function identityFindings(path: string, now: number): readonly Finding[] {
  const folder = new IdentityFolder(path)
  if (!identityFiles.some((name) => folder.has(name))) return [fine('there are no keys yet: the first start makes them')]
  const findings: Finding[] = []
  const read = readerInto(findings)
  const [authorityKey, serverKey] = (['ca.key', 'server.key'] as const).map((name) =>
    read(() => folder.readKey(name) ?? absent(folder, name)),
  )
  const [authority] = read(() => folder.readCertificates('ca.crt')) ?? []
  const [leaf] = read(() => folder.readCertificates('server.crt')) ?? []
  if (authority !== undefined)
    findings.push(...certificateFindings(folder, 'ca.crt', authority, { key: authorityKey, issuer: authority, now }))
  if (leaf !== undefined) findings.push(...certificateFindings(folder, 'server.crt', leaf, { key: serverKey, issuer: authority, now }))
  if (leaf !== undefined && findings.length === 0) findings.push(...renewalFindings(leaf, now))
  return findings
}

/** The key of the sealed channel, and the one that takes its place, where there are any. */
function sealedKeyFindings(path: string, now: number): readonly Finding[] {
  const findings: Finding[] = []
  const pins = readerInto(findings)(() => sealedPins(path, now))
  if (pins?.next !== undefined)
    findings.push(fine(`the sealed key is being replaced, until ${timeText(pins.next.until)}, by ${pins.next.pin}`))
  return findings
}

/** What payments and receipts need. The public key of the ledger is made when there is a database. */
function ledgerFindings(path: string): readonly Finding[] {
  const findings: Finding[] = []
  readerInto(findings)(() => findLedgerKey(path))
  const database = join(path, databaseName)
  if (!existsSync(join(path, ledgerPublicFile)) || (statOf(database)?.size ?? 0) > 0) return findings
  const why = `there is nothing in ${database}, though ${ledgerPublicFile} is there`
  return [...findings, fault('database_missing', 'the database is gone', why, 'restore a backup into another folder: sealwire restore')]
}

/** The operator's own certificate: the files that were given, else what was imported. Nothing is found where there is none. */
export function examineOwnCertificate(path: string, files: OwnFiles | undefined, now: number): readonly Finding[] {
  try {
    const own = files === undefined ? readImported(new IdentityFolder(path), now) : readOwnCertificate(files, now)
    if (own === undefined) return []
    return [fine(`the operator's own certificate is sound, until ${timeText(own.chain[0].validToDate.getTime())}`)]
  } catch (reason) {
    const { code, sentence, hint = 'make it again' } = SealwireError.from(reason)
    if (code === 'internal') throw reason
    return [fault('foreign_certificate_unsound', "the operator's own certificate is of no use", sentence, hint)]
  }
}

/** Reads one file; what it is refused with becomes a finding. */
function readerInto(findings: Finding[]): <T>(read: () => T) => T | undefined {
  return (read) => {
    try {
      return read()
    } catch (reason) {
      const { code, sentence, hint = 'restore it from a backup' } = SealwireError.from(reason)
      const row = refusals.get(code)
      if (row === undefined) throw reason
      findings.push(fault(row.name, row.what, sentence, hint))
      return undefined
    }
  }
}

/** A key that is not there is made by the first start, unless something depends on it. */
function absent(folder: IdentityFolder, name: KeyFile): undefined {
  const certificate = name === 'ca.key' ? 'ca.crt' : 'server.crt'
  const dependent = name === 'ca.key' ? identityFiles.find((other) => other !== name && folder.has(other)) : certificate
  if (dependent === undefined || !folder.has(dependent)) return undefined
  throw new SealwireError('key_missing', `${folder.pathOf(name)} is missing, though ${dependent} is there`, {
    hint: 'restore it from a backup',
  })
}

interface CertificateContext {
  readonly key: KeyObject | undefined
  readonly issuer: X509Certificate | undefined
  readonly now: number
}

function certificateFindings(
  folder: IdentityFolder,
  name: CertificateFile,
  one: X509Certificate,
  { key, issuer, now }: CertificateContext,
): readonly Finding[] {
  const path = folder.pathOf(name)
  const keyName = name === 'ca.crt' ? 'ca.key' : 'server.key'
  if (key !== undefined && !one.checkPrivateKey(key)) {
    const why = `${path} was made for another key than ${keyName}`
    return [
      fault(
        'certificate_of_another_key',
        `${name} and ${keyName} do not belong together`,
        why,
        'restore both from one backup; or move the certificate away: it is made again from its key',
      ),
    ]
  }
  if (issuer !== undefined && !one.verify(issuer.publicKey)) {
    const why = `${path} was not signed by the key of ca.crt`
    return [
      fault(
        'certificate_of_another_authority',
        `${name} is of another authority`,
        why,
        `move ${path} away and start the server: it is made again`,
      ),
    ]
  }
  return timeFindings(name, one, now)
}

function timeFindings(name: CertificateFile, one: X509Certificate, now: number): readonly Finding[] {
  const [from, until] = [one.validFromDate.getTime(), one.validToDate.getTime()]
  const clock = `the clock of this machine says ${timeText(now)}`
  if (now < from) {
    const why = `${name} is good from ${timeText(from)} on, and was made here; ${clock}, ${spanText(from - now)} before that`
    return [
      fault('clock_behind', 'the clock of this machine is behind', why, 'set it right, and keep it right (NTP); then start the server'),
    ]
  }
  if (now <= until) return []
  const why = `it was good until ${timeText(until)}; ${clock}`
  const next =
    name === 'server.crt'
      ? 'restart the server: a start renews it'
      : 'move ca.crt away and start the server: it is made again from its key, and the fingerprint stays'
  return [fault('own_certificate_expired', `${name} has expired`, why, `if that clock is right, ${next}`)]
}

function renewalFindings(leaf: X509Certificate, now: number): readonly Finding[] {
  const until = timeText(leaf.validToDate.getTime())
  if (now < renewalTime(leaf)) return [fine(`keys and certificates belong together, and are good until ${until}`)]
  return [
    warning(
      'server.crt should be renewed',
      `two thirds of its life are over: it is good until ${until}`,
      'restart the server: a start renews it',
    ),
  ]
}

/** A folder without the lock's file has never had a server. */
function isLocked(path: string): boolean {
  if (!existsSync(join(path, 'lock'))) return false
  try {
    lockData(path)[Symbol.dispose]()
    return false
  } catch (reason) {
    // Whatever else keeps the lock from being taken is told by the probe of the disk.
    return SealwireError.is(reason) && reason.code === 'data_locked'
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw unusable(`cannot read ${path}`, cause)
  }
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024))
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

const writableByOthers = 0o022
const probeName = 'doctor-probe'
const probeBytes = 64 * 1024
const refusals: ReadonlyMap<string, { readonly name: FaultName; readonly what: string }> = new Map([
  ['key_missing', { name: 'key_missing', what: 'a key is missing' }],
  ['key_unsafe', { name: 'key_unsafe', what: 'a key is open to others' }],
  ['key_malformed', { name: 'key_malformed', what: 'a key cannot be read' }],
  ['certificate_invalid', { name: 'certificate_unreadable', what: 'a certificate cannot be read' }],
  ['data_unusable', { name: 'folder_unwritable', what: 'a file of the identity cannot be read' }],
])
