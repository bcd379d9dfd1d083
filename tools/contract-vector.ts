// What the vectors of the contract are made with: a frame, and what its reader makes of it.

import {
  type CborValue,
  contractCommands,
  encodeCbor,
  encodeEvent,
  encodeRequest,
  encodeResult,
  type EventData,
  type EventName,
  type Method,
  type Params,
  type Result,
} from '../src/protocol/contract/index.ts'
import { type Code, encodeFrame } from '../src/protocol/index.ts'
import { toVectorJson } from './vector-json.ts'

export type Kind = keyof typeof contractCommands
export type Layer = 'cbor' | 'envelope' | 'method' | 'fields'

export interface BadVector {
  readonly name: string
  readonly kind: Kind
  readonly layer: Layer
  readonly error: Code
  /** Of the request that is answered; `null` when the whole connection is. Only where the kind is `request`. */
  readonly id?: number | null
  /** Of the request that a bad result answers. */
  readonly method?: string
  readonly frame: string
}

export const run = (count: number, byte = 0x2a): Uint8Array => new Uint8Array(count).fill(byte)
export const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value)

const frameHex = (kind: Kind, body: Uint8Array): string => Buffer.from(encodeFrame(contractCommands[kind], body)).toString('hex')

export const vector = (name: string, kind: Kind, value: unknown, body: Uint8Array) => ({
  name,
  kind,
  value: toVectorJson(value),
  frame: frameHex(kind, body),
})
export const request = <M extends Method>(name: string, id: number, method: M, params: Params<M>) =>
  vector(name, 'request', [id, method, params], encodeRequest(id, method, params))
export const result = <M extends Method>(name: string, id: number, method: M, value: Result<M>) => ({
  ...vector(name, 'result', [id, value], encodeResult(id, method, value)),
  method,
})
export const event = <E extends EventName>(name: string, which: E, data: EventData<E>) =>
  vector(name, 'event', [which, data], encodeEvent(which, data))

export function bad(name: string, kind: Kind, layer: Layer, body: Uint8Array, rest: Partial<BadVector> = {}): BadVector {
  return { name, kind, layer, error: 'malformed', ...rest, frame: frameHex(kind, body) }
}

/** A request whose parameters are not what its method takes. */
export const refused = (name: string, method: string, params: CborValue): BadVector =>
  bad(`${method}: ${name}`, 'request', 'fields', encodeCbor([7, method, params]), { id: 7 })
/** A body of another kind whose fields are not what they should be. */
export const misfit = (name: string, kind: Kind, value: CborValue, rest: Partial<BadVector> = {}): BadVector =>
  bad(`${kind}: ${name}`, kind, 'fields', encodeCbor(value), rest)
/** The same, of a result. */
export const misanswered = (name: string, method: string, value: CborValue): BadVector => misfit(name, 'result', [1, value], { method })
