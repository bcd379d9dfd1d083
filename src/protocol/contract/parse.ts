// From what CBOR brought to what a schema says. A refusal names the field, never its value.

import * as v from 'valibot'
import { SealwireError } from '../errors.ts'

/**
 * `value` as the schema has it; `what` is its name in the refusal.
 * @throws {SealwireError} `malformed`.
 */
export function parse<T>(schema: v.GenericSchema<unknown, unknown>, value: unknown, what: string): T {
  // The schema library takes an empty array for an empty map.
  if (!isMap(value)) throw malformed(`${what} is not a map`)
  const result = v.safeParse(schema, value, parseOptions)
  if (result.success) return result.output as T
  const [issue] = result.issues
  const at = v.getDotPath(issue)
  throw malformed(`${what}${at === null ? '' : `.${printable(at)}`} is not what it should be`)
}

export function malformed(sentence: string): SealwireError {
  return new SealwireError('malformed', sentence)
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** A field's name may come from the peer. */
function printable(path: string): string {
  return path.slice(0, 64).replace(/[^\w.]/g, '?')
}

const parseOptions = { abortEarly: true } as const
