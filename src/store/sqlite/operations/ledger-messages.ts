// Messages that go with a change of money: stored in the same step, so that there is both or neither. To whom has not agreed to
// talk there is no message, and the money moves all the same. Nor is there one without room for it where an order is settled that
// stands already: nobody keeps the other side from that by letting their inbox fill up.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Posted } from '../../delivery.ts'
import type { LedgerMessage } from '../../ledger.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { post, repeatedPost, sizeOf } from './post.ts'
import { findStanding, hasRoomFor, requireRoomFor } from './standing.ts'

/** Who says it, on which device, when; `settles`: of an order that stands, so that it is left out where there is no room. */
export interface Author {
  readonly authorId: bigint
  readonly device?: string | undefined
  readonly at: bigint
  readonly settles?: boolean
}

/** Answers those that were stored. @throws {SealwireError} `conflict` when an id is used, `quota_exceeded`. */
export function postMessages(
  database: Database,
  author: Author,
  messages: readonly LedgerMessage[],
  limits: StoreLimits,
): readonly Posted[] {
  return messages.map((message) => postMessage(database, author, message, limits)).filter((posted) => posted !== undefined)
}

function postMessage(database: Database, author: Author, message: LedgerMessage, limits: StoreLimits): Posted | undefined {
  const { authorId, device, at, settles = false } = author
  const { peerId, id, type, body, data } = message
  const standing = findStanding(database, authorId, { peerId, device })
  if (standing?.isAccepted !== true) return undefined
  if (repeatedPost(database, authorId, id) !== undefined) throw new SealwireError('conflict', 'the id stands for a message')
  if (settles && !hasRoomFor(sizeOf(message), standing, limits)) return undefined
  requireRoomFor(sizeOf(message), standing, limits)
  const { conversationId, blockerId: hiddenFrom } = standing
  return post(database, { conversationId, authorId, id, kind: 'message', device, at, type, body, data, hiddenFrom }, limits, standing)
}
