// The form of a backup, of which nothing is ours: a tar archive (modern-tar) in an age file with a passphrase (age-encryption), so that
// `age -d FILE | tar x` reads it without Sealwire. Both work piece by piece: nothing is ever in memory as a whole.

import { Decrypter, Encrypter } from 'age-encryption'
import { createTarDecoder, createTarPacker, type TarPackController } from 'modern-tar'
import { SealwireError } from '../../protocol/errors.ts'
import { modeOf, notOurs } from './archive-names.ts'

/** A file of an archive that is written. */
export interface ArchiveEntry {
  readonly name: string
  /** Bytes that `body` has. */
  readonly size: number
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** A file of an archive that is read; the next one comes when `body` was read to its end. */
export interface ReadEntry {
  readonly name: string
  readonly size: number
  readonly isFile: boolean
  readonly body: ReadableStream<Uint8Array>
}

/** The archive of these files, as made at the time `at` (ms since 1970). An error of one of them is the stream's. */
export function packArchive(entries: AsyncIterable<ArchiveEntry>, at: number): ReadableStream<Uint8Array> {
  const { readable, controller } = createTarPacker()
  void pack(entries, at, controller).then(
    () => controller.finalize(),
    (reason: unknown) => controller.error(reason),
  )
  return readable
}

/** How many bytes such an archive has. */
export function archiveBytes(sizes: readonly number[]): number {
  const padded = (size: number): number => Math.ceil(size / blockBytes) * blockBytes
  const heads = sizes.reduce((sum, size) => sum + blockBytes + (size > sizeMax ? 2 * blockBytes : 0), 0)
  return sizes.reduce((sum, size) => sum + padded(size), heads) + 2 * blockBytes
}

/** Encrypts with a passphrase: scrypt with 2^18, then ChaCha20-Poly1305 in pieces of 64 KiB. */
export async function encrypt(archive: ReadableStream<Uint8Array>, passphrase: string): Promise<ReadableStream<Uint8Array>> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  return encrypter.encrypt(archive)
}

/** An archive that is decrypted while it is read; how long it is where that of the file says so. */
export interface Decrypted {
  readonly archive: ReadableStream<Uint8Array>
  /** Bytes of the archive in a file of so many bytes; `undefined` when no whole file is so long. */
  readonly bytesIn: (fileBytes: number) => number | undefined
}

/**
 * Begins to decrypt.
 * @throws {SealwireError} `backup_invalid` for another passphrase, and for what is damaged in front; what the source throws.
 */
export async function decrypt(file: ReadableStream<Uint8Array>, passphrase: string): Promise<Decrypted> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  const whole = await checkBeginning(file)
  try {
    const archive = await decrypter.decrypt(whole)
    return { archive, bytesIn: (fileBytes) => sizeOf(archive, fileBytes) }
  } catch (cause) {
    if (SealwireError.is(cause)) throw cause
    // That its head was changed cannot be told from another passphrase: both leave it without a key.
    throw new SealwireError('backup_invalid', 'the backup cannot be decrypted: the passphrase is another one, or its head is damaged', {
      cause,
      hint: 'check the passphrase',
    })
  }
}

/** The files of an archive, one after the other. @throws {SealwireError} `backup_invalid` when it is damaged or cut short. */
export async function* readArchive(archive: ReadableStream<Uint8Array>): AsyncGenerator<ReadEntry, void, undefined> {
  try {
    for await (const { header, body } of archive.pipeThrough(createTarDecoder({ strict: true }))) {
      const { name, size, type = 'file' } = header
      yield { name, size, isFile: type === 'file', body }
    }
  } catch (reason) {
    throw damagedOr(reason)
  }
}

/** What reading an archive throws: our own errors as they are, everything else means that it is damaged. */
export function damagedOr(reason: unknown): SealwireError {
  if (SealwireError.is(reason)) return reason
  return new SealwireError('backup_invalid', 'the backup is damaged or cut short: what follows cannot be decrypted', {
    cause: reason,
    hint: 'take another copy of it',
  })
}

/** The same bytes again. @throws {SealwireError} `backup_invalid` unless they begin as those of an age file do. */
async function checkBeginning(file: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> {
  const reader = file.getReader()
  const { value: first = new Uint8Array() } = await reader.read()
  if (!Buffer.from(first).subarray(0, ageBeginning.length).equals(ageBeginning)) {
    await reader.cancel()
    throw new SealwireError('backup_invalid', 'this is no backup: it is no age file', {
      hint: 'name a file that sealwire backup has written',
    })
  }
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(first),
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

async function pack(entries: AsyncIterable<ArchiveEntry>, at: number, controller: TarPackController): Promise<void> {
  for await (const { name, size, body } of entries) {
    const stream = controller.add({ name, size, mode: modeOf(name), mtime: new Date(at), uid: 0, gid: 0, uname: 'root', gname: 'root' })
    const writer = stream.getWriter()
    for await (const piece of body) await writer.write(piece)
    await writer.close()
  }
}

function sizeOf(archive: { size(fileBytes: number): number }, fileBytes: number): number | undefined {
  try {
    return archive.size(fileBytes)
  } catch {
    return undefined
  }
}

/** All of a small file. @throws {SealwireError} `backup_invalid` when it is longer than `max`, or damaged. */
export async function readSmall({ size, body }: ReadEntry, max: number): Promise<Uint8Array> {
  if (size > max) throw notOurs()
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

const ageBeginning = Buffer.from('age-encryption.org/v1\n')
/** Of a tar archive. */
const blockBytes = 512
/** The longest file whose size stands in its own head. */
const sizeMax = 0o77777777777
