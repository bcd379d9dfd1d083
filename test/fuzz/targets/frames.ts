// The frame decoder, in any split of a stream, against a reading of the whole stream that is as simple as framing.md.

import { crc32 } from '../../../src/protocol/crc32.ts'
import { encodeFrame, FrameDecoder, type Packet, type SealwireError } from '../../../src/protocol/index.ts'
import { withinReason } from '../allocations.ts'
import { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import { type Behaviour, type FuzzTarget, must, refusedAs, wordsOf } from '../target.ts'

/** What a decoder does for a connection. */
export type Decoder = Pick<FrameDecoder, 'push' | 'next' | 'heldBytes' | 'partialBytes'>

/** Inputs are streams of frames. `decoderOf`: the decoder under test. */
export function framesTarget(decoderOf = (bodyBytesMax: number): Decoder => new FrameDecoder({ bodyBytesMax })): FuzzTarget {
  return {
    name: 'frames',
    words: [...wordsOf(['MAGC', 'MAG', 'C']), encodeFrame(3, Uint8Array.of(1)), Uint8Array.of(0, 0), Uint8Array.of(0xff, 0xff)],
    bytesMax: 70_000,
    generate: streamOf,
    run: (input) => withinReason(input, () => runStream(decoderOf, input)),
  }
}

function streamOf(chance: Chance): Uint8Array {
  const frames = Array.from({ length: chance.between(0, 5) }, () => encodeFrame(chance.below(256), chance.bytes(chance.length(400))))
  // Few of them cost as much as all the others.
  if (chance.oneIn(2_000)) frames.push(encodeFrame(chance.below(256), new Uint8Array(chance.between(65_000, 65_535))))
  const damaged = frames.map((frame) => (chance.oneIn(8) ? damage(chance, frame) : frame))
  return joined(...damaged, chance.oneIn(4) ? (frames[0] ?? new Uint8Array(3)).slice(0, chance.below(12)) : new Uint8Array(0))
}

/** Checksums that are right, over what is not; and the other way round. */
function damage(chance: Chance, frame: Uint8Array): Uint8Array {
  if (chance.oneIn(2)) return encodeFrame(frame[4] ?? 0, frame.slice(7, frame.length - 4 - chance.below(3)))
  const bytes = frame.slice()
  const at = chance.pick([0, 3, 5, 6, 7, bytes.length - 4, bytes.length - 1] as const)
  bytes[at] = chance.next()
  return bytes
}

interface Reading {
  readonly packets: readonly Packet[]
  readonly error: string | undefined
  /** Bytes of a frame that is not whole, where there was no error. */
  readonly rest: number
}

function runStream(decoderOf: (bodyBytesMax: number) => Decoder, input: Uint8Array): Behaviour {
  const chance = Chance.of(input)
  const bodyBytesMax = chance.pick([65_535, 65_535, 1_024, 100, 16] as const)
  const expected = readSimply(input, bodyBytesMax)
  const decoder = decoderOf(bodyBytesMax)
  const packets: Packet[] = []
  let error: SealwireError | undefined
  try {
    for (let at = 0; at < input.length; ) {
      const count = chance.oneIn(2) ? input.length - at : 1 + chance.length(input.length - at - 1)
      decoder.push(input.slice(at, at + count))
      at += count
      if (chance.oneIn(4) && at < input.length) continue
      takeAll(decoder, packets)
      must(decoder.partialBytes <= bodyBytesMax + 11, 'no more is held than a frame')
      must(decoder.heldBytes === decoder.partialBytes, 'all but a frame that is not whole is taken')
    }
  } catch (reason) {
    error = refusedAs(reason, codes)
    expectDead(decoder, error)
  }
  expectSame(packets, error?.code, expected)
  if (error === undefined) must(decoder.heldBytes === expected.rest, 'what is held is what came and was not taken')
  const count = Math.min(packets.length, 8)
  return error === undefined ? `+${count} frames, ${expected.rest > 0 ? 'and a part' : 'whole'}` : `-${error.code} after ${count}`
}

function takeAll(decoder: Decoder, packets: Packet[]): void {
  for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
    packets.push({ command: packet.command, body: packet.body.slice() })
  }
}

/** Behind rubbish nothing is a frame. */
function expectDead(decoder: Decoder, error: SealwireError): void {
  decoder.push(good.slice())
  try {
    decoder.next()
  } catch (again) {
    must(again === error, 'a decoder that has failed fails the same')
    return
  }
  must(false, 'nothing is accepted behind rubbish')
}

function expectSame(packets: readonly Packet[], error: string | undefined, expected: Reading): void {
  must(error === expected.error, `the end is ${expected.error ?? 'none'}, not ${error ?? 'none'}`)
  must(packets.length === expected.packets.length, `there are ${expected.packets.length} frames, not ${packets.length}`)
  for (const [at, { command, body }] of expected.packets.entries()) {
    const packet = packets[at]
    must(packet?.command === command && Buffer.compare(packet.body, body) === 0, 'a frame is what was sent')
  }
}

/** framing.md, on a stream that is all there. */
function readSimply(stream: Uint8Array, bodyBytesMax: number): Reading {
  const packets: Packet[] = []
  for (let at = 0; ; ) {
    const left = stream.subarray(at)
    if (!magic.every((byte, index) => index >= left.length || byte === left[index])) return { packets, error: 'bad_magic', rest: 0 }
    if (left.length < 7) return { packets, error: undefined, rest: left.length }
    const length = (left[5] ?? 0) * 256 + (left[6] ?? 0)
    if (length > bodyBytesMax) return { packets, error: 'frame_too_large', rest: 0 }
    if (left.length < length + 11) return { packets, error: undefined, rest: left.length }
    const trailer = new DataView(left.buffer, left.byteOffset + 7 + length).getUint32(0)
    if (crc32(left, 0, 7 + length) !== trailer) return { packets, error: 'bad_checksum', rest: 0 }
    packets.push({ command: left[4] ?? 0, body: left.subarray(7, 7 + length) })
    at += length + 11
  }
}

const magic = new TextEncoder().encode('MAGC')
const good = encodeFrame(3, Uint8Array.of(1, 2, 3))
const codes = new Set(['bad_magic', 'bad_checksum', 'frame_too_large'])
