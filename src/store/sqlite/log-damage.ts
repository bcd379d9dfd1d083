// Whether the write-ahead log was damaged where it was already durable. SQLite reads it up to the first frame whose checksum is
// wrong and takes that for the end: right after a power cut, which leaves at most the last transaction in pieces, but one bad bit
// in the middle would silently undo every commit behind it. So before the log is opened it is read once. A transaction is
// written only after the one before it is durable; frames of this log that come behind the commits of two transactions which
// do not count any more were durable once, and something has happened to them. (Two, because the pieces that an earlier power cut
// has left may be one.) Form of the log: https://sqlite.org/fileformat2.html#walformat

import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { SealwireError } from '../../protocol/errors.ts'

/**
 * No connection may be open meanwhile. Throws what the file system throws.
 * @throws {SealwireError} `data_unusable` when commits that were durable cannot be read any more.
 */
export function requireWholeLog(databasePath: string): void {
  const path = `${databasePath}-wal`
  if (!existsSync(path)) return
  const descriptor = openSync(path, 'r')
  try {
    if (isWhole(descriptor)) return
  } finally {
    closeSync(descriptor)
  }
  throw damagedLog(
    databasePath,
    `check the disk, and restore the data folder from a copy; or go on with what can be read of it: sqlite3 ${databasePath} 'pragma wal_checkpoint(truncate)'`,
  )
}

/** The refusal of a log in which something durable cannot be read any more. */
export function damagedLog(databasePath: string, hint: string): SealwireError {
  return new SealwireError('data_unusable', `the log ${databasePath}-wal is damaged: what was stored last cannot be read`, { hint })
}

/**
 * How many bytes of a log are whole transactions. Nobody may write to it meanwhile; what is behind them is of no transaction, or of
 * one that has not ended. Throws what the file system throws.
 */
export function committedBytes(descriptor: number): number {
  const header = new DataView(new ArrayBuffer(headerBytes))
  let sums = fill(descriptor, header, 0) ? sumsOfHeader(header) : undefined
  if (sums === undefined) return 0
  const frame = new DataView(new ArrayBuffer(frameHeaderBytes + header.getUint32(8)))
  const [isLittle, salts] = [header.getUint32(0) === magicLittle, saltsOf(header, 16)]
  let bytes = 0
  for (let at = headerBytes; sums !== undefined && fill(descriptor, frame, at); at += frame.byteLength) {
    sums = saltsOf(frame, 8) === salts ? sumsOfFrame(frame, sums, isLittle) : undefined
    if (sums !== undefined && frame.getUint32(4) !== 0) bytes = at + frame.byteLength
  }
  return bytes
}

function isWhole(descriptor: number): boolean {
  const header = new DataView(new ArrayBuffer(headerBytes))
  if (!fill(descriptor, header, 0)) return true
  let sums = sumsOfHeader(header)
  const pageBytes = sums === undefined ? pageBytesUsual : header.getUint32(8)
  const frame = new DataView(new ArrayBuffer(frameHeaderBytes + pageBytes))
  const isLittle = header.getUint32(0) === magicLittle
  let salts = sums && saltsOf(header, 16)
  let commits = 0
  for (let at = headerBytes; fill(descriptor, frame, at); at += frame.byteLength) {
    salts ??= saltsOf(frame, 8)
    const isOurs = salts === saltsOf(frame, 8)
    sums &&= isOurs ? sumsOfFrame(frame, sums, isLittle) : undefined
    if (sums !== undefined || !isOurs) continue
    if (commits === 2) return false
    if (frame.getUint32(4) !== 0) commits++
  }
  return true
}

type Sums = readonly [number, number]

/** Undefined when they are not what the header says. */
function sumsOfHeader(header: DataView): Sums | undefined {
  const magic = header.getUint32(0)
  if (magic !== magicLittle && magic !== magicBig) return undefined
  return checked(header, 24, sum(header, 0, 24, [0, 0], magic === magicLittle))
}

/** Of everything up to this frame; undefined when they are not what it says. */
function sumsOfFrame(frame: DataView, before: Sums, isLittle: boolean): Sums | undefined {
  const number = sum(frame, 0, 8, before, isLittle)
  return checked(frame, 16, sum(frame, frameHeaderBytes, frame.byteLength, number, isLittle))
}

function checked(view: DataView, at: number, sums: Sums): Sums | undefined {
  return view.getUint32(at) === sums[0] && view.getUint32(at + 4) === sums[1] ? sums : undefined
}

function sum(view: DataView, from: number, to: number, [first, second]: Sums, isLittle: boolean): Sums {
  let [one, two] = [first, second]
  for (let at = from; at < to; at += 8) {
    one = (one + view.getUint32(at, isLittle) + two) >>> 0
    two = (two + view.getUint32(at + 4, isLittle) + one) >>> 0
  }
  return [one, two]
}

/** They tell frames of this log from those of one that was before it in the file. */
function saltsOf(view: DataView, at: number): bigint {
  return view.getBigUint64(at)
}

/** False at the end of the file. */
function fill(descriptor: number, view: DataView, position: number): boolean {
  let length = 0
  for (let read = -1; read !== 0 && length < view.byteLength; length += read) {
    read = readSync(descriptor, view, length, view.byteLength - length, position + length)
  }
  return length === view.byteLength
}

const headerBytes = 32
const frameHeaderBytes = 24
/** Of a log whose header cannot be read: that of every database here. */
const pageBytesUsual = 4_096
const magicLittle = 0x377f0682
const magicBig = 0x377f0683
