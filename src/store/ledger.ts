// What the store keeps of money: units, who has what, and the ledger: a log of postings, of which each moves amounts between
// ledger accounts so that their sum is zero, each chained by its hash to the one before, none ever changed. The rules of
// operations are those of store.ts. Amounts are whole minor units; moments are milliseconds since 1970, UTC; ids have 16 bytes.
//
// Every operation that moves money throws `ledger_broken` after `ledger.condemn`, until `ledger.absolve`.

import type { Order, OrderKind } from '../protocol/contract/order.ts'
import type { Posted } from './delivery.ts'
import type { HoldPlace, OverHolds } from './over-holds.ts'
import type { LedgerFault, VerifyPlace, VerifyStep } from './ledger-verification.ts'
import type { Person } from './store.ts'

/** What a posting is. */
export type PostingKind = OrderKind | 'mint' | 'burn' | 'expire'
/** Where a transfer stands. Only a hold is ever anything but `posted`. */
export type TransferStatus = 'pending' | 'posted' | 'voided' | 'expired'

/** What the operator's money is counted in. */
export interface Unit {
  readonly code: string
  readonly name: string
  /** Places after the point: 0 to 9. */
  readonly decimals: bigint
  /** It is meant where none is named; there is one such unit. */
  readonly standard: boolean
  /** What an account, and each device, may order in a day (UTC) where it has no bound of its own. Undefined: no bound. */
  readonly dayMax: bigint | undefined
  readonly deviceDayMax: bigint | undefined
}

/** A transfer as it is now. */
export interface Transfer {
  /** Whose device signed it; 0 for the operator. With it the id is unique, for ever. */
  readonly signerId: bigint
  readonly id: Uint8Array
  readonly kind: Exclude<PostingKind, 'expire'>
  readonly status: TransferStatus
  readonly unit: string
  readonly decimals: bigint
  /** Of a void: what was on hold. Of a split: of all its parts. */
  readonly amount: bigint
  /** Whose money it was; undefined for mint. Of a void and a capture: as in their hold. Of a refund: who gives back. */
  readonly payer: Person | undefined
  /** Whose it is; undefined for burn and split. */
  readonly payee: Person | undefined
  /** Of a split. */
  readonly parts: readonly TransferPart[]
  /** Of a hold that was captured. */
  readonly captured: bigint
  /** So far; of a split: of all its parts. */
  readonly refunded: bigint
  /** Of a hold. */
  readonly expiresAt: bigint | undefined
  /** Of a capture, a void, and a refund: which transfer. */
  readonly original: { readonly signerId: bigint; readonly id: Uint8Array } | undefined
  /** The place in the ledger. */
  readonly posting: bigint
  readonly at: bigint
  readonly memo: string | undefined
}

/** One of the payees of a split. */
export interface TransferPart {
  readonly payee: Person
  readonly amount: bigint
  readonly refunded: bigint
  readonly memo: string | undefined
}

/** A message that goes with a change of money: both are stored, or neither. */
export interface LedgerMessage {
  /** To whom. It is stored when the two have agreed to talk; else it is left out, as where it settles something and there is no room. */
  readonly peerId: bigint
  /** As `entry.post` takes them: unique for its author. */
  readonly id: Uint8Array
  readonly type: string
  readonly body: Uint8Array
  readonly data?: Uint8Array | undefined
}

/** A signed order, read and checked: its form, its server, its signature, and that the memos are those whose hashes it has. */
export interface LedgerOrder {
  readonly order: Order
  /** The bytes that came: a COSE_Sign1. */
  readonly signed: Uint8Array
  /** The Ed25519 key that signed, 32 bytes: in this very step it must be of a device of the account that is not revoked. */
  readonly key: Uint8Array
  readonly memo?: string | undefined
  /** Of a split: one a part, in their order. */
  readonly memos?: readonly (string | undefined)[] | undefined
  /** Of a pay: the request that it pays. */
  readonly request?: Uint8Array | undefined
  readonly messages?: readonly LedgerMessage[] | undefined
  /** From which device: its copy of a message counts as stored. */
  readonly device?: string | undefined
  /** Whose balance is answered. Default: of whoever signed. */
  readonly viewerId?: bigint | undefined
  readonly at: bigint
}

