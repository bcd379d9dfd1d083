import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { assert } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import { channelBroken } from './broken.ts'
import { publicKeyBytes } from './key-pair.ts'

/** The version of the channel that this code speaks. */
export const channelVersionSpoken = 2
/** The longest greeting: the largest message without the keys and tags around it. */
const greetingBytesMax = 1_024 - (32 + 48 + 16)

const whole = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max))

/** Fields that a client does not know are ignored, so that later servers can say more. */
const schema = v.object({
  server: v.pipe(
    v.custom<Uint8Array>((value) => value instanceof Uint8Array),
    v.check((value) => value.length > 0 && value.length <= 64),
  ),
  versions: v.pipe(v.array(whole(0, 65_535)), v.minLength(1), v.maxLength(16)),
  time: whole(0, Number.MAX_SAFE_INTEGER),
  limits: v.object({ recordBytesMax: whole(1_024, 65_535), ageMsMax: whole(1, 24 * 60 * 60 * 1_000) }),
  next: v.optional(
    v.object({
      key: v.pipe(
        v.custom<Uint8Array>((value) => value instanceof Uint8Array),
        v.check((value) => value.length === publicKeyBytes),
      ),
      until: whole(0, Number.MAX_SAFE_INTEGER),
    }),
  ),
})

/**
 * What a server says in its last message of the handshake. `server`: its id, 1 to 64 bytes. `versions`: what it speaks.
 * `time`: its clock, milliseconds since 1970. `limits.recordBytesMax`: the longest record it takes, after the header.
 * `limits.ageMsMax`: how long a channel lives. `next`: the static key that takes the place of its own, and until when, by
 * `time`, its own is still good.
 */
export type ServerGreeting = v.InferOutput<typeof schema>

/** The bytes of a greeting, at most 928. */
export function encodeGreeting(greeting: ServerGreeting): Uint8Array {
  const bytes = encodeCbor({ ...greeting, limits: { ...greeting.limits }, next: greeting.next && { ...greeting.next } })
  assert(bytes.length <= greetingBytesMax, 'a greeting that no message holds')
  return bytes
}

/** @throws {SealwireError} `channel_broken` for what is no greeting, and for one of a server that does not offer this version. */
export function decodeGreeting(bytes: Uint8Array): ServerGreeting {
  const result = v.safeParse(schema, decoded(bytes))
  if (!result.success || !result.output.versions.includes(channelVersionSpoken)) throw channelBroken()
  return result.output
}

/**
 * The key that takes the place of `serverKey`, which has proved the greeting: whoever keeps that keeps this one instead.
 * `undefined` when there is none, or none that may be believed: a statement is good for `channelOverlapMsMax` at most.
 */
export function successorIn(
  { next, time }: ServerGreeting,
  serverKey: Uint8Array,
  { channelOverlapMsMax }: Pick<Limits, 'channelOverlapMsMax'>,
): Uint8Array | undefined {
  if (next === undefined || Buffer.compare(next.key, serverKey) === 0) return undefined
  return next.until > time && next.until - time <= channelOverlapMsMax ? new Uint8Array(next.key) : undefined
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decodeCbor(bytes)
  } catch {
    throw channelBroken()
  }
}
