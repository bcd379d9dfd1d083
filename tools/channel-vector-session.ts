// Handshakes and records from fixed keys, for the vectors of the channel: what honest ends send, and what nobody would.

import { createHash } from 'node:crypto'
import type { CipherState } from '../src/channel/cipher-state.ts'
import { KeyPair } from '../src/channel/key-pair.ts'
import { NoiseHandshake } from '../src/channel/noise-handshake.ts'
import type { PatternName } from '../src/channel/patterns.ts'
import { encodePreamble, prologueOf } from '../src/channel/preamble.ts'
import { encodeGreeting, type ServerGreeting } from '../src/channel/server-greeting.ts'

/** The secret keys of one vector. */
export interface SessionKeys {
  readonly clientStatic: Uint8Array
  readonly clientEphemeral: Uint8Array
  readonly serverStatic: Uint8Array
  readonly serverEphemeral: Uint8Array
}

/** What may differ from what an honest end would do. */
export interface SessionOptions {
  readonly keys?: Partial<SessionKeys>
  readonly binding?: Uint8Array
  /** Payload of the server's message. */
  readonly payload?: Uint8Array
  readonly preamble?: Uint8Array
  readonly firstPayload?: Uint8Array
  readonly thirdPayload?: Uint8Array
}

/** Everything that travels in a handshake, and the keys it leads to. */
export interface Session {
  readonly pattern: PatternName
  readonly preamble: Uint8Array
  readonly first: Uint8Array
  readonly second: Uint8Array
  /** Empty but for XX. */
  readonly third: Uint8Array
  readonly hash: Uint8Array
  readonly client: CipherState
  readonly server: CipherState
}

/** 32 bytes that have a name. */
export const named = (name: string): Uint8Array => createHash('sha256').update(`sealwire vector ${name}`).digest()

export const sessionKeys: SessionKeys = {
  clientStatic: named('client static'),
  clientEphemeral: named('client ephemeral'),
  serverStatic: named('server static'),
  serverEphemeral: named('server ephemeral'),
}

export const greeting: ServerGreeting = {
  server: named('server id').subarray(0, 16),
  versions: [2],
  time: 1_800_000_000_000,
  limits: { recordBytesMax: 65_535, ageMsMax: 86_400_000 },
}

/** What a client sends first to a server that it expects to have `expectedKey`. */
export function firstMessage(pattern: 'IK' | 'NK', expectedKey: Uint8Array): Uint8Array {
  const preamble = encodePreamble(pattern)
  const client = new NoiseHandshake({
    pattern,
    role: 'initiator',
    prologue: prologueOf(preamble),
    staticKey: KeyPair.from(sessionKeys.clientStatic),
    remoteStaticKey: expectedKey,
    ephemeral: () => KeyPair.from(sessionKeys.clientEphemeral),
  })
  return joined(preamble, client.write(nothing))
}

/** A whole handshake between two ends with fixed keys. */
export function session(pattern: PatternName, options: SessionOptions = {}): Session {
  const keys = { ...sessionKeys, ...options.keys }
  const preamble = options.preamble ?? encodePreamble(pattern)
  const prologue = prologueOf(preamble, options.binding)
  const serverStatic = KeyPair.from(keys.serverStatic)
  const client = new NoiseHandshake({
    pattern,
    role: 'initiator',
    prologue,
    staticKey: KeyPair.from(keys.clientStatic),
    remoteStaticKey: pattern === 'XX' ? undefined : serverStatic.publicKey,
    ephemeral: () => KeyPair.from(keys.clientEphemeral),
  })
  const first = client.write(options.firstPayload ?? nothing)
  const server = new NoiseHandshake({
    pattern,
    role: 'responder',
    prologue,
    staticKey: serverStatic,
    ephemeral: () => KeyPair.from(keys.serverEphemeral),
  })
  server.read(first)
  const second = server.write(options.payload ?? encodeGreeting(greeting))
  client.read(second)
  const third = pattern === 'XX' ? client.write(options.thirdPayload ?? nothing) : nothing
  if (pattern === 'XX') server.read(third)
  return { pattern, preamble, first, second, third, hash: client.hash, client: client.split().outbound, server: server.split().outbound }
}

/** A record by hand. `header` may change the header before it is authenticated; `associated` replaces it there. */
export function record(
  cipher: CipherState,
  type: number,
  data: Uint8Array = nothing,
  { header: change, associated }: { readonly header?: (header: Uint8Array) => void; readonly associated?: Uint8Array } = {},
): Uint8Array {
  const length = 1 + data.length + 16
  const bytes = new Uint8Array(16 + length)
  new DataView(bytes.buffer).setUint32(0, length)
  bytes.set(cipher.nonce, 4)
  change?.(bytes)
  cipher.sealInto(bytes, 16, associated ?? bytes.slice(0, 16), Uint8Array.of(type), data)
  return bytes
}

/** A message behind its length. */
export function prefixed(message: Uint8Array): Uint8Array {
  return message.length === 0 ? nothing : joined(Uint8Array.of(message.length >>> 8, message.length & 0xff), message)
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const text = (value: string): Uint8Array => new TextEncoder().encode(value)
/** A copy with the bits of `mask` flipped in one byte; a negative place counts from the end. */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const place = at < 0 ? bytes.length + at : at
  return bytes.map((byte, index) => (index === place ? byte ^ mask : byte))
}

const nothing = new Uint8Array(0)
