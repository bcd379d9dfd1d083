// What the vectors of the contract are made with: a frame, and what its reader makes of it.

import { mkdirSync, writeFileSync } from 'node:fs'
import {
  type CborValue,
  contractCommands,
  encodeCbor,
  encodeEvent,
  encodeRequestIn,
  encodeResultIn,
  type EventData,
  type EventName,
  type MethodIn,
  methods,
  type MethodTable,
  type ParamsIn,
  type ResultIn,
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
/** What makes the vectors of a table of methods. */
export const vectorsOf = <T extends MethodTable>(table: T) => ({
  request: <M extends MethodIn<T>>(name: string, id: number, method: M, params: ParamsIn<T, M>) =>
    vector(name, 'request', [id, method, params], encodeRequestIn<T, M>(table, id, method, params)),
  result: <M extends MethodIn<T>>(name: string, id: number, method: M, value: ResultIn<T, M>) => ({
    ...vector(name, 'result', [id, value], encodeResultIn<T, M>(table, id, method, value)),
    method,
  }),
})
export const { request, result } = vectorsOf(methods)
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

/** Writes `vectors/NAME/` with a line for each vector. */
export function writeVectors(name: string, files: Readonly<Record<string, readonly unknown[]>>): void {
  const folder = new URL(`../vectors/${name}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const [file, vectors] of Object.entries(files)) {
    writeFileSync(new URL(`${file}.json`, folder), `[\n${vectors.map((each) => `  ${JSON.stringify(each)}`).join(',\n')}\n]\n`)
  }
}
