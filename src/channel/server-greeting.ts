import * as v from 'valibot'
import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { assert } from '../protocol/errors.ts'
import { channelBroken } from './broken.ts'

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
})

/**
 * What a server says in its last message of the handshake. `server`: its id, 1 to 64 bytes. `versions`: what it speaks.
 * `time`: its clock, milliseconds since 1970. `limits.recordBytesMax`: the longest record it takes, after the header.
 * `limits.ageMsMax`: how long a channel lives.
 */
export type ServerGreeting = v.InferOutput<typeof schema>

/** The bytes of a greeting, at most 928. */
export function encodeGreeting(greeting: ServerGreeting): Uint8Array {
  const bytes = encodeCbor({ ...greeting, limits: { ...greeting.limits } })
  assert(bytes.length <= greetingBytesMax, 'a greeting that no message holds')
  return bytes
}

/** @throws {SealwireError} `channel_broken` for what is no greeting, and for one of a server that does not offer this version. */
export function decodeGreeting(bytes: Uint8Array): ServerGreeting {
  const result = v.safeParse(schema, decoded(bytes))
  if (!result.success || !result.output.versions.includes(channelVersionSpoken)) throw channelBroken()
  return result.output
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decodeCbor(bytes)
  } catch {
    throw channelBroken()
  }
}
