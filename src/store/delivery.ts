// What the store keeps of conversations: entries in the one order of each conversation, who is in it, and the inbox of every
// account, which is what its devices have still to store. The rules of operations are those of store.ts.
//
// An account has one inbox with one sequence without gaps; each of its devices has a place in it. An entry leaves the inbox when
// every device has acknowledged it, after `inboxTtlMs`, or when `inboxEntriesMax` newer ones wait: a device that was away for
// longer is told so and reads history. Undelivered is what no device of the account has acknowledged.

import type { Deed, Role } from '../domain/permissions.ts'
import type { Entry } from '../protocol/contract/entry.ts'
import type { Person } from './store.ts'

export type { Role } from '../domain/permissions.ts'

/** What an entry is. */
export type EntryKind = Entry['kind']
/** What new members of a room see of what was before. */
export type HistoryPolicy = 'joined' | 'all'

/** An entry as it is stored. Times are milliseconds since 1970, UTC. */
export interface StoredEntry {
  readonly conversationId: bigint
  readonly seq: bigint
  readonly kind: EntryKind
  /** 16 bytes, made by the client: unique for its author. */
  readonly id: Uint8Array
  readonly authorId: bigint
  /** The author's name as its owner wrote it. */
  readonly author: string
  readonly device: string | undefined
  readonly at: bigint
  /** Of a message, and of what it became by its edits. Undefined once deleted. An `edit` carries the body of its target. */
  readonly type: string | undefined
  readonly body: Uint8Array | undefined
  readonly target: bigint | undefined
  /** CBOR of what else the wire says of it: replyTo, mentions, emoji, on, what, about, role, title, topic, announcement, file. */
  readonly data: Uint8Array | undefined
  readonly editedAt: bigint | undefined
  readonly deletedAt: bigint | undefined
}

/** An entry in an inbox. */
export interface InboxEntry {
  readonly inboxSeq: bigint
  readonly entry: StoredEntry
}

/** Where an entry went. */
export interface Delivery {
  readonly accountId: bigint
  readonly inboxSeq: bigint
}

/** An entry that has its place. */
export interface Posted {
  readonly conversationId: bigint
  readonly seq: bigint
  readonly at: bigint
  /** It was there already: the same id once more. Nothing was delivered again. */
  readonly repeated: boolean
  readonly deliveries: readonly Delivery[]
  /** Of a deletion: files that no message has any more, 16 bytes each. */
  readonly files?: readonly Uint8Array[]
  /** Of an edit in a room: whom it tells no words, because they may not see the message. */
  readonly wordless?: readonly bigint[]
}

/** Who does something, on which device, when. */
export interface Act {
  readonly accountId: bigint
  readonly device?: string | undefined
  readonly at: bigint
}

/** Something to be said or changed. */
export interface NewEntry extends Act {
  /** One of both. */
  readonly conversationId?: bigint | undefined
  readonly peerId?: bigint | undefined
  readonly id: Uint8Array
  readonly kind: Deed
  readonly type?: string | undefined
  readonly body?: Uint8Array | undefined
  readonly target?: bigint | undefined
  readonly data?: Uint8Array | undefined
  /** Of a message: a file of its author that is whole. */
  readonly file?: Uint8Array | undefined
}

/** A conversation as one account sees it. */
export interface ConversationRow {
  readonly id: bigint
  readonly kind: 'direct' | 'room'
  /** Direct: the other one. */
  readonly peer: Person | undefined
  readonly title: string | undefined
  readonly topic: string | undefined
  readonly announcement: boolean
  readonly history: HistoryPolicy
  readonly role: Role
  readonly state: 'accepted' | 'asked' | 'asking' | 'declined' | 'invited'
  readonly members: bigint
  readonly lastSeq: bigint
  readonly firstSeq: bigint
  readonly readSeq: bigint
  /** Direct: of the other one, whatever they show. */
  readonly peerDeliveredSeq: bigint
  readonly peerReadSeq: bigint
  readonly retentionMs: bigint | undefined
}

