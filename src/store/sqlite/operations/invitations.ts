// Invitations. A voided one is deleted; an expired one is kept for a while, so that its bearer learns what is wrong with it.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Input, InvitationState, InvitationUse, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer } from '../statement.ts'
import type { StepsOf } from './step.ts'

export const invitationSteps: StepsOf<'invitation'> = {
  'invitation.create': { kind: 'write', run: createInvitation },
  'invitation.check': { kind: 'read', run: checkInvitation },
}

/**
 * Takes one use of an invitation.
 * @throws {SealwireError} `invitation_invalid`, `invitation_used`, `invitation_expired`.
 */
export function takeInvitation(database: Database, invitation: InvitationUse): void {
  const state = checkInvitation(database, invitation)
  if (state !== 'good') throw refusals[state]()
  database.prepare('update invitation set used = used + 1 where hash = :hash').run({ hash: invitation.hash })
}

function createInvitation(database: Database, invitation: Input<'invitation.create'>, limits: StoreLimits): undefined {
  const { hash, uses, expiresAt, createdAt, printed } = invitation
  if (printed) database.prepare('delete from invitation where printed = 1 and used = 0').run({})
  forgetInvitations(database, createdAt, limits)
  database
    .prepare(
      `insert into invitation (hash, uses, expires_at, created_at, printed)
       values (:hash, :uses, :expiresAt, :createdAt, :printed) on conflict (hash) do nothing`,
    )
    .run({ hash, uses, expiresAt, createdAt, printed: printed ? 1n : 0n })
}

/** Deletes what expired long ago, and further expired ones where one more needs their room. */
function forgetInvitations(database: Database, at: bigint, { invitationMemoryMs, invitationsMax }: StoreLimits): void {
  database.prepare('delete from invitation where expires_at < :oldest').run({ oldest: at - BigInt(invitationMemoryMs) })
  const row = database.prepare('select count(*) as size from invitation').row({})
  const excess = integer(row ?? {}, 'size') - BigInt(invitationsMax) + 1n
  if (excess <= 0n) return
  const forgotten = database
    .prepare(
      `delete from invitation where hash in
       (select hash from invitation where expires_at <= :at order by expires_at limit :excess)`,
    )
    .run({ at, excess })
  if (forgotten < excess) throw new SealwireError('busy', 'there are too many invitations', { hint: 'wait until some have expired' })
}

function checkInvitation(database: Database, { hash, at }: InvitationUse): InvitationState {
  const row = database.prepare('select uses, used, expires_at from invitation where hash = :hash').row({ hash })
  if (row === undefined) return 'unknown'
  if (integer(row, 'used') >= integer(row, 'uses')) return 'used'
  return at < integer(row, 'expires_at') ? 'good' : 'expired'
}

const hint = 'ask for a new invitation'

const refusals: Readonly<Record<Exclude<InvitationState, 'good'>, () => SealwireError>> = {
  unknown: () => new SealwireError('invitation_invalid', 'this server knows no such invitation', { hint }),
  used: () => new SealwireError('invitation_used', 'the invitation has been used', { hint }),
  expired: () => new SealwireError('invitation_expired', 'the invitation has expired', { hint }),
}
