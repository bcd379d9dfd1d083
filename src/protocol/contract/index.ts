export { type CborValue, cborDepthMax, decodeCbor, encodeCbor } from './cbor.ts'
export { contractCommands, contractVersion } from './commands.ts'
export { type EventData, type EventName, type EventRow, events, isEvent } from './events.ts'
export { type Hello, helloSchema, type Welcome, welcomeSchema } from './greeting.ts'
export {
  chatBodyBytesMax,
  csrBytesMax,
  deviceLabelCharactersMax,
  echoBytesMax,
  invitationBytes,
  isMethod,
  type Method,
  type MethodRow,
  methods,
  type Params,
  type Result,
  statementBytesMax,
  tokenBytes,
  type When,
} from './methods.ts'
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