/** A member of a conversation. */
export interface MemberRow {
  readonly account: Person
  readonly role: Role
  readonly since: bigint
  readonly invited: boolean
}

/** What others learn of an account. */
export interface Privacy {
  readonly presence: boolean
  readonly typing: boolean
  readonly delivered: boolean
  readonly read: boolean
}

/** A contact, or an open request. */
export interface ContactRow {
  readonly account: Person
  readonly state: 'accepted' | 'asked' | 'asking'
  readonly conversationId: bigint | undefined
  readonly since: bigint
}

/** A file of a conversation. */
export interface StoredFile {
  readonly id: Uint8Array
  readonly ownerId: bigint
  readonly conversationId: bigint
  readonly name: string
  readonly size: bigint
  readonly sha256: Uint8Array
  readonly whole: boolean
  /** A message has it. */
  readonly sent: boolean
  readonly at: bigint
}

/** A page of entries. */
export interface EntryPage {
  readonly entries: readonly StoredEntry[]
  readonly more: boolean
}

/** What was deleted for good. */
export interface Freed {
  readonly entries: bigint
  readonly bytes: bigint
  readonly files: readonly Uint8Array[]
}

/** The same of one step of several; `more`: there may be more to delete. */
export interface Expired extends Freed {
  readonly more: boolean
}

