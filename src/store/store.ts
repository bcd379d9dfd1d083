// The contract of a store: what the server keeps, as named operations. One operation is one atomic step. Each runs under
// a savepoint of its own inside a group's transaction, in the order in which it was asked for, and no answer (refusals
// included) leaves before that group's commit. An operation that throws a SealwireError is rolled back alone and uses up no
// number; when the commit fails, every request of the group is answered `unknown_outcome`, because it may have happened.

import type { SealwireError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import type { DeliveryOperations, Privacy } from './delivery.ts'
import type { LedgerOperations } from './ledger.ts'

/** Who sees that an account is there. */
export type Visibility = 'everyone' | 'contacts' | 'nobody'

/** An account as it is stored. Times are milliseconds since 1970, UTC. */
export interface Account {
  readonly id: bigint
  /** The name as its owner wrote it (NFC); what others are shown. */
  readonly name: string
  /** The case-folded form by which it is found; unique. */
  readonly key: string
  /** A PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. Undefined when no password was ever set. */
  readonly passwordHash: string | undefined
  readonly createdAt: bigint
  /** Undefined unless it is banned. */
  readonly bannedAt: bigint | undefined
  readonly visibility: Visibility
}

/** An account to be made. It is visible to its contacts until `account.setVisibility` says otherwise. */
export interface NewAccount {
  readonly name: string
  readonly key: string
  /** What the name looks like: two accounts with one skeleton could be taken for each other; unique. */
  readonly skeleton: string
  readonly passwordHash: string | undefined
  readonly createdAt: bigint
}

/** What makes an account with its first token, or only for who was invited. */
export interface Enrolment {
  /** Takes one use of it. */
  readonly invitation?: InvitationUse | undefined
  readonly token?: Omit<NewToken, 'accountId'> | undefined
}

/** An account as an operator sees it: without its secrets. */
export interface AccountSummary extends Omit<Account, 'passwordHash'> {
  readonly hasPassword: boolean
}

/** An account as other people see it. */
export type Person = Pick<Account, 'id' | 'key' | 'name'>

/** The SHA-256 of a secret. The secret itself never gets here: who reads the database cannot use what is in it. */
export type SecretHash = Uint8Array

/** An invitation to be made. */
export interface NewInvitation {
  readonly hash: SecretHash
  /** How many accounts may be made with it; at least 1. */
  readonly uses: bigint
  /** From this moment on it is worth nothing. */
  readonly expiresAt: bigint
  readonly createdAt: bigint
  /** Printed by a start of the server: it takes the place of the one printed before, if nobody has used that. */
  readonly printed: boolean
}

/** An invitation with the moment at which it is used. */
export interface InvitationUse {
  readonly hash: SecretHash
  readonly at: bigint
}

/** `unknown` are also those that were voided and those forgotten long after they expired. */
export type InvitationState = 'good' | 'unknown' | 'used' | 'expired'

/** A session token to be stored. */
export interface NewToken {
  readonly hash: SecretHash
  readonly accountId: bigint
  readonly at: bigint
}

/** The keys of a device to be enrolled. */
export interface NewDevice {
  /** SHA-256 of its P-256 SubjectPublicKeyInfo; of its Ed25519 one where it has no certificate. */
  readonly spkiHash: Uint8Array
  /** Follows from the hash. */
  readonly id: string
  readonly accountId: bigint
  /** Both or none. */
  readonly ed25519?: Uint8Array | undefined
  readonly x25519?: Uint8Array | undefined
  readonly label: string
  readonly at: bigint
  /** Of its certificate. */
  readonly expiresAt: bigint
  /** Of the session that enrols it. */
  readonly token?: SecretHash | undefined
}

/** A device as it is stored. */
export interface Device {
  readonly spkiHash: Uint8Array
  readonly id: string
  readonly accountId: bigint
  readonly ed25519: Uint8Array | undefined
  readonly x25519: Uint8Array | undefined
  readonly label: string
  readonly enrolledAt: bigint
  /** Undefined unless it has logged in. */
  readonly usedAt: bigint | undefined
  readonly expiresAt: bigint
  /** Undefined unless it was revoked. */
  readonly revokedAt: bigint | undefined
}

/** A device with whose it is. */
export interface DeviceOwner {
  readonly device: Device
  readonly account: Account
}

/** A device that was revoked. */
export interface RevokedDevice extends DeviceOwner {
  /** Of the token with which it was enrolled, whether that was still good or not; sessions may have come back with it. */
  readonly token: SecretHash | undefined
}

/** Whom an account has to do with, by number, in no order. */
export interface Relations {
  readonly contacts: readonly bigint[]
  /** Whom it blocks. */
  readonly blocks: readonly bigint[]
  /** What others learn of it. */
  readonly privacy: Privacy
}

/** Failed logins remembered under a key such as `address:192.0.2.1`. */
export interface Throttle {
  readonly key: string
  readonly failures: bigint
  /** When the first failure that still counts and the newest one happened. */
  readonly since: bigint
  readonly lastAt: bigint
}

/** Every operation, declared once: its input and its output. Errors are named beside it. */
export interface Operations extends DeliveryOperations, LedgerOperations {
  /**
   * One step: the invitation is used, the account made and its token stored, or nothing of it. Throws `invitation_invalid`,
   * `invitation_used`, `invitation_expired`; then `name_taken` when the key or the skeleton is in use: without a good
   * invitation nobody learns who has an account.
   */
  'account.create': { input: NewAccount & Enrolment; output: Account }
  'account.find': { input: { readonly key: string }; output: Account | undefined }
  'account.findById': { input: { readonly id: bigint }; output: Account | undefined }
  /** At most `max` accounts whose keys come after `after`, by key. */
  'account.list': { input: { readonly after: string; readonly max: bigint }; output: readonly AccountSummary[] }
  /** Replaces a hash if it is still `from`; false when it is not. Tokens stay: it is the same password. */
  'account.rehash': { input: { readonly id: bigint; readonly from: string; readonly to: string }; output: boolean }
  /** Deletes the tokens of the account too, all but `keepToken`. False when there is no such account. */
  'account.setPassword': {
    input: { readonly id: bigint; readonly passwordHash: string; readonly keepToken?: SecretHash | undefined }
    output: boolean
  }
  /** Deletes its tokens too. A second ban keeps the moment of the first one. Undefined when nobody has the key. */
  'account.ban': { input: { readonly key: string; readonly at: bigint }; output: Account | undefined }
  'account.unban': { input: { readonly key: string }; output: Account | undefined }
  /** False when there is no such account. */
  'account.setVisibility': { input: { readonly id: bigint; readonly visibility: Visibility }; output: boolean }
  /**
   * Keeps at most `invitationsMax`, forgetting expired ones first; throws `busy` when none has expired. The same hash again
   * changes nothing.
   */
  'invitation.create': { input: NewInvitation; output: undefined }
  'invitation.check': { input: InvitationUse; output: InvitationState }
  /**
   * False, and nothing stored, when the account is banned or gone or its password hash is not `passwordHash` any more: a
   * login that began before a change of the password gets no token after it. Without `passwordHash` that is not asked.
   * Keeps at most `tokensPerAccountMax` an account, deleting the least recently used. The same hash again changes nothing.
   */
  'token.create': { input: NewToken & { readonly passwordHash?: string | undefined }; output: boolean }
  /**
   * The account of a token, banned ones too. Notes the use at most once in `tokenUsePrecisionMs`, so that most uses write
   * nothing. A token whose last noted use is more than `idleMsMax` ago is deleted and unknown. Answered without noting
   * anything when there is no room on the disk.
   */
  'token.use': {
    input: { readonly hash: SecretHash; readonly at: bigint; readonly idleMsMax: bigint }
    output: Account | undefined
  }
  /** True when there was one. */
  'token.delete': { input: { readonly hash: SecretHash }; output: boolean }
  /**
   * Adds a device. One that is there under the same hash gets another `expiresAt` and `label`, if its account and keys are the
   * same. Throws `enrolment_invalid` when they are not, when one of the keys belongs to another device, and when it was
   * revoked; `busy` when the account has `devicesPerAccountMax` others; `not_found` when it is banned or gone.
   */
  'device.enrol': { input: NewDevice; output: Device }
  /** Whose device this is, banned accounts and revoked devices too. */
  'device.find': { input: { readonly spkiHash: Uint8Array }; output: DeviceOwner | undefined }
  /** The same by its key of the sealed channel. */
  'device.findByX25519': { input: { readonly x25519: Uint8Array }; output: DeviceOwner | undefined }
  /** The same by its key of signatures. */
  'device.findByEd25519': { input: { readonly ed25519: Uint8Array }; output: DeviceOwner | undefined }
  /**
   * The same for a login: notes the use at most once in `deviceUsePrecisionMs`, and deletes the token with which the device
   * enrolled. Nothing is noted or deleted for a banned account or a revoked device, and none when there is no room on the disk.
   */
  'device.use': { input: { readonly spkiHash: Uint8Array; readonly at: bigint }; output: DeviceOwner | undefined }
  /** Those that were not revoked, the newest first. */
  'device.list': { input: { readonly accountId: bigint }; output: readonly Device[] }
  /**
   * Those of the account of a key that were not revoked and have not expired, the newest first, for `accountId`: undefined unless
   * that is the account itself, or the two talk and neither blocks the other; and for a banned account, and where there is none.
   */
  'device.listFor': {
    input: { readonly accountId: bigint; readonly key: string; readonly at: bigint }
    output: readonly Device[] | undefined
  }
  /** Those of all accounts that were not revoked: at most `max` whose ids come after `after`, by id. */
  'device.listAll': { input: { readonly after: string; readonly max: bigint }; output: readonly DeviceOwner[] }
  /**
   * Revokes for good, and deletes the token with which it was enrolled. Undefined when there is no such device, or none of `accountId` where that is given. A second time keeps
   * the first moment. At most `devicesPerAccountMax` revoked ones of an account are remembered.
   */
  'device.revoke': {
    input: { readonly id: string; readonly accountId?: bigint | undefined; readonly at: bigint }
    output: RevokedDevice | undefined
  }
  /** The number of this server, 16 bytes: the first `fresh` that was ever given. */
  'server.id': { input: { readonly fresh: Uint8Array }; output: Uint8Array }
  /**
   * This store is a copy of an earlier day that takes the place of the one that went on: no number that was given away since is
   * given to something else. Once, before anybody is served. Both are to be by chance: the same copy may have taken its place before.
   * `lives`: of 2^32 places each, which inboxes go on. `skipped`: numbers of accounts, conversations and ledger accounts that are left out.
   */
  'server.setBack': { input: { readonly lives: bigint; readonly skipped: bigint }; output: undefined }
  /**
   * Makes two different accounts contacts of each other, who talk in their direct conversation from now on; true when they
   * were not. False also when one of them has `contactsPerAccountMax` already.
   */
  'contact.add': { input: { readonly a: bigint; readonly b: bigint; readonly at: bigint }; output: boolean }
  /** By key. */
  'contact.list': { input: { readonly accountId: bigint }; output: readonly Person[] }
  /** True when it is new. Throws `busy` when the account blocks `blocksPerAccountMax` others already. */
  'block.add': { input: { readonly accountId: bigint; readonly blockedId: bigint; readonly at: bigint }; output: boolean }
  /** True when there was one. */
  'block.remove': { input: { readonly accountId: bigint; readonly blockedId: bigint }; output: boolean }
  /** By key. */
  'block.list': { input: { readonly accountId: bigint }; output: readonly Person[] }
  /** All that a login needs to know, in one read. */
  'people.relations': { input: { readonly accountId: bigint }; output: Relations }
  /** The rows that exist, in no order. */
  'throttle.read': { input: { readonly keys: readonly string[] }; output: readonly Throttle[] }
  /**
   * Counts one failure under each key and returns the rows in the order of `keys`. A row under `account:…` starts again
   * at 1 when its last failure is older than the window, so that a patient guesser gains nothing; every other row when
   * its first failure is. Keeps at most `throttlesTrackedMax` rows, forgetting those whose last failure is oldest.
   */
  'throttle.fail': {
    input: { readonly keys: readonly string[]; readonly at: bigint; readonly windowMs: bigint }
    output: readonly Throttle[]
  }
  'throttle.clear': { input: { readonly keys: readonly string[] }; output: undefined }
}

/** The name of an operation. */
export type OperationName = keyof Operations
/** What an operation is given. */
export type Input<N extends OperationName> = Operations[N]['input']
/** What an operation answers. */
export type Output<N extends OperationName> = Operations[N]['output']

/** One request: an operation's name with its input. */
export type Request<N extends OperationName = OperationName> = { readonly [M in N]: { readonly name: M; readonly input: Input<M> } }[N]

/** What became of one request. */
export type Outcome = { readonly value: unknown } | { readonly error: SealwireError }

/** The bounds that a store keeps. */
export type StoreLimits = Pick<
  Limits,
  | 'blocksPerAccountMax'
  | 'checkpointMs'
  | 'checkpointPostingsMax'
  | 'contactRequestsMax'
  | 'contactsPerAccountMax'
  | 'devicesPerAccountMax'
  | 'deviceUsePrecisionMs'
  | 'diskBytesFreeMin'
  | 'fileBytesPerAccountMax'
  | 'filesPerAccountMax'
  | 'inboxBytesMax'
  | 'inboxEntriesMax'
  | 'inboxEntriesPerSenderMax'
  | 'inboxStepEntriesMax'
  | 'invitationMemoryMs'
  | 'invitationsMax'
  | 'paymentRequestMemoryMs'
  | 'paymentRequestsMax'
  | 'paymentRequestsStrangerMax'
  | 'peersRememberedMax'
  | 'reactionsPerMessageMax'
  | 'roomMembersMax'
  | 'roomsPerAccountMax'
  | 'searchWordsMax'
  | 'storedBytesPerAccountMax'
  | 'storeBusyMsMax'
  | 'storeGroupMax'
  | 'storeLogMs'
  | 'storeQueueMax'
  | 'storeRestartMs'
  | 'storeRestartsMax'
  | 'throttlesTrackedMax'
  | 'tokensPerAccountMax'
  | 'tokenUsePrecisionMs'
  | 'unitsMax'
>

/** A store that commits in groups, off the event loop. */
export interface Store extends AsyncDisposable {
  /**
   * Resolves after the commit that made the operation durable; promises settle in the order of the commits.
   * @throws {SealwireError} the operation's own refusals. Nothing has happened: `busy` when `storeQueueMax` requests wait;
   * `storage_full` for what would write, while reads go on; `unavailable` when the disk has failed, until the store could
   * be opened again, and after `close`. It may have happened: `unknown_outcome`; ask again with the same key.
   */
  run<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>>
  /** Commits what waits and closes. */
  close(): Promise<void>
}

/** The same store in this thread and without promises, for the simulator and for commands of the operator. */
export interface SynchronousStore extends Disposable {
  run<N extends OperationName>(name: N, input: Input<N>): Output<N>
  close(): void
}
