import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import type { CipherState } from '../../src/channel/cipher-state.ts'
import { KeyPair } from '../../src/channel/key-pair.ts'
import { NoiseHandshake } from '../../src/channel/noise-handshake.ts'
import { type PatternName, patterns } from '../../src/channel/patterns.ts'
import { SymmetricState } from '../../src/channel/symmetric-state.ts'
import { lowOrder } from '../../tools/bad-channel-vectors.ts'
import { refusalOf } from '../support/refusal.ts'
import { fromHex, hex, text } from './support.ts'

/** A vector in the form of the Noise wiki. */
interface Published {
  readonly protocol_name: string
  readonly init_prologue: string
  readonly init_static?: string
  readonly init_ephemeral: string
  readonly init_remote_static?: string
  readonly resp_prologue: string
  readonly resp_static?: string
  readonly resp_ephemeral: string
  readonly handshake_hash?: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

const empty = new Uint8Array(0)
const libraries = ['cacophony', 'snow'] as const

describe('published vectors', () => {
  for (const library of libraries) {
    test(`of ${library}: every XX, IK and NK of this suite, to the byte`, () => {
      const path = new URL(`../../../shared/vectors/noise-${library}.json`, import.meta.url)
      if (!existsSync(path)) {
        if (process.env['CI'] === 'true') throw new Error('the published vectors are not here')
        return void console.warn('SKIPPED: the published vectors are not here')
      }
      const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as { readonly vectors: readonly Published[] }
      const played = vectors.map(play).filter((pattern) => pattern !== undefined)
      expect([...new Set(played)].toSorted()).toEqual(['IK', 'NK', 'XX'])
    })
  }
})

/** Plays one vector; `undefined` for a pattern or a suite that is not ours. */
function play(vector: Published): PatternName | undefined {
  const [, name] = /^Noise_(XX|IK|NK)_25519_AESGCM_SHA256$/.exec(vector.protocol_name) ?? []
  if (name !== 'XX' && name !== 'IK' && name !== 'NK') return undefined
  const pair = (secret: string | undefined): KeyPair | undefined => (secret === undefined ? undefined : KeyPair.from(fromHex(secret)))
  const initiator = new NoiseHandshake({
    pattern: name,
    role: 'initiator',
    prologue: fromHex(vector.init_prologue),
    staticKey: pair(vector.init_static),
    remoteStaticKey: vector.init_remote_static === undefined ? undefined : fromHex(vector.init_remote_static),
    ephemeral: () => KeyPair.from(fromHex(vector.init_ephemeral)),
  })
  const responder = new NoiseHandshake({
    pattern: name,
    role: 'responder',
    prologue: fromHex(vector.resp_prologue),
    staticKey: pair(vector.resp_static),
    ephemeral: () => KeyPair.from(fromHex(vector.resp_ephemeral)),
  })
  const count = patterns[name].messages.length
  for (const [at, { payload, ciphertext }] of vector.messages.slice(0, count).entries()) {
    const [writer, reader] = at % 2 === 0 ? [initiator, responder] : [responder, initiator]
    expect(hex(writer.write(fromHex(payload)))).toBe(ciphertext)
    expect(hex(reader.read(fromHex(ciphertext)))).toBe(payload)
  }
  if (vector.handshake_hash !== undefined)
    expect([hex(initiator.hash), hex(responder.hash)]).toEqual([vector.handshake_hash, vector.handshake_hash])
  const [ours, theirs] = [initiator.split(), responder.split()]
  for (const [at, { payload, ciphertext }] of vector.messages.slice(count).entries()) {
    const [sender, receiver]: readonly [CipherState, CipherState] =
      (count + at) % 2 === 0 ? [ours.outbound, theirs.inbound] : [theirs.outbound, ours.inbound]
    expect(hex(sender.seal(empty, fromHex(payload)))).toBe(ciphertext)
    expect(hex(receiver.open(empty, fromHex(ciphertext)))).toBe(payload)
  }
  return name
}

describe('NoiseHandshake', () => {
  test('is over after a failure: it neither reads nor writes nor splits', () => {
    const { responder, first } = begun('IK')
    const bad = first.map((byte, at) => (at === 95 ? byte ^ 1 : byte))
    expect(refusalOf(() => responder.read(bad))).toBe('channel_broken')
    expect(refusalOf(() => responder.write(empty))).toBe('channel_broken')
    expect(refusalOf(() => responder.split())).toBe('internal')
  })

  test('splits once, after its last message only', () => {
    const { initiator, responder, first } = begun('NK')
    expect(refusalOf(() => initiator.split())).toBe('internal')
    responder.read(first)
    initiator.read(responder.write(text('hello')))
    initiator.split()
    expect(refusalOf(() => initiator.split())).toBe('internal')
  })

  test('lets nobody write or read out of turn', () => {
    const { initiator, responder, first } = begun('XX')
    expect(refusalOf(() => initiator.write(empty))).toBe('internal')
    expect(refusalOf(() => responder.write(empty))).toBe('internal')
    responder.read(first)
    expect(refusalOf(() => responder.read(first))).toBe('internal')
  })

  test('keeps nothing of the memory that a message came in', () => {
    const { initiator, responder, first } = begun('IK')
    const memory = Buffer.from(first)
    responder.read(memory)
    memory.fill(0)
    initiator.read(responder.write(text('hello')))
    expect(hex(initiator.hash)).toBe(hex(responder.hash))
    expect(responder.remoteStaticKey).toHaveLength(32)
    expect(responder.remoteStaticKey).not.toEqual(new Uint8Array(32))
  })

  test('makes a new ephemeral key for each handshake', () => {
    expect(hex(begun('XX').first)).not.toBe(hex(begun('XX').first))
  })

  for (const [at, point] of lowOrder().entries()) {
    test(`takes no static key of low order from a peer (${at})`, () => {
      expect(refusalOf(() => readFrom(point))).toBe('channel_broken')
    })
  }

  test('takes a good static key from the same hands', () => {
    const pair = KeyPair.generate()
    expect(hex(readFrom(pair.publicKey, pair))).toBe('')
    expect(refusalOf(() => readFrom(pair.publicKey))).toBe('channel_broken')
  })
})

function begun(pattern: PatternName) {
  const server = KeyPair.generate()
  const common = { pattern, prologue: text('prologue') }
  const remoteStaticKey = pattern === 'XX' ? undefined : server.publicKey
  const initiator = new NoiseHandshake({ ...common, role: 'initiator', staticKey: KeyPair.generate(), remoteStaticKey })
  const responder = new NoiseHandshake({ ...common, role: 'responder', staticKey: server })
  return { initiator, responder, first: initiator.write(empty) }
}

/**
 * What a responder of XX reads from an initiator made by hand, whose static key is `point`. Without its secret half the
 * initiator takes the value for agreed that a key of low order leads to, so that all else about its message is right.
 */
function readFrom(point: Uint8Array, secret?: KeyPair): Uint8Array {
  const ephemeral = KeyPair.generate()
  const state = new SymmetricState('Noise_XX_25519_AESGCM_SHA256')
  const responder = new NoiseHandshake({ pattern: 'XX', role: 'responder', prologue: empty, staticKey: KeyPair.generate() })
  for (const bytes of [empty, ephemeral.publicKey, empty]) state.mixHash(bytes)
  responder.read(ephemeral.publicKey)
  const second = responder.write(empty)
  const remote = second.slice(0, 32)
  state.mixHash(remote)
  state.mixKey(ephemeral.agree(remote))
  state.mixKey(ephemeral.agree(state.decryptAndHash(second.slice(32, 80))))
  state.decryptAndHash(second.slice(80))
  const sealedKey = state.encryptAndHash(point)
  state.mixKey(secret?.agree(remote) ?? new Uint8Array(32))
  return responder.read(Buffer.concat([sealedKey, state.encryptAndHash(empty)]))
}