/** What an order did. */
export interface Ordered {
  /** As it was made: the same bytes again bring the same answer, whatever became of it since. `ledger.transfer` has that. */
  readonly transfer: Transfer
  /** Of whoever signed, or `viewerId`, in this unit, after it. */
  readonly balance: bigint
  /** It was there already: nothing has happened. */
  readonly repeated: boolean
  /** Of its messages, those that were stored. */
  readonly posted: readonly Posted[]
  /** What it made of another transfer: of the hold that it ended, of the payment that it refunds. */
  readonly changed: Transfer | undefined
  /** The request that it paid. */
  readonly request: PaymentRequest | undefined
}

/** Something that the operator does. `id`: the same again answers the same; `conflict` when it was something else. */
export interface Issue {
  readonly id: Uint8Array
  readonly accountId: bigint
  readonly unit: string
  readonly amount: bigint
  readonly memo?: string | undefined
  readonly at: bigint
}

/** A request to pay. */
export interface PaymentRequest {
  readonly id: Uint8Array
  readonly from: Person
  readonly to: Person
  readonly unit: string
  readonly decimals: bigint
  readonly amount: bigint
  /** So far. */
  readonly paid: bigint
  readonly status: 'open' | 'paid' | 'cancelled' | 'declined' | 'expired'
  readonly memo: string | undefined
  readonly at: bigint
  readonly expiresAt: bigint
  /**
   * What of it `to` is shown now: `numbers`, all but the memo, as long as the two have not agreed to talk; `nothing` as long as
   * `to` blocks `from`.
   */
  readonly shown: 'all' | 'numbers' | 'nothing'
}

/** What an account has in a unit. */
export interface Balance {
  readonly unit: string
  readonly decimals: bigint
  readonly balance: bigint
  /** What of it was put on hold and is not in `balance`. */
  readonly held: bigint
  /** Down to where it may go: 0 unless the operator grants credit. */
  readonly floor: bigint
  readonly frozen: boolean
}

/** A line of a statement. */
export interface StatementLine {
  readonly posting: bigint
  readonly at: bigint
  readonly kind: PostingKind
  readonly unit: string
  readonly decimals: bigint
  readonly delta: bigint
  /** After it. */
  readonly balance: bigint
  /** Of an expired hold: the hold. */
  readonly transfer: Transfer
}

/** A posting as it is in the ledger. */
export interface Posting {
  readonly seq: bigint
  readonly at: bigint
  readonly kind: PostingKind
  readonly unit: string
  readonly decimals: bigint
  /** Sum of deltas: 0. */
  readonly legs: readonly Leg[]
  /** Of a capture, a void, a refund, an expiry: the posting of what it is about. */
  readonly ref: bigint | undefined
  /** Of which transfer; of an expiry: of the hold. */
  readonly signerId: bigint
  readonly id: Uint8Array
  /** The order that came; undefined where nobody signed. */
  readonly signed: Uint8Array | undefined
  /** Of what the operator does: that of an order is in its signed hash. */
  readonly memo: string | undefined
}

/** What a posting does to one ledger account. */
export interface Leg {
  readonly ledgerAccountId: bigint
  /** Whose it is; 0: the operator's own. */
  readonly holderId: bigint
  readonly delta: bigint
}

/** A posting with what chains it: `hash` = SHA-256(`previous` ‖ `row`), before the first one 32 zero bytes. */
export interface ChainedPosting extends Posting {
  /** Deterministic CBOR of the posting: what is hashed (ledger.md). */
  readonly row: Uint8Array
  readonly hash: Uint8Array
  readonly previous: Uint8Array
}

/** Who has what: a page of the books. */
export interface LedgerAccount {
  readonly id: bigint
  /** `issuance`: minus all that was issued; `held`: all that is on hold. Both have no holder. */
  readonly kind: 'user' | 'issuance' | 'held'
  readonly holder: Person | undefined
  readonly unit: string
  readonly decimals: bigint
  readonly balance: bigint
  readonly floor: bigint
  readonly frozenAt: bigint | undefined
  readonly dayMax: bigint | undefined
  readonly deviceDayMax: bigint | undefined
}

/** A signed root of the first `size` postings. */
export interface Checkpoint {
  readonly size: bigint
  /** Merkle root (RFC 9162 §2.1) over the hashes of the postings. */
  readonly root: Uint8Array
  readonly at: bigint
  /** COSE_Sign1 by the ledger key. */
  readonly cose: Uint8Array
}

/** What a receipt proves with. */
export interface ProofMaterial {
  readonly posting: ChainedPosting
  readonly checkpoint: Checkpoint
  /** From the posting to the root of the checkpoint. */
  readonly path: readonly Uint8Array[]
}

