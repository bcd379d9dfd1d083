// Who may do what in a conversation. In a direct one both may do the same. In a room the owner may everything, moderators keep
// order, and in an announcement room only these two speak. That one is in the conversation at all was asked before.

import type { Entry } from '../protocol/contract/entry.ts'

/** What somebody may do in a room. */
export type Role = NonNullable<Entry['role']>

/** What can be said, or done to what was said. */
export type Deed = 'message' | 'edit' | 'delete' | 'reaction' | 'pin'

/** A conversation, and what the account is there. */
export interface Standing {
  readonly kind: 'direct' | 'room'
  /** Of a room: only owner and moderators speak. */
  readonly announcement: boolean
  readonly role: Role
}

/** `isOwn`: whether the account is the author of what it is about. */
export function mayPost(standing: Standing, deed: Deed, isOwn: boolean): boolean {
  const keepsOrder = standing.kind === 'room' && mayManage(standing.role)
  switch (deed) {
    case 'message':
      return maySpeak(standing)
    case 'edit':
      return isOwn && maySpeak(standing)
    case 'delete':
      return isOwn || keepsOrder
    case 'reaction':
      return true
    case 'pin':
      return standing.kind === 'direct' || keepsOrder
  }
}

/** How long what is said stays. */
export function mayRetain({ kind, role }: Pick<Standing, 'kind' | 'role'>): boolean {
  return kind === 'direct' || role === 'owner'
}

/** Title, topic and the like of a room, invitations, and its link. */
export function mayManage(role: Role): boolean {
  return role !== 'member'
}

/** Of a member of a room, or an invitation: the owner any but another owner, moderators those who are only members. */
export function mayRemove(role: Role, other: Role): boolean {
  return role === 'owner' ? other !== 'owner' : role === 'moderator' && other === 'member'
}

/** Roles in a room. */
export function mayGiveRole(role: Role): boolean {
  return role === 'owner'
}

function maySpeak({ kind, announcement, role }: Standing): boolean {
  return kind === 'direct' || !announcement || mayManage(role)
}
