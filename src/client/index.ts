// The client of the contract, for every runtime. `sealwire` has `connect` for Node and Bun, `sealwire/client/node` a single
// connection there.

export type {
  EventData,
  EventName,
  Method,
  Params,
  ParsedEvent,
  Result,
  Welcome,
} from '../protocol/contract/index.ts'
export type { CallOptions } from './calls.ts'
export { type Client, type ClientOptions, type ClientParts, connect } from './client.ts'
export type { Content, EntryFile, MessageContent, ReadEntry } from './content.ts'
export type { Contact, Conversation, ConversationInfo, HistoryOptions, SearchOptions, SearchPage, SendFileOptions } from './conversation.ts'
export {
  blobSource,
  type Disk,
  type DiskSource,
  type FileReference,
  type FileSource,
  type FileTarget,
  type FileWay,
  type TransferOptions,
} from './files.ts'
export type { InboxItem, InboxOptions } from './inbox.ts'
export { IndexedDbOutbox } from './outbox/indexed-db.ts'
export { answerId, formatMessageId, newMessageId, parseMessageId, type Randomness } from './outbox/message-id.ts'
export type { SendFailure, Sent } from './outbox.ts'
export { MemoryOutbox, type OutboxEntry, type OutboxStore } from './outbox/store.ts'
export type { HoldOptions, OrderOptions, PayOptions, PayRequestOptions, RequestOptions, SplitShare } from './payments/options.ts'
export type { OrderId } from './payments/orders.ts'
export type { RequestsOptions, StatementOptions } from './payments/pages.ts'
export type {
  Balance,
  PaymentChange,
  PaymentRequest,
  PaymentUnit,
  StatementLine,
  Transfer,
  TransferPart,
} from './payments/results.ts'
export type { OrderSigner } from './payments/signed.ts'
export type { Amount } from './payments/units.ts'
export type { SignerOptions } from './payments/views.ts'
export type { Payments } from './payments.ts'
export type { Role, RoomMember, RoomOptions, Rooms } from './rooms.ts'
export { type LiveEvent, Sealwire, type SealwireParts, type SendOptions } from './sealwire.ts'
export type { Hasher } from './sha256.ts'
export type { LoggedIn, UplinkState } from './uplink.ts'
