// Consent: whether two accounts talk is the state of their one conversation.
//
//   (none) | declined ──request──▶ requested ──answer──▶ accepted | declined
//                                  requested ──request of the other one──▶ accepted
//               accepted ──remove──▶ declined, as if the other one had asked
//                                  requested ──remove of who asked──▶ declined
//
// Everything is harmless twice, also under another id: who asks or answers again is told what is true. A request to who blocks
// the account is stored like any other, but the one who blocks does not see it as long as they do.

import { SealwireError } from '../../../protocol/errors.ts'
import { limitTable } from '../../../protocol/limits.ts'
import type { ContactRow, Posted } from '../../delivery.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'
import { type Change, isBlocked, postChange, repeatedChange, says, sizeIn, unchanged } from './change.ts'
import { type Direct, findDirect, type Pair, setDirect } from './direct.ts'
import { contactsFull, deleteContact, insertContact } from './people.ts'
import type { Repetition } from './post.ts'
import { requireMaySay, saidBytes } from './said-bytes.ts'
import type { Steps } from './step.ts'

export const contactSteps: Pick<Steps, 'contact.request' | 'contact.answer' | 'contact.remove' | 'contact.page'> = {
  'contact.request': { kind: 'write', run: requestContact },
  'contact.answer': { kind: 'write', run: answerContact },
  'contact.remove': { kind: 'write', run: removeContact },
  'contact.page': { kind: 'read', run: readContacts },
}

function requestContact(database: Database, input: Input<'contact.request'>, limits: StoreLimits): Output<'contact.request'> {
  const { accountId, peerId, at, text: body } = input
  if (accountId === peerId) throw new SealwireError('is_self', 'this is the account itself')
  const direct = findDirect(database, [accountId, peerId])
  const accepted = direct?.state === 'accepted'
  const repeated = repeatedChange(database, input, (before) => isThisRequest(before, direct, body))
  if (repeated !== undefined) return { ...repeated, accepted }
  if (direct?.state === 'accepted' || (direct?.state === 'requested' && direct.byId === accountId)) {
    return { ...unchanged(direct.id, direct.lastSeq, direct.stateAt), accepted }
  }
  if (direct?.state === 'requested') return { ...accept(database, input, direct, body, limits), accepted: true }
  requireMayAsk(database, input, direct, limits)
  const conversationId = setDirect(database, [accountId, peerId], { state: 'requested', byId: accountId, stateAt: at }, direct)
  return { ...say(database, { ...input, conversationId }, 'requested', body, limits), accepted: false }
}

function isThisRequest(before: Repetition, direct: Direct | undefined, body: Uint8Array | undefined): boolean {
  if (before.kind !== 'contact' || before.posted.conversationId !== direct?.id) return false
  return says(before, { what: 'requested' }, body) || says(before, { what: 'accepted' }, body)
}

function requireMayAsk(
  database: Database,
  { accountId, at, text: body }: Input<'contact.request'>,
  direct: Direct | undefined,
  limits: StoreLimits,
): void {
  requireMaySay(saidBytes(database, accountId), BigInt(body?.length ?? 0), limits)
  if (direct?.state === 'declined' && direct.byId === accountId && at < direct.stateAt + declinedMs) {
    throw new SealwireError('busy', 'less than a day ago they have declined or ended it, or it was taken back', {
      hint: 'ask again a day later',
    })
  }
  // What was taken back, or declined, counts for a day: nobody writes so to one stranger after the other.
  const open = database.prepare(
    `select (select count(*) from conversation where by_id = :accountId and state = 'requested')
       + (select count(*) from conversation where by_id = :accountId and state = 'declined' and state_at > :since) as size`,
  )
  if (sizeIn(open.row({ accountId, since: at - declinedMs })) < BigInt(limits.contactRequestsMax)) return
  throw new SealwireError('busy', 'too many requests are open', { hint: 'wait until some are accepted, or a day after others have ended' })
}

function answerContact(database: Database, input: Input<'contact.answer'>, limits: StoreLimits): Posted {
  const { accountId, peerId, at, accept: isAccepted } = input
  const what = isAccepted ? 'accepted' : 'declined'
  const direct = findDirect(database, [accountId, peerId])
  const repeated = repeatedChange(
    database,
    input,
    (before) => before.kind === 'contact' && before.posted.conversationId === direct?.id && says(before, { what }),
  )
  if (repeated !== undefined) return repeated
  if (direct === undefined || !isAskedBy(database, input, direct)) throw new SealwireError('no_request', 'they have not asked')
  if (direct.state === what) return unchanged(direct.id, direct.lastSeq, direct.stateAt)
  if (isAccepted) return accept(database, input, direct, undefined, limits)
  setDirect(database, [accountId, peerId], { state: 'declined', byId: peerId, stateAt: at }, direct)
  return say(database, { ...input, conversationId: direct.id }, 'declined', undefined, limits)
}

