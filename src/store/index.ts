// What a server keeps, and where. The rest of Sealwire knows the contract (store.ts) and the functions named here.

export { ifFree, lockData } from './data-lock.ts'
export { inMemory } from './sqlite/database.ts'
export { openInProcessStore } from './sqlite/in-process-store.ts'
export { countRows } from './sqlite/row-counts.ts'
export { type Snapshot, type SnapshotCount, type SnapshotFile, type SnapshotPart, takeSnapshot } from './sqlite/snapshot.ts'
export { openStore } from './sqlite/sqlite-store.ts'
export { verifyStructure } from './sqlite/structure.ts'
export type { StoreLog, StoreWatch } from './sqlite/supervised-worker.ts'
export type {
  Account,
  AccountSummary,
  Device,
  DeviceOwner,
  RevokedDevice,
  Enrolment,
  Input,
  InvitationState,
  InvitationUse,
  NewAccount,
  NewDevice,
  NewInvitation,
  OperationName,
  Output,
  Person,
  SecretHash,
  Store,
  SynchronousStore,
  Throttle,
  Visibility,
} from './store.ts'
export type {
  Act,
  ContactRow,
  ConversationRow,
  Delivery,
  EntryPage,
  Freed,
  HistoryPolicy,
  InboxEntry,
  MemberRow,
  NewEntry,
  Posted,
  Privacy,
  Role,
  StoredEntry,
  StoredFile,
} from './delivery.ts'
export { entryBytesOf } from './entry-bytes.ts'
export type {
  Balance,
  ChainedPosting,
  Checkpoint,
  LedgerMessage,
  LedgerOrder,
  Ordered,
  PaymentRequest,
  ProofMaterial,
  StatementLine,
  Transfer,
  Unit,
} from './ledger.ts'
export type { HoldPlace, StuckHold } from './over-holds.ts'
export type { LedgerFault, SignatureToCheck, VerifyPlace } from './ledger-verification.ts'
