// What devices of tests say on direct links, and answer; also on Node.

import type { PeerAnswers } from '../../src/client/direct/peer-link.ts'
import type { PeerParams } from '../../src/protocol/direct/index.ts'

export const token = Uint8Array.from({ length: 16 }, (_, at) => at)

/** What a device says that has nothing to say. */
export const someAnswers: PeerAnswers = {
  'direct.say': async () => ({}),
  'direct.pay': async () => ({ state: 'held' }),
  'direct.file': async ({ length }) => ({ data: new Uint8Array(length) }),
}

export function someMessage(text: string, id = 1): PeerParams<'direct.say'> {
  return { conversation: 7, id: new Uint8Array(16).fill(id), body: Buffer.from(text), at: 1_790_000_000_000, behind: { seq: 0 } }
}
