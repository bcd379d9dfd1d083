// The record layer of the sealed channel against the runtime's bare AES-256-GCM at the same size, on one core and without
// sockets: `node bin/bun.mjs bench/sealed.ts`. The three take turns within a round and CPU time is counted, so that other
// work on the machine weighs on all of them alike. The goal is a ratio of 0.8 at 16 KiB.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { ChannelClient, ChannelServer, KeyPair, recordOverheadBytes, type SealedChannel } from '../src/channel/index.ts'
import { systemClock } from '../src/domain/index.ts'
import { type FrameSink, resolveLimits } from '../src/protocol/index.ts'

const rounds = 9
const bytesPerRound = 24 * 1024 * 1024
const empty = Buffer.alloc(0)
const recordsPerRoundMax = 60_000

for (const size of [64, 1024, 16_384]) {
  const records = Math.min(recordsPerRoundMax, Math.floor(bytesPerRound / size))
  const measures = { 'raw seal': rawSealer(size), seal: sealer(size), 'raw open': rawOpener(size, records), open: opener(size, records) }
  const best = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    for (const [name, prepare] of Object.entries(measures)) {
      const seconds = cpuSeconds(prepare(records)) / records
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, seconds))
    }
  }
  const [rawSeal = 0, seal = 0, rawOpen = 0, open = 0] = Object.keys(measures).map((name) => best.get(name))
  const figure = (seconds: number): string => `${(seconds * 1e6).toFixed(2)} µs ${Math.round(size / seconds / 2 ** 20)} MiB/s`
  console.log(
    `${String(size).padStart(6)} B  seal ${figure(seal)} (raw ${figure(rawSeal)}, ratio ${(rawSeal / seal).toFixed(2)})` +
      `  open ${figure(open)} (raw ${figure(rawOpen)}, ratio ${(rawOpen / open).toFixed(2)})` +
      `  both ${((rawSeal + rawOpen) / (seal + open)).toFixed(2)}`,
  )
}

/** What makes ready a round of so many records; what it returns is measured. */
type Prepare = (records: number) => () => void

function cpuSeconds(action: () => void): number {
  const before = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Bare, with a nonce that counts: what any user of the runtime would have to do for a record. */
function rawSealer(size: number): Prepare {
  const [key, nonce, plaintext] = [randomBytes(32), Buffer.alloc(12), randomBytes(size)]
  return (records) => () => {
    for (let number = 0; number < records; number++) {
      nonce.writeUInt32BE(number, 8)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
      cipher.update(plaintext)
      cipher.final()
      cipher.getAuthTag()
    }
  }
}

/** Bare, out of as much memory as {@link opener} reads: what was just sealed is not in the cache of the processor any more. */
function rawOpener(size: number, most: number): Prepare {
  const [key, plaintext] = [randomBytes(32), randomBytes(size)]
  const nonces = Array.from({ length: most }, (_none, number) => nonceOf(number))
  const sealed = nonces.map((nonce) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  })
  return (records) => () => {
    for (let number = 0; number < records; number++) {
      const [nonce = empty, record = empty] = [nonces[number], sealed[number]]
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
      decipher.setAuthTag(record.subarray(size))
      decipher.update(record.subarray(0, size))
      decipher.final()
    }
  }
}

/** As a link does it: into an output that is flushed at 64 KiB, out of a buffer with room before the data. */
function sealer(size: number): Prepare {
  const data = randomBytes(size + 64)
  return (records) => {
    const { writer } = channels().client
    const output = new Output()
    return () => {
      for (let number = 0; number < records; number++) {
        if (output.end > 65_536) output.end = 0
        writer.write(output, data, 64)
      }
    }
  }
}

/** Out of reads of up to 64 KiB, as a socket brings them. */
function opener(size: number, most: number): Prepare {
  const data = randomBytes(size)
  const length = size + recordOverheadBytes
  const perRead = Math.max(1, Math.floor(65_536 / length))
  const reads = Array.from({ length: Math.ceil(most / perRead) }, () => new Uint8Array(perRead * length))
  return () => {
    const { client, server } = channels()
    for (const read of reads) {
      const output = new Output(read)
      for (let number = 0; number < perRead; number++) client.writer.write(output, data)
    }
    return () => {
      for (const read of reads) {
        server.reader.push(read)
        while (server.reader.next() !== undefined);
      }
    }
  }
}

/** Memory that is written to from the start again and again. */
class Output implements FrameSink {
  readonly bytes: Uint8Array
  end = 0

  constructor(bytes = new Uint8Array(256 * 1024)) {
    this.bytes = bytes
  }

  reserve(count: number): number {
    const at = this.end
    this.end += count
    return at
  }
}

function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(number, 8)
  return nonce
}

function channels(): { readonly client: SealedChannel; readonly server: SealedChannel } {
  const [limits, clock, staticKey] = [resolveLimits(), systemClock, KeyPair.generate()]
  const greeting = () => ({
    server: randomBytes(16),
    versions: [2],
    time: clock.now(),
    limits: { recordBytesMax: 65_535, ageMsMax: 86_400_000 },
  })
  const client = new ChannelClient({ pattern: 'NK', serverKey: staticKey.publicKey, clock, limits })
  const server = new ChannelServer({ staticKey, greeting, clock, limits })
  const met = client.received(server.received(client.hello()).send)
  const { channel } = server.received(met.send)
  if (met.channel === undefined || channel === undefined) throw new Error('no channel')
  return { client: met.channel.sealed, server: channel }
}
