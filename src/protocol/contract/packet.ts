// The bodies of the contract's frames (contract.md): CBOR on the outside, a declared schema on the inside. The functions
// that read throw only SealwireError `malformed` or `unknown_method`.

import { type Code, codes } from '../errors.ts'
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts'
import { type EventData, type EventName, events, isEvent } from './events.ts'
import { type Hello, helloSchema, type Welcome, welcomeSchema } from './greeting.ts'
import { learnText } from './known-texts.ts'
import { checkResultIn, encodeRequestIn, encodeResultIn, knownIn, parseParamsIn } from './method-table.ts'
import { type Method, methods, type Params, type Result } from './methods.ts'
import { malformed, parse } from './parse.ts'

/** The largest id of a request: it fits four bytes. */
export const requestIdMax = 0xffff_ffff

/** A request as it arrived: the envelope is checked, the parameters are not yet. */
export interface RequestEnvelope {
  readonly id: number
  readonly method: string
  readonly params: unknown
}

/** Why there is no result. Without an id: why the connection ends. */
export interface Fault {
  readonly id: number | null
  readonly code: Code
  readonly sentence: string
}

/** Body of Hello. */
export const encodeHello = (hello: Hello): Uint8Array => encodeCbor(hello)
/** @throws {SealwireError} `malformed`. */
export const parseHello = (body: Uint8Array): Hello => parse(helloSchema, decodeCbor(body), 'hello')

/** Body of Welcome. */
export const encodeWelcome = (welcome: Welcome): Uint8Array => encodeCbor(welcome)
/** @throws {SealwireError} `malformed`. */
export const parseWelcome = (body: Uint8Array): Welcome => parse(welcomeSchema, decodeCbor(body), 'welcome')

/** Body of Goodbye: an empty map. */
export const goodbyeBody: Uint8Array = encodeCbor({})

/** Body of Request: `[id, method, params]`. */
export function encodeRequest<M extends Method>(id: number, method: M, params: Params<M>): Uint8Array {
  return encodeRequestIn(methods, id, method, params)
}

/** The envelope of a request. @throws {SealwireError} `malformed`: there may be no id to answer to. */
export function parseRequest(body: Uint8Array): RequestEnvelope {
  const [id, method, params] = tuple(body, 3)
  if (!isId(id) || typeof method !== 'string') throw malformed('a request is [id, method, params]')
  return { id, method, params }
}

/**
 * The checked parameters of a request.
 * @throws {SealwireError} `malformed`, naming the field and never its value.
 */
export function parseParams<M extends Method>(method: M, params: unknown): Params<M> {
  return parseParamsIn<typeof methods, M>(methods, method, params)
}

/** The method a request names. @throws {SealwireError} `unknown_method`. */
export function knownMethod(method: string): Method {
  return knownIn(methods, method)
}

/** Body of Result: `[id, result]`. */
export function encodeResult<M extends Method>(id: number, method: M, result: Result<M>): Uint8Array {
  return encodeResultIn(methods, id, method, result)
}

/** Id and unchecked result. @throws {SealwireError} `malformed`. */
export function parseResult(body: Uint8Array): { readonly id: number; readonly result: unknown } {
  const [id, result] = tuple(body, 2)
  if (!isId(id)) throw malformed('a result is [id, result]')
  return { id, result }
}

/** The checked result of a method. @throws {SealwireError} `malformed`. */
export function checkResult<M extends Method>(method: M, result: unknown): Result<M> {
  return checkResultIn<typeof methods, M>(methods, method, result)
}

/** Body of Fault: `[id or null, number of the code, sentence]`. */
export function encodeFault({ id, code, sentence }: Fault): Uint8Array {
  return encodeCbor([id, codes[code].wire, sentence])
}

/** A fault; a number that this version does not know is `internal`. @throws {SealwireError} `malformed`. */
export function parseFault(body: Uint8Array): Fault {
  const [id, wire, sentence] = tuple(body, 3)
  if ((id !== null && !isId(id)) || typeof wire !== 'number' || typeof sentence !== 'string') {
    throw malformed('a fault is [id or null, code, sentence]')
  }
  return { id, code: codeOf.get(wire) ?? (isLaterRefusal(wire) ? 'refused' : 'internal'), sentence }
}

/** Body of Event: `[event, data]`. */
export function encodeEvent<E extends EventName>(event: E, data: EventData<E>): Uint8Array {
  return encodeCbor([event, plain(data)])
}

/** An event with its checked data. */
export type ParsedEvent = { readonly [E in EventName]: { readonly event: E; readonly data: EventData<E> } }[EventName]

/** An event; `undefined` for one that this version does not know. @throws {SealwireError} `malformed`. */
export function parseEvent(body: Uint8Array): ParsedEvent | undefined {
  const [event, data] = tuple(body, 2)
  if (typeof event !== 'string') throw malformed('an event is [event, data]')
  return isEvent(event) ? eventOf(event, data) : undefined
}

function eventOf<E extends EventName>(event: E, data: unknown): ParsedEvent {
  return { event, data: parse<EventData<E>>(events[event].data, data, event) } as ParsedEvent
}

/** The schema's types are the contract's; what they allow is what CBOR carries. */
function plain(value: object): CborValue {
  return value as CborValue
}

function tuple(body: Uint8Array, length: number): readonly unknown[] {
  const value = decodeCbor(body)
  if (!Array.isArray(value) || value.length !== length) throw malformed(`a body is not an array of ${length}`)
  return value
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= requestIdMax
}

/** A refusal that a later server may bring must not end the connection of a client of today. */
function isLaterRefusal(wire: number): boolean {
  return wire >= refusalWireFirst && wire < operatorWireFirst
}

const refusalWireFirst = 0x10
const operatorWireFirst = 0x40
/** Codes that travel: those of the operator's side do not, whoever sends them. */
const codeOf: ReadonlyMap<number, Code> = new Map(
  Object.entries(codes)
    .filter(([, { wire }]) => wire < operatorWireFirst)
    .map(([code, { wire }]) => [wire, code as Code]),
)

// Whoever sends other keys cannot make these slower.
for (const name of [...Object.keys(methods), ...Object.keys(events)]) learnText(name, true)
