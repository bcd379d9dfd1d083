// The bodies of requests and results of any table of methods: that of the server, and that of two devices on a direct link.

import type * as v from 'valibot'
import { SealwireError } from '../errors.ts'
import { type CborValue, encodeCbor } from './cbor.ts'
import type { MethodRow } from './method-row.ts'
import { parse } from './parse.ts'

/** Methods by their names. */
export type MethodTable = Readonly<Record<string, Pick<MethodRow, 'params' | 'plain' | 'result'>>>
/** The name of a method of a table. */
export type MethodIn<T extends MethodTable> = keyof T & string
/** What a method of a table is given. */
export type ParamsIn<T extends MethodTable, M extends MethodIn<T>> = Declared<v.InferOutput<T[M]['params']>>
/** What it answers. */
export type ResultIn<T extends MethodTable, M extends MethodIn<T>> = v.InferOutput<T[M]['result']>

/** Where nothing is declared nothing may be given: `{}` alone would take any object. */
type Declared<P extends object> = keyof P extends never ? Readonly<Record<string, never>> : P

/** The method a request names. @throws {SealwireError} `unknown_method`. */
export function knownIn<T extends MethodTable>(table: T, method: string): MethodIn<T> {
  if (Object.hasOwn(table, method)) return method
  throw new SealwireError('unknown_method', 'there is no such method')
}

/** Body of Request: `[id, method, params]`. */
export function encodeRequestIn<T extends MethodTable, M extends MethodIn<T>>(
  _table: T,
  id: number,
  method: M,
  params: ParamsIn<T, M>,
): Uint8Array {
  return encodeCbor([id, method, plain(params)])
}

/** The checked parameters of a request. @throws {SealwireError} `malformed`, naming the field and never its value. */
export function parseParamsIn<T extends MethodTable, M extends MethodIn<T>>(table: T, method: M, params: unknown): ParamsIn<T, M> {
  const row = rowIn(table, method)
  // Both have the same output (methods/conversation.test.ts).
  return (row.plain?.(params) as ParamsIn<T, M> | undefined) ?? parse<ParamsIn<T, M>>(row.params, params, method)
}

/** Body of Result: `[id, result]`. */
export function encodeResultIn<T extends MethodTable, M extends MethodIn<T>>(
  _table: T,
  id: number,
  _method: M,
  result: ResultIn<T, M>,
): Uint8Array {
  return encodeCbor([id, plain(result)])
}

/** The checked result of a method. @throws {SealwireError} `malformed`. */
export function checkResultIn<T extends MethodTable, M extends MethodIn<T>>(table: T, method: M, result: unknown): ResultIn<T, M> {
  return parse<ResultIn<T, M>>(rowIn(table, method).result, result, method)
}

/** The rows differ in type; what all have in common is this. */
function rowIn<T extends MethodTable>(table: T, method: MethodIn<T>): MethodTable[string] {
  return table[method] as MethodTable[string]
}

/** The schema's types are the contract's; what they allow is what CBOR carries. */
function plain(value: unknown): CborValue {
  return value as CborValue
}
