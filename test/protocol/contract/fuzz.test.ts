// Everything that reads bytes of the contract, on bytes that nobody means well with: 100,000 inputs in each run, two
// million with SEALWIRE_LONG=1. SEALWIRE_SEED=n plays the same inputs again.

import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { checkResult, type CborValue, decodeCbor, encodeCbor, type Method, methods } from '../../../src/protocol/contract/index.ts'
import { type Code, encodeFrame, FrameDecoder, SealwireError } from '../../../src/protocol/index.ts'
import { badVectors, goodVectors, type Kind, packetOf, readBody } from './vectors.ts'

const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 2 ** 31)
const times = process.env['SEALWIRE_LONG'] === '1' ? 20 : 1
const kinds: readonly Kind[] = ['hello', 'welcome', 'request', 'result', 'fault', 'event', 'goodbye']
const ofBodies: readonly Code[] = ['malformed', 'unknown_method']
const ofFrames: readonly Code[] = ['bad_magic', 'bad_checksum', 'frame_too_large']

/** Frames whose bodies are small enough to be worth a mutation; the good ones twice, because a change makes most of them bad. */
const corpus = [...goodVectors, ...goodVectors, ...badVectors].filter(({ frame }) => frame.length < 2_000)
const bodies = corpus.map(({ kind, frame }) => ({ kind, body: packetOf(frame, 'whole').body }))

test(`mutated bodies bring nothing but malformed and unknown_method (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const outcomes = new Map<string, number>()
  for (let at = 0; at < 70_000 * times; at++) {
    const { kind, body } = pick(random, bodies)
    const mutated = mutate(random, body)
    const outcome = read(random() < 0.9 ? kind : pick(random, kinds), mutated)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    // What was accepted was in the one form that a value has, but for the order of keys.
    if (outcome === 'read') expect(encodeCbor(decodeCbor(mutated) as CborValue)).toHaveLength(mutated.length)
  }
  // A run that refuses everything, or nothing, does not test much.
  expect(outcomes.get('read')).toBeGreaterThan(1_000)
  expect(outcomes.get('malformed')).toBeGreaterThan(10_000)
  expect(outcomes.get('unknown_method')).toBeGreaterThan(100)
}, 600_000)

test(`mutated frames, in any split, bring nothing but a fatal error (seed ${seed})`, () => {
  const random = randomFrom(seed + 1)
  const outcomes = new Map<string, number>()
  for (let at = 0; at < 20_000 * times; at++) {
    const frame = mutate(random, pick(random, corpus).frame)
    const outcome = readStream(random, frame)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  for (const code of ofFrames.slice(0, 2)) expect(outcomes.get(code)).toBeGreaterThan(100)
}, 600_000)

test(`values of every shape bring nothing but malformed and unknown_method (seed ${seed})`, () => {
  const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.oneof(fc.constantFrom(null, true, false), fc.integer(), fc.string({ unit: 'binary' }), fc.uint8Array(), fc.constantFrom(...words)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(...words)), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.nat(100), fc.constantFrom(...words), value, (kind, id, word, each) => {
      read(kind, encodeCbor(each))
      const shapes: Partial<Record<Kind, CborValue>> = {
        request: [id, word, each],
        result: [id, each],
        fault: [id, each, word],
        event: [word, each],
      }
      read(kind, encodeCbor(shapes[kind] ?? { [word]: each }))
      for (const method of Object.keys(methods) as Method[]) expectCode(() => checkResult(method, each))
    }),
    { numRuns: 5_000 * times, seed },
  )
}, 600_000)

test(`random bytes bring nothing but malformed (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 64 }), (kind, bytes) => void read(kind, bytes)),
    { numRuns: 5_000 * times, seed },
  )
}, 600_000)

const words = [...Object.keys(methods), '__proto__', 'constructor', 'name', 'body', 'data', 'type', 'versions', 'limits', 'inbox.entry', '']

function read(kind: Kind, body: Uint8Array): string {
  return expectCode(() => readBody(kind, body))
}

/** `read`, or the code of the error; any other error fails the test. */
function expectCode(action: () => unknown): string {
  try {
    action()
    return 'read'
  } catch (reason) {
    if (reason instanceof SealwireError && ofBodies.includes(reason.code)) return reason.code
    throw reason
  }
}

function readStream(random: () => number, stream: Uint8Array): string {
  const decoder = new FrameDecoder()
  let at = 0
  try {
    while (at < stream.length) {
      const end = Math.min(stream.length, at + 1 + Math.floor(random() * 64))
      decoder.push(stream.slice(at, end))
      at = end
      for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
        const kind = kinds[packet.command - 0x10]
        if (kind !== undefined) read(kind, packet.body)
      }
    }
    return 'read'
  } catch (reason) {
    if (reason instanceof SealwireError && ofFrames.includes(reason.code)) return reason.code
    throw reason
  }
}

/** One to four changes: a bit, a byte, a cut, bytes put in, taken out or copied from another place or another body. */
function mutate(random: () => number, bytes: Uint8Array): Uint8Array {
  let mutated = Array.from(bytes)
  for (let count = random() < 0.6 ? 1 : 2 + Math.floor(random() * 3); count > 0; count--) {
    const at = Math.floor(random() * (mutated.length + 1))
    mutated = pick(random, mutations)(mutated, at, random)
  }
  // The checksum of what was a frame is made right again half of the time, or nothing gets behind it.
  const isFrame = mutated.length >= 11 && mutated[0] === 0x4d && random() < 0.5
  return isFrame ? encodeFrame(mutated[4] ?? 0, Uint8Array.from(mutated.slice(7, -4))) : Uint8Array.from(mutated)
}

type Mutation = (bytes: number[], at: number, random: () => number) => number[]

/** Initial bytes that mean something: the ends of the major types and of their lengths. */
const telling = [
  0x00, 0x17, 0x18, 0x1b, 0x20, 0x38, 0x40, 0x58, 0x5b, 0x5f, 0x60, 0x78, 0x7f, 0x80, 0x98, 0x9f, 0xa0, 0xb8, 0xbf, 0xc0, 0xf4, 0xf6, 0xf9,
  0xff,
]
const mutations: readonly Mutation[] = [
  (bytes, at, random) => bytes.map((byte, index) => (index === at ? byte ^ (1 << Math.floor(random() * 8)) : byte)),
  (bytes, at, random) => bytes.map((byte, index) => (index === at ? Math.floor(random() * 256) : byte)),
  (bytes, at, random) => bytes.map((byte, index) => (index === at ? pick(random, telling) : byte)),
  (bytes, at, random) => bytes.toSpliced(at, 0, pick(random, telling)),
  (bytes, at, random) => bytes.toSpliced(at, 1 + Math.floor(random() * 4)),
  (bytes, at) => bytes.slice(0, at),
  (bytes, at, random) => bytes.toSpliced(at, 0, ...bytes.slice(Math.floor(random() * bytes.length)).slice(0, 32)),
  (bytes, at, random) => bytes.toSpliced(at, Math.floor(random() * 8), ...pick(random, bodies).body.slice(0, 32)),
]

function pick<T>(random: () => number, from: readonly T[]): T {
  const picked = from[Math.floor(random() * from.length)]
  if (picked === undefined) throw new Error('nothing to pick from')
  return picked
}

/** mulberry32: small, and the same everywhere. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
