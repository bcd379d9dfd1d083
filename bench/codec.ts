// The codec alone: frames decoded and encoded a second on one core, without sockets. `node bin/bun.mjs bench/codec.ts`

import { crc32 as nativeChecksum } from 'node:zlib'
import { type Checksum, crc32, encodeFrame, FrameDecoder, type FrameSink, writeFrame } from '../src/protocol/index.ts'

const portable = crc32
const native: Checksum = (bytes, start, end) => nativeChecksum(bytes.subarray(start, end))

for (const [name, checksum] of [
  ['portable', portable],
  ['native', native],
] as const) {
  for (const bodyBytes of [16, 64, 1024, 16_384]) {
    const decodeNs = await best(() => decodeMany(bodyBytes, checksum))
    const encodeNs = await best(() => encodeMany(bodyBytes, checksum))
    console.log(
      `${name.padEnd(8)} CRC  ${String(bodyBytes).padStart(6)} B  decode ${decodeNs.toFixed(0)} ns  encode ${encodeNs.toFixed(0)} ns`,
    )
  }
}

/** Nanoseconds a frame: the best of five rounds, because only interference makes a round slower. */
async function best(round: () => number): Promise<number> {
  let ns = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const before = performance.now()
    const frames = round()
    ns = Math.min(ns, ((performance.now() - before) * 1e6) / frames)
  }
  return ns
}

function decodeMany(bodyBytes: number, checksum: Checksum): number {
  const perRead = Math.max(1, Math.floor(65_536 / (bodyBytes + 11)))
  const read = Buffer.concat(Array(perRead).fill(encodeFrame(0x03, new Uint8Array(bodyBytes))))
  const decoder = new FrameDecoder({ checksum })
  let frames = 0
  while (frames < 100_000) {
    decoder.push(read)
    while (decoder.next() !== undefined) frames++
  }
  return frames
}

function encodeMany(bodyBytes: number, checksum: Checksum): number {
  const sink: FrameSink = { bytes: new Uint8Array(70_000), reserve: () => 0 }
  const body = new Uint8Array(bodyBytes)
  const prefix = new TextEncoder().encode('alice: ')
  for (let i = 0; i < 100_000; i++) writeFrame(sink, 0x03, body, prefix, checksum)
  return 100_000
}
