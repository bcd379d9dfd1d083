// What programs of a home were told over direct links, and have shown, while the server did not have it yet. It comes through the
// server to whichever of them is next, which does not show it again.

import { messageKey } from '../../client/direct/heard.ts'
import { isSameWords, type Words } from '../../client/direct/words.ts'
import { FileHeard } from '../../client/home/heard-files.ts'
import type { Home } from '../../client/home/home.ts'
import { anyIdBytes } from '../../client/outbox/message-id.ts'
import { systemClock } from '../../domain/clock.ts'
import type { Entry } from '../../protocol/contract/index.ts'
import { resolveLimits } from '../../protocol/limits.ts'

/** An entry as the server brings it, or as programs read it. */
type Identified = Pick<Entry, 'conversation' | 'from'> & Words & { readonly id: Uint8Array | string }

/**
 * Whether an earlier program of this home has shown something: what is known now, before this one takes anything from its inbox.
 * @throws {SealwireError} `data_unusable`.
 */
export async function shownEarlier(home: Home, name: string): Promise<(entry: Identified) => boolean> {
  const heard = await new FileHeard(home, { name, clock: systemClock, limits: resolveLimits() }).load()
  const hashes = new Map(heard.map(({ key, hash }) => [key, hash]))
  return (entry) => {
    if (hashes.size === 0) return false
    const hash = hashes.get(messageKey({ ...entry, id: typeof entry.id === 'string' ? anyIdBytes(entry.id) : entry.id }))
    return hash !== undefined && isSameWords(entry, hash)
  }
}
