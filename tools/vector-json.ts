// How vectors/contract says in JSON what CBOR carries (vectors/README.md): bytes are { "$bytes": hex, "$times": count },
// everything else is itself.

import type { CborValue } from '../src/protocol/contract/index.ts'

/** A value of a vector, as JSON has it. */
export type VectorJson = null | boolean | number | string | readonly VectorJson[] | { readonly [key: string]: VectorJson }

/** The JSON of a value; bytes that are one byte many times are written short. */
export function toVectorJson(value: unknown): VectorJson {
  if (value instanceof Uint8Array) return bytesJson(value)
  if (Array.isArray(value)) return value.map(toVectorJson)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => [key, toVectorJson(each)]),
    )
  }
  return value as VectorJson
}

/** The value of a JSON. */
export function fromVectorJson(json: VectorJson): CborValue {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map(fromVectorJson)
  const entries = Object.entries(json)
  const { $bytes, $times = 1 } = Object.fromEntries(entries)
  if (typeof $bytes === 'string') return new Uint8Array(Buffer.from($bytes.repeat(Number($times)), 'hex'))
  return Object.fromEntries(entries.map(([key, each]) => [key, fromVectorJson(each)]))
}

function bytesJson(bytes: Uint8Array): VectorJson {
  const hex = Buffer.from(bytes).toString('hex')
  const isRun = bytes.length > 64 && bytes.every((byte) => byte === bytes[0])
  return isRun ? { $bytes: hex.slice(0, 2), $times: bytes.length } : { $bytes: hex }
}
