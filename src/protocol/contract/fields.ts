// What the fields of methods and events may hold. Each is a valibot schema, so that types, checks and the reference page
// come from one place. Bounds are part of the schema: nothing larger reaches a service.

import * as v from 'valibot'

/** Text of at most `max` UTF-16 code units. */
export const text = (max: number, description: string) => v.pipe(v.string(), v.maxLength(max), v.description(description))

/** A content type: printable ASCII, so that its bytes are counted by its length and it can be shown. */
export const contentType = (description: string) =>
  v.pipe(v.string(), v.maxLength(contentTypeMax), v.regex(/^[\x20-\x7e]+$/), v.description(description))

/** At most `max` bytes. */
export const bytes = (max: number, description: string) =>
  v.pipe(
    v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'Expected bytes'),
    v.check((value) => value.length <= max, `Expected at most ${max} bytes`),
    v.metadata({ bytesMax: max }),
    v.description(description),
  )

/** Exactly `count` bytes. */
export const exactBytes = (count: number, description: string) =>
  v.pipe(
    v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'Expected bytes'),
    v.check((value) => value.length === count, `Expected ${count} bytes`),
    v.metadata({ bytesExactly: count }),
    v.description(description),
  )

/** A whole number from 0 to `max`, by default the largest that is exact. */
export const count = (description: string, max: number = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(max), v.description(description))

/** True or false. */
export const flag = (description: string) => v.pipe(v.boolean(), v.description(description))

/** One of some words. */
export const word = <const W extends readonly [string, ...string[]]>(words: W, description: string) =>
  v.pipe(v.picklist(words), v.description(description))

/** The name of an account, as its owner wrote it or as somebody typed it. */
export const name = (description: string) => text(nameCodeUnitsMax, description)

/** A password, before it is normalised and counted. */
export const password = (description: string) => text(passwordCodeUnitsMax, description)

/** A name has at most 32 characters; normalising may shorten what was typed. */
const nameCodeUnitsMax = 256
const passwordCodeUnitsMax = 1_024
const contentTypeMax = 128
