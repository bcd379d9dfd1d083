// Pages: as much of a list as one frame holds.

import { frameBodyBytesLimit } from '../../protocol/index.ts'

/** The envelope of a result and what a page says beside its list, at most. */
const envelopeBytes = 128
/** What the entries of a page may take together. */
export const pageBytesMax = frameBodyBytesLimit - envelopeBytes

/** How many of the first items fit together, at least one. */
export function fitting<T>(items: readonly T[], bytesOf: (item: T) => number): number {
  let bytes = 0
  const at = items.findIndex((item, index) => {
    bytes += bytesOf(item)
    return bytes > pageBytesMax && index > 0
  })
  return at < 0 ? items.length : at
}
