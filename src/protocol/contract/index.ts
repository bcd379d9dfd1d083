export { type CborValue, cborDepthMax, decodeCbor, encodeCbor } from './cbor.ts'
export { contractCommands, contractVersion } from './commands.ts'
export {
  type Entry,
  mentionsMax,
  messageBodyBytesMax,
  paymentType,
  messageIdBytes,
} from './entry.ts'
export { type EventData, type EventName, type EventRow, events, isEvent } from './events.ts'
export { type Hello, helloSchema, type Welcome, welcomeSchema } from './greeting.ts'
export {
  csrBytesMax,
  deviceLabelCharactersMax,
  echoBytesMax,
  isMethod,
  type Method,
  methods,
  type Params,
  type Result,
  tokenBytes,
} from './methods.ts'
export type { MethodRow, When } from './method-row.ts'
export {
  checkResultIn,
  encodeRequestIn,
  encodeResultIn,
  knownIn,
  type MethodIn,
  type MethodTable,
  type ParamsIn,
  parseParamsIn,
  type ResultIn,
} from './method-table.ts'
export type { ConversationInfo } from './methods/conversation.ts'
export { challengeBytes, deviceSecretBytes } from './methods/device-link.ts'
export { directTokenBytes } from './methods/direct.ts'
export { fileChunkBytesMax } from './methods/file.ts'
export { memoCharactersMax, orderBytesMax, receiptBytesMax } from './methods/payment.ts'
export { roomSecretBytes } from './methods/room.ts'
export {
  type CaptureOrder,
  decodeOrder,
  encodeOrder,
  type Order,
  type OrderKind,
  orderKinds,
  orderPurposes,
  orderSigner,
  type PayOrder,
  type RefundOrder,
  type SplitOrder,
  splitPayees,
  type VoidOrder,
} from './order.ts'
export {
  checkResult,
  encodeEvent,
  encodeFault,
  encodeHello,
  encodeRequest,
  encodeResult,
  encodeWelcome,
  type Fault,
  goodbyeBody,
  knownMethod,
  parseEvent,
  type ParsedEvent,
  parseFault,
  parseHello,
  parseParams,
  parseRequest,
  parseResult,
  parseWelcome,
  type RequestEnvelope,
  requestIdMax,
} from './packet.ts'
