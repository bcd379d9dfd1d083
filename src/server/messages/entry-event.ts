// From an entry as it is stored to what the wire says of it. An entry that goes to many is encoded once: the event that
// brings it is the same for everybody but for the number in front, and is spliced together for each.

import { decodeCbor, encodeCbor, type Entry } from '../../protocol/contract/index.ts'
import type { StoredEntry } from '../../store/index.ts'

/** What else is said of an entry, as it is stored beside the body. */
export type EntryData = Pick<
  Partial<Entry>,
  'replyTo' | 'mentions' | 'emoji' | 'on' | 'what' | 'about' | 'role' | 'title' | 'topic' | 'announcement' | 'file'
>

/** The entry as events and pages carry it; its keys in the order in which they are written, which is quicker. */
export function wireEntry(stored: StoredEntry): Entry {
  const { conversationId, seq, kind, id, author, device, at, type, body, target, data, editedAt, deletedAt } = stored
  return {
    at: Number(at),
    id,
    seq: Number(seq),
    body,
    from: author,
    kind,
    type,
    device,
    edited: editedAt === undefined ? undefined : Number(editedAt),
    target: target === undefined ? undefined : Number(target),
    deleted: deletedAt === undefined ? undefined : true,
    conversation: Number(conversationId),
    ...(data === undefined ? undefined : (decodeCbor(data) as EntryData)),
  }
}

/** The CBOR of an entry. */
export function encodeEntry(stored: StoredEntry): Uint8Array {
  return encodeCbor(wireEntry(stored))
}

/** The CBOR of what is said of an entry beside its body; `undefined` when nothing is. */
export function encodeData(data: EntryData): Uint8Array | undefined {
  const bytes = encodeCbor(data)
  return bytes.length > 1 ? bytes : undefined
}

/** Body of the event `inbox.entry` up to the entry itself; valid until the next call. */
export function inboxEventHead(seq: bigint): Uint8Array {
  let end = writeUnsigned(Number(seq), headFirst.length)
  scratch.set(headLast, end)
  end += headLast.length
  return scratch.subarray(0, end)
}

/** RFC 8949 §3.1: the shortest form. Returns where it ends. */
function writeUnsigned(value: number, at: number): number {
  if (value < 24) return scratch.writeUInt8(value, at)
  if (value <= 0xff) return scratch.writeUInt8(value, scratch.writeUInt8(0x18, at))
  if (value <= 0xffff) return scratch.writeUInt16BE(value, scratch.writeUInt8(0x19, at))
  if (value <= 0xffff_ffff) return scratch.writeUInt32BE(value, scratch.writeUInt8(0x1a, at))
  return scratch.writeBigUInt64BE(BigInt(value), scratch.writeUInt8(0x1b, at))
}

/** `["inbox.entry", {"seq": …, "entry": …}]`, with the keys in the order of RFC 8949 §4.2.3. */
const headFirst = Buffer.concat([Buffer.of(0x82, 0x6b), Buffer.from('inbox.entry'), Buffer.of(0xa2, 0x63), Buffer.from('seq')])
const headLast = Buffer.concat([Buffer.of(0x65), Buffer.from('entry')])
/** Of the longest one. */
export const inboxEventHeadBytesMax = headFirst.length + 9 + headLast.length
const scratch = Buffer.alloc(inboxEventHeadBytesMax)
scratch.set(headFirst)