/** Operations on money. */
export interface LedgerOperations {
  /**
   * Throws `conflict` when the code is there with other decimals or another name; the same again changes nothing but `standard` and
   * bounds. A new one has by default its code for a name, and 2 decimals.
   */
  'unit.create': {
    input: Pick<Unit, 'code'> & {
      readonly name?: string | undefined
      readonly decimals?: bigint | undefined
      readonly standard?: boolean | undefined
      readonly at: bigint
    }
    output: Unit
  }
  /** The standard one first. */
  'unit.list': { input: Readonly<Record<string, never>>; output: readonly Unit[] }
  /** Throws `not_found` (account, unit), `amount_invalid`, `limit_exceeded` (a balance beyond 10^18), `conflict`. */
  'ledger.mint': { input: Issue; output: Ordered }
  /** The same, and `insufficient_funds`. */
  'ledger.burn': { input: Issue; output: Ordered }
  /**
   * Nothing leaves a frozen account and nothing comes in, in no unit; what is on hold from it is not captured, and comes back
   * when the hold ends. The operator can mint and burn. Throws `not_found`. Answers what the account has.
   */
  'ledger.freeze': { input: { readonly accountId: bigint; readonly frozen: boolean; readonly at: bigint }; output: readonly Balance[] }
  /**
   * Sets bounds: of a unit, or of one account in it. `null`: none; of an account: those of its unit. What is left out stays. `dayMax`: all that is ordered from an
   * account in a day (UTC): paid, split, put on hold, refunded; `deviceDayMax`: the same by one device. `floor`: at most 0, credit
   * granted; for accounts only. Throws `not_found`, `amount_invalid`.
   */
  'ledger.limits': {
    input: {
      readonly unit: string
      readonly accountId?: bigint | undefined
      readonly dayMax?: bigint | null | undefined
      readonly deviceDayMax?: bigint | null | undefined
      readonly floor?: bigint | undefined
    }
    output: { readonly dayMax: bigint | undefined; readonly deviceDayMax: bigint | undefined; readonly floor: bigint }
  }
  /** Every unit, or one; what was never used is 0. Throws `not_found` (unit). */
  'ledger.balance': { input: { readonly accountId: bigint; readonly unit?: string | undefined }; output: readonly Balance[] }
  /** The newest first. */
  'ledger.statement': {
    input: { readonly accountId: bigint; readonly unit?: string | undefined; readonly before?: bigint | undefined; readonly max: bigint }
    output: { readonly lines: readonly StatementLine[]; readonly more: boolean }
  }
  /**
   * Carries out an order with its messages and the request it pays, all or nothing. The same signer, id and bytes: the same
   * answer, before anything else is looked at. Throws `conflict` (other bytes, a request it did not pay, the id of a message is used),
   * `signature_invalid` (the key is not of the account, or revoked), `account_banned`, `expired`, `not_found` (account, unit,
   * hold, payment, request), `is_self`, `frozen`, `limit_exceeded`, `insufficient_funds`, `amount_invalid` (more than is on
   * hold, than is left to refund, than is asked), `not_permitted` (not a party of it; the payer voids before the expiry), `gone`
   * (the hold has ended, the request is not open), `quota_exceeded` (a message of what settles nothing), `ledger_broken`.
   */
  'ledger.order': { input: LedgerOrder; output: Ordered }
  /** Undefined unless `accountId` is a party of it. `balance`: of that account in the unit after it, if it moved anything there. */
  'ledger.transfer': {
    input: { readonly accountId: bigint; readonly signerId: bigint; readonly id: Uint8Array }
    output: { readonly transfer: Transfer; readonly balance: bigint | undefined } | undefined
  }
  /** What is on hold, of the account and for it, the newest first. */
  'ledger.holds': {
    input: { readonly accountId: bigint; readonly before?: bigint | undefined; readonly max: bigint }
    output: { readonly holds: readonly Transfer[]; readonly more: boolean }
  }
  /**
   * Asks somebody to pay. The same again: the same answer; throws `conflict`, `not_found` (account, unit), `is_self`,
   * `amount_invalid`, `expired`, `busy` (`paymentRequestsMax` are open, or `paymentRequestsStrangerMax` to one who has not agreed
   * to talk), `quota_exceeded` (the message).
   */
  'ledger.request': {
    input: {
      readonly id: Uint8Array
      readonly fromId: bigint
      readonly toId: bigint
      readonly unit: string
      readonly amount: bigint
      readonly memo?: string | undefined
      /** Default: `paymentRequestMs` after `at`; asked again, what it was. */
      readonly expiresAt?: bigint | undefined
      readonly message?: LedgerMessage | undefined
      readonly device?: string | undefined
      readonly at: bigint
    }
    output: { readonly request: PaymentRequest; readonly repeated: boolean; readonly posted: readonly Posted[] }
  }
  /**
   * By who asked: `cancelled`; by who was asked: `declined`. Throws `not_found` (also by who is shown nothing of it), `gone` (paid,
   * ended otherwise). Again: the same.
   */
  'ledger.settle': {
    input: { readonly id: Uint8Array; readonly accountId: bigint; readonly at: bigint }
    output: { readonly request: PaymentRequest; readonly changed: boolean }
  }
  /** Of and to the account, as far as they are shown to it, the newest first, of one moment by id; before `before`, or then and behind `beforeId`. */
  'ledger.requests': {
    input: {
      readonly accountId: bigint
      readonly before?: bigint | undefined
      readonly beforeId?: Uint8Array | undefined
      readonly open?: boolean | undefined
      readonly max: bigint
    }
    output: { readonly requests: readonly PaymentRequest[]; readonly more: boolean }
  }
  /**
   * Gives back holds whose time is over, ends at most `max` requests, forgets old ones. It looks at no more than `max` holds, those
   * behind `after`. `more`: there are others, holds behind `next`.
   */
  'ledger.expireHolds': {
    input: { readonly at: bigint; readonly max: bigint; readonly after?: HoldPlace | undefined }
    output: OverHolds & { readonly requests: readonly PaymentRequest[]; readonly more: boolean }
  }
  /**
   * What is to be signed next; undefined when the newest checkpoint is enough: fewer than `checkpointPostingsMax` postings
   * since, and not `checkpointMs`. `covers`: one is needed that has this posting.
   */
  'ledger.checkpointNeeded': {
    input: { readonly at: bigint; readonly covers?: bigint | undefined }
    output: { readonly size: bigint; readonly root: Uint8Array; readonly last: Checkpoint | undefined } | undefined
  }
  /** Throws `conflict` when the root is another. One of this size, or a later one, that is there already stays and is answered. */
  'ledger.checkpointStore': { input: Checkpoint; output: Checkpoint }
  /** The newest; with `covers` the oldest that has this posting; with `size` that one. */
  'ledger.checkpointFind': {
    input: { readonly covers?: bigint | undefined; readonly size?: bigint | undefined }
    output: Checkpoint | undefined
  }
  /** Of the oldest checkpoint that covers the posting. Undefined when there is no such posting, or no such checkpoint yet. */
  'ledger.proofMaterial': { input: { readonly posting: bigint }; output: ProofMaterial | undefined }
  /** That the first `to` postings begin with the first `from` (RFC 9162 §2.1.4). Undefined unless 0 ≤ from ≤ to ≤ all. */
  'ledger.consistency': { input: { readonly from: bigint; readonly to: bigint }; output: readonly Uint8Array[] | undefined }
  /** In their order, at most `max`. */
  'ledger.export': { input: { readonly after: bigint; readonly max: bigint }; output: readonly ChainedPosting[] }
  /** By number. */
  'ledger.accounts': { input: { readonly after: bigint; readonly max: bigint }; output: readonly LedgerAccount[] }
  /**
   * A step of recomputing everything, of about `max` rows, 30 µs each. Without `place` it begins. `deep` (with the first
   * step only): SQLite checks its own structures too, which takes a second for a million postings. Postings that come meanwhile
   * are verified too.
   */
  'ledger.verify': {
    input: { readonly place?: VerifyPlace | undefined; readonly max: bigint; readonly deep?: boolean | undefined }
    output: VerifyStep
  }
  /** From now on every order is refused (`ledger_broken`), also after a restart. */
  'ledger.condemn': { input: LedgerFault & { readonly at: bigint }; output: undefined }
  /** The operator has looked. */
  'ledger.absolve': { input: Readonly<Record<string, never>>; output: undefined }
  /** For the operator: undefined unless it is broken. `size`: postings. */
  'ledger.state': {
    input: Readonly<Record<string, never>>
    output: { readonly size: bigint; readonly fault: (LedgerFault & { readonly at: bigint }) | undefined }
  }
}
