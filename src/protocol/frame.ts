// The frame, byte for byte the seed chat's (framing.md):
//
//   "MAGC" | command u8 | body length u16 BE | body | CRC-32 u32 BE over everything before it
//
// Encoding writes straight into the sink it is given, normally a link's output buffer, so nothing is copied twice.

import { type Checksum, crc32 } from './crc32.ts'
import { assert } from './errors.ts'

/** Magic, command and length. */
export const frameHeaderBytes = 7
/** The checksum. */
export const frameTrailerBytes = 4
/** What a frame costs beside its body. */
export const frameOverheadBytes = frameHeaderBytes + frameTrailerBytes
/** The most a u16 length can say. */
export const frameBodyBytesLimit = 0xffff

/** A decoded frame. `body` is a view that is valid until the decoder is asked for the next packet. */
export interface Packet {
  readonly command: number
  readonly body: Uint8Array
}

/** Where frames are written: grows by `reserve` and shows its memory as `bytes`. */
export interface FrameSink {
  /** The memory behind the sink. It may be another array after each `reserve`. */
  readonly bytes: Uint8Array
  /** Makes room for `count` more bytes, counts them as written, and returns where they start. */
  reserve(count: number): number
}

const nothing = new Uint8Array(0)

/**
 * Writes one frame into `sink`. The body is `prefix` followed by `body`, at most 65,535 bytes together; the caller
 * has checked that.
 */
export function writeFrame(
  sink: FrameSink,
  command: number,
  body: Uint8Array,
  prefix: Uint8Array = nothing,
  checksum: Checksum = crc32,
): void {
  const bodyBytes = prefix.length + body.length
  assert(bodyBytes <= frameBodyBytesLimit, 'a body that no length can say')
  const start = sink.reserve(frameOverheadBytes + bodyBytes)
  const bytes = sink.bytes
  if (prefix.length > 0) bytes.set(prefix, start + frameHeaderBytes)
  if (body.length > 0) bytes.set(body, start + frameHeaderBytes + prefix.length)
  sealFrame(bytes, start, command, bodyBytes, checksum)
}

/** Writes header and checksum of the frame that begins at `start`, around its body, which is in its place. */
export function sealFrame(bytes: Uint8Array, start: number, command: number, bodyBytes: number, checksum: Checksum = crc32): void {
  writeHeader(bytes, start, command, bodyBytes)
  const end = start + frameHeaderBytes + bodyBytes
  writeTrailer(bytes, end, checksum(bytes, start, end))
}

/** One frame in an array of its own. */
export function encodeFrame(command: number, body: Uint8Array = nothing): Uint8Array {
  const bytes = new Uint8Array(frameOverheadBytes + body.length)
  writeFrame({ bytes, reserve: () => 0 }, command, body)
  return bytes
}

function writeHeader(bytes: Uint8Array, start: number, command: number, bodyBytes: number): void {
  bytes[start] = 0x4d
  bytes[start + 1] = 0x41
  bytes[start + 2] = 0x47
  bytes[start + 3] = 0x43
  bytes[start + 4] = command
  bytes[start + 5] = bodyBytes >>> 8
  bytes[start + 6] = bodyBytes & 0xff
}

function writeTrailer(bytes: Uint8Array, at: number, crc: number): void {
  bytes[at] = crc >>> 24
  bytes[at + 1] = (crc >>> 16) & 0xff
  bytes[at + 2] = (crc >>> 8) & 0xff
  bytes[at + 3] = crc & 0xff
}
