// The client of the contract, for every runtime. `sealwire/client/node` has the connection for Node and Bun.

export type {
  EventData,
  EventName,
  Method,
  Params,
  ParsedEvent,
  Result,
  Welcome,
} from '../protocol/contract/index.ts'
export { type Client, type ClientOptions, type ClientParts, connect } from './client.ts'
