import type { StoredEntry } from '../../src/store/index.ts'

/** A message with a body of so many bytes. */
export function storedMessage(bodyBytes: number): StoredEntry {
  const [target, data, editedAt, deletedAt] = [undefined, undefined, undefined, undefined]
  const body = Uint8Array.from({ length: bodyBytes }, (_, index) => index % 251)
  const who = { authorId: 4n, author: 'alice', device: 'device1' }
  const what = { kind: 'message', id: new Uint8Array(16).fill(1), type: 'text/plain', body } as const
  return { conversationId: 7n, seq: 3n, at: 1_790_000_000_000n, ...who, ...what, target, data, editedAt, deletedAt }
}
