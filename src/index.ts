// The package `sealwire`: `connect` for programs on Node and Bun, and what all its parts share. The parts themselves are
// `sealwire/protocol`, `sealwire/client`, `sealwire/client/node`, `sealwire/server` and `sealwire/link/…`.

export type {
  CallOptions,
  Contact,
  Content,
  Conversation,
  ConversationInfo,
  HistoryOptions,
  InboxItem,
  InboxOptions,
  LiveEvent,
  MessageContent,
  ReadEntry,
  SearchPage,
  Sealwire,
  SendFailure,
  SendOptions,
  Sent,
} from './client/index.ts'
export { connect, type ConnectOptions } from './client/node-sdk.ts'
export {
  type Code,
  type CodeRow,
  codes,
  type LimitName,
  type LimitRow,
  type Limits,
  limitTable,
  resolveLimits,
  SealwireError,
  type SealwireErrorOptions,
} from './protocol/index.ts'