/** Operations on what is said. Not being a member is `not_found` everywhere: who is not in it learns nothing of a conversation. */
export interface DeliveryOperations {
  /**
   * Stores an entry and puts it into the inbox of every member, the author's own when it has other devices too. Throws
   * `not_found` (conversation, target, file), `not_contact` (direct and not accepted), `not_permitted`, `conflict` (the id is
   * there with other content), `gone` (the target is deleted), `quota_exceeded` (direct: the inbox of the other one is full).
   * Of a room's member whose inbox is full the oldest entry leaves. Where the other one blocks the author it is stored for the
   * author alone.
   */
  'entry.post': { input: NewEntry; output: Posted }
  /** Entries that the account may see, oldest first; at most `max` and about `bytesMax` of bodies, at least one. */
  'entry.history': {
    input: {
      readonly accountId: bigint
      readonly conversationId: bigint
      readonly before?: bigint | undefined
      readonly after?: bigint | undefined
      readonly pinned?: boolean | undefined
      readonly max: bigint
      readonly bytesMax: bigint
    }
    output: EntryPage
  }
  /** The place of a device in its account's inbox; a new one begins at its end, with `after` it acknowledges that. */
  'inbox.open': {
    input: { readonly accountId: bigint; readonly device: string; readonly after?: bigint | undefined; readonly at: bigint }
    output: { readonly lastSeq: bigint; readonly ackedSeq: bigint; readonly lostSeq: bigint | undefined }
  }
  'inbox.read': {
    input: { readonly accountId: bigint; readonly after: bigint; readonly max: bigint; readonly bytesMax: bigint }
    output: { readonly entries: readonly InboxEntry[]; readonly lastSeq: bigint }
  }
  /**
   * Answers the conversations of which more is delivered now, with how far. In steps of `inboxStepEntriesMax`: the same once
   * more while there is `more`. A number before what was acknowledged changes nothing. Throws `conflict` for one behind the end.
   */
  'inbox.ack': {
    input: { readonly accountId: bigint; readonly device: string; readonly seq: bigint; readonly at: bigint }
    output: { readonly delivered: readonly { readonly conversationId: bigint; readonly seq: bigint }[]; readonly more: boolean }
  }
  /**
   * Removes at most `max` entries that have waited since before `before`, for whichever device, out of at most
   * `housekeepingInboxesMax` inboxes. Answers how many, and whether there may be more.
   */
  'inbox.expire': { input: { readonly before: bigint; readonly max: bigint }; output: { readonly entries: bigint; readonly more: boolean } }
  'conversation.list': {
    input: { readonly accountId: bigint; readonly after: bigint; readonly max: bigint }
    output: readonly ConversationRow[]
  }
  'conversation.find': {
    input: { readonly accountId: bigint; readonly id?: bigint | undefined; readonly peerId?: bigint | undefined }
    output: ConversationRow | undefined
  }
  /** Accounts that are in it, invited ones not; undefined when `accountId` is not. */
  'conversation.members': { input: { readonly accountId: bigint; readonly id: bigint }; output: readonly bigint[] | undefined }
  /** Throws `not_found`, `not_contact` where two do not talk, `not_permitted`. */
  'conversation.retain': {
    input: Act & { readonly id: bigint; readonly retentionMs: bigint | undefined; readonly max: bigint }
    output: Expired
  }
  /** Looks at no more than `max` bodies of a conversation and deletes at most as many that are older than their conversation keeps them. */
  'conversation.expire': { input: { readonly at: bigint; readonly max: bigint }; output: Expired }
  /**
   * Answers where the mark is now; undefined when the account is not in it. Who reads without a place in the inbox `settles`:
   * what waits there counts as stored, and this conversation as delivered that far. Default: false.
   */
  'mark.read': {
    input: { readonly accountId: bigint; readonly conversationId: bigint; readonly seq: bigint; readonly settles?: boolean }
    output: { readonly readSeq: bigint; readonly changed: boolean } | undefined
  }
  /**
   * Asks `peerId` to talk: the direct conversation is made if there is none. When they have asked already it is accepted.
   * When they block the account nothing reaches them, and the answer is the same. Throws `busy` within a day after they
   * declined, or when `contactRequestsMax` are open, or were taken back or declined less than a day ago; `conflict`; `is_self`. Asking again changes nothing.
   */
  'contact.request': {
    input: Act & { readonly peerId: bigint; readonly id: Uint8Array; readonly text?: Uint8Array | undefined }
    output: Posted & { readonly accepted: boolean }
  }
  /**
   * Throws `no_request`; `busy` when one of both has `contactsPerAccountMax`. `id` is of the entry that says so. The answer
   * that was given already changes nothing.
   */
  'contact.answer': {
    input: Act & { readonly peerId: bigint; readonly id: Uint8Array; readonly accept: boolean }
    output: Posted
  }
  /**
   * Ends what there is with `peerId`: a contact is none any more, or what the account asked is taken back; `id` is of the entry that
   * says so. Throws `not_contact` when there is neither. Where all is over already nothing changes.
   */
  'contact.remove': {
    input: Act & { readonly peerId: bigint; readonly id: Uint8Array }
    output: Posted
  }
  /** By key. */
  'contact.page': {
    input: { readonly accountId: bigint; readonly after: string; readonly max: bigint }
    output: readonly ContactRow[]
  }
  /** Throws `busy` when the account owns `roomsPerAccountMax`. The same id again answers the same room. */
  'room.create': {
    input: Act & {
      readonly id: Uint8Array
      readonly title: string
      readonly topic: string
      readonly announcement: boolean
      readonly history: HistoryPolicy
    }
    output: Posted
  }
  /**
   * `id` of these is of the entry that says so. All throw `not_found`, `not_permitted`. What is so already is answered to who
   * is in the room, and changes nothing: there is no entry, and `repeated` is true.
   */
  'room.update': {
    input: Act & {
      readonly conversationId: bigint
      readonly id: Uint8Array
      readonly title?: string | undefined
      readonly topic?: string | undefined
      readonly announcement?: boolean | undefined
      readonly history?: HistoryPolicy | undefined
    }
    output: Posted
  }
  /** Throws `not_contact`, `room_full`. Somebody invited or in it already changes nothing. Who blocks the account is not reached, silently. */
  'room.invite': {
    input: Act & { readonly conversationId: bigint; readonly id: Uint8Array; readonly peerId: bigint }
    output: Posted
  }
  'room.link': {
    input: Act & { readonly conversationId: bigint; readonly hash: Uint8Array; readonly uses: bigint; readonly expiresAt: bigint }
    output: undefined
  }
  /** Throws `invitation_invalid`, `invitation_used`, `invitation_expired` for a link, `room_full`. */
  'room.join': {
    input: Act & { readonly id: Uint8Array; readonly conversationId?: bigint | undefined; readonly hash?: Uint8Array | undefined }
    output: Posted
  }
  /**
   * An owner hands over to the moderator, else the member, who has been there longest: the entry says who. Of a room that
   * nobody is left in everything is deleted, what a long one holds with `conversation.expire`. Undefined when the account is
   * not in it: nothing has happened. Throws `not_found` for a direct conversation of its own.
   */
  'room.leave': {
    input: Act & { readonly conversationId: bigint; readonly id: Uint8Array }
    output: (Posted & { readonly files: readonly Uint8Array[] }) | undefined
  }
  'room.remove': {
    input: Act & { readonly conversationId: bigint; readonly id: Uint8Array; readonly peerId: bigint }
    output: Posted
  }
  'room.role': {
    input: Act & { readonly conversationId: bigint; readonly id: Uint8Array; readonly peerId: bigint; readonly role: Role }
    output: Posted
  }
  /** By key; undefined when the account is not in it. */
  'room.members': {
    input: { readonly accountId: bigint; readonly conversationId: bigint; readonly after: string; readonly max: bigint }
    output: readonly MemberRow[] | undefined
  }
  'privacy.read': { input: { readonly accountId: bigint }; output: Privacy }
  'privacy.set': { input: { readonly accountId: bigint } & { readonly [P in keyof Privacy]?: boolean | undefined }; output: Privacy }
  /** Puts at most `max` further messages into the index; false when there are no more. */
  'search.index': { input: { readonly max: bigint }; output: boolean }
  /** Newest first, within a moment from the last place on. `upTo`: everything stored before is in the index. */
  'search.find': {
    input: {
      readonly accountId: bigint
      readonly text: string
      readonly conversationId?: bigint | undefined
      readonly before?: bigint | undefined
      /** Of what was said at that very moment, what comes behind this too. */
      readonly place?: { readonly conversationId: bigint; readonly seq: bigint } | undefined
      readonly max: bigint
      readonly bytesMax: bigint
      readonly at: bigint
    }
    output: EntryPage & { readonly upTo: bigint }
  }
  /**
   * Replaces the link for another device that the account had. `spkiHash` and `token`: those of the device and of the session
   * that asks, as far as it has them. Throws `login_refused` when one of these was taken away, or the account is banned.
   */
  'device.link': {
    input: {
      readonly accountId: bigint
      readonly spkiHash?: Uint8Array | undefined
      readonly token?: Uint8Array | undefined
      readonly hash: Uint8Array
      readonly expiresAt: bigint
      readonly at: bigint
    }
    output: undefined
  }
  /** Uses it up and stores a token, in one step. Throws `invitation_invalid`, `invitation_expired`. */
  'device.useLink': {
    input: { readonly hash: Uint8Array; readonly at: bigint; readonly token: Uint8Array }
    output: { readonly id: bigint; readonly key: string; readonly name: string }
  }
  /** Announces a file; the same again answers what is known. Throws `not_found`, `not_contact`, `not_permitted`, `conflict`, `quota_exceeded`. */
  'file.begin': {
    input: Act & {
      readonly id: Uint8Array
      readonly conversationId: bigint
      readonly name: string
      readonly size: bigint
      readonly sha256: Uint8Array
    }
    output: StoredFile
  }
  /** A file of a conversation that the account may see, or an own one. */
  'file.find': { input: { readonly accountId: bigint; readonly id: Uint8Array }; output: StoredFile | undefined }
  /** It is there whole and durable. Throws `not_found` when the account has no such file. */
  'file.whole': { input: { readonly accountId: bigint; readonly id: Uint8Array }; output: undefined }
  /** Forgets an own file that was not sent; false when there is none. */
  'file.abandon': { input: { readonly accountId: bigint; readonly id: Uint8Array }; output: boolean }
  /** Forgets at most `max` files that were announced before `before` and never sent; answers their ids. */
  'file.expire': { input: { readonly before: bigint; readonly max: bigint }; output: readonly Uint8Array[] }
  /** Of these, those that are known: what else is in the folder is nobody's. */
  'file.known': { input: { readonly ids: readonly Uint8Array[] }; output: readonly Uint8Array[] }
}