/** Whether there is something to answer, or the same answer was given already. */
function isAskedBy(
  database: Database,
  { accountId, peerId, accept: isAccepted }: Input<'contact.answer'>,
  { state, byId }: Direct,
): boolean {
  if (state === 'accepted') return isAccepted
  if (byId !== peerId) return false
  if (state === 'declined') return !isAccepted
  return state === 'requested' && !isBlocked(database, { by: accountId, accountId: peerId })
}

function accept(
  database: Database,
  change: Omit<Change, 'conversationId'> & { readonly peerId: bigint },
  direct: Direct,
  body: Uint8Array | undefined,
  limits: StoreLimits,
): Posted {
  const pair: Pair = [change.accountId, change.peerId]
  if (pair.some((id) => contactsFull(database, id, limits))) throw new SealwireError('busy', 'one of both has too many contacts')
  setDirect(database, pair, { state: 'accepted', byId: direct.byId, stateAt: change.at }, direct)
  insertContact(database, pair, change.at)
  return say(database, { ...change, conversationId: direct.id }, 'accepted', body, limits)
}

/** Who is removed, and who takes back what they asked, is then as somebody who was declined: asking and taking back is no way to talk. */
function removeContact(database: Database, input: Input<'contact.remove'>, limits: StoreLimits): Posted {
  const { accountId, peerId, at } = input
  const pair: Pair = [accountId, peerId]
  const direct = findDirect(database, pair)
  const repeated = repeatedChange(database, input, (before) => isEnd(before, direct))
  if (repeated !== undefined) return repeated
  if (direct?.state === 'declined') return unchanged(direct.id, direct.lastSeq, direct.stateAt)
  const isContact = direct?.state === 'accepted'
  if (direct === undefined || !(isContact || (direct.state === 'requested' && direct.byId === accountId))) {
    throw new SealwireError('not_contact', 'they are no contact', { hint: 'decline what they ask, block who is none' })
  }
  if (isContact) deleteContact(database, pair)
  setDirect(database, pair, { state: 'declined', byId: isContact ? peerId : accountId, stateAt: at }, direct)
  return say(database, { ...input, conversationId: direct.id }, isContact ? 'removed' : 'withdrawn', undefined, limits)
}

function isEnd(before: Repetition, direct: Direct | undefined): boolean {
  if (before.kind !== 'contact' || before.posted.conversationId !== direct?.id) return false
  return says(before, { what: 'removed' }) || says(before, { what: 'withdrawn' })
}

/** Where the other one blocks the account, it is for the account alone. */
function say(
  database: Database,
  change: Change & { readonly peerId: bigint },
  what: 'requested' | 'accepted' | 'declined' | 'removed' | 'withdrawn',
  body: Uint8Array | undefined,
  limits: StoreLimits,
): Posted {
  const { accountId, peerId } = change
  const hiddenFrom = isBlocked(database, { by: peerId, accountId }) ? peerId : undefined
  const type = body === undefined ? undefined : 'text/plain'
  return postChange(database, change, { kind: 'contact', type, body, said: { what }, hiddenFrom }, limits)
}

function readContacts(database: Database, { accountId, after, max }: Input<'contact.page'>): readonly ContactRow[] {
  const statement = database.prepare(
    `select peer.id, key, name, direct.id as conversation_id, state, by_id, state_at
     from (select id, high as peer_id, state, by_id, state_at from conversation where low = :accountId
           union all select id, low, state, by_id, state_at from conversation where high = :accountId) as direct
     join account as peer on peer.id = direct.peer_id
     where key > :after
       and (state = 'accepted' or state = 'requested' and (by_id = :accountId or not exists
         (select 1 from block where block.account_id = :accountId and blocked_id = by_id)))
     order by key limit :max`,
  )
  return statement.rows({ accountId, after, max }).map((row) => contactOf(row, accountId))
}

function contactOf(row: Row, accountId: bigint): ContactRow {
  const asked = integer(row, 'by_id') === accountId ? 'asked' : 'asking'
  return {
    account: { id: integer(row, 'id'), key: text(row, 'key'), name: text(row, 'name') },
    state: text(row, 'state') === 'accepted' ? 'accepted' : asked,
    conversationId: integer(row, 'conversation_id'),
    since: integer(row, 'state_at'),
  }
}

/** How long a declined request stands: a day. */
const declinedMs = BigInt(limitTable.contactDeclinedMs.value)
