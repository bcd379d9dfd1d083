import type { StoredEntry } from './delivery.ts'

/** What an entry takes on the wire beside body, type, author and data: keys, numbers, id and device. At most. */
const entryFrameBytes = 256

/** An upper bound of what an entry takes on the wire. */
export function entryBytesOf({ author, type = '', body, data }: StoredEntry): number {
  return entryFrameBytes + author.length * 3 + type.length + (body?.length ?? 0) + (data?.length ?? 0)
}
