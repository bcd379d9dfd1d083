// What a verification of the ledger says, step by step.

/** Where a verification is; nobody but the store looks into it. */
export interface VerifyPlace {
  readonly part: 'postings' | 'legs' | 'accounts' | 'transfers' | 'requests'
  /** Postings, and legs, that were looked at. */
  readonly seq: bigint
  readonly hash: Uint8Array
  /** Complete subtrees on the way, the largest first. */
  readonly frontier: readonly Uint8Array[]
  /** Key of the last row of this part. */
  readonly after: readonly (bigint | Uint8Array)[]
}

/** The first row that is not what it must be. */
export interface LedgerFault {
  /** Of which table, and which of its rows: `posting 17`, `account 3 of credits`. */
  readonly row: string
  readonly what: string
}

/** A signature for the caller to check, who knows how. */
export interface SignatureToCheck {
  /** Of which row, as in {@link LedgerFault}. */
  readonly row: string
  /** The external text. */
  readonly purpose: string
  readonly cose: Uint8Array
  /** Of an order: who must have signed. The key was of one of their devices then; that device may be forgotten since. */
  readonly signerId: bigint | undefined
  /** Of a checkpoint, what it must say. */
  readonly checkpoint: { readonly size: bigint; readonly root: Uint8Array; readonly at: bigint } | undefined
}

/** A step of a verification. */
export interface VerifyStep {
  /** Where to go on; undefined: it is over. */
  readonly next: VerifyPlace | undefined
  /** It is over then. */
  readonly fault: LedgerFault | undefined
  readonly signatures: readonly SignatureToCheck[]
  /** Rows that this step has looked at. */
  readonly rows: bigint
}
