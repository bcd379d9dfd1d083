// The sealed channel: both ends of every handshake of version 2 and of version 1, and the readers of their records. All keys are
// fixed, so that an input that was kept means the same for ever.

import type { CipherState } from '../../../src/channel/cipher-state.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { withinReason } from '../allocations.ts'
import { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import { type Behaviour, count, type FuzzTarget, must } from '../target.ts'
import { type HandshakeEnd, handshakeEnds } from './channel-handshakes.ts'
import { type RecordStream, recordStreams, TellingCipher } from './channel-records.ts'
import { generateScript, runScript } from './channel-scripts.ts'

/** What is under test: how records are opened. */
export interface ChannelSubject {
  cipher(key: Uint8Array): CipherState
}

/**
 * Inputs are a byte that says which end reads, and what it reads. `subject`: the cipher under the readers of version 2; default:
 * the real one, which counts how often it was asked to open a record.
 */
export function channelTarget(subject?: ChannelSubject): FuzzTarget {
  const reached = new Map<string, number>()
  const parts = subject ?? { cipher: (key: Uint8Array) => new TellingCipher(key, () => count(reached, 'records to open')) }
  const streams = recordStreams(parts)
  const ends = handshakeEnds(() => count(reached, 'key agreements'))
  const script = ends.length
  const readers = [...ends, undefined, ...streams]
  return {
    name: 'channel',
    words: [...lengths, ...ends.flatMap(({ stream }) => [stream.slice(0, 8), stream.slice(-32)])],
    bytesMax: 4_096,
    reached,
    generate: (chance) => {
      const which = chance.below(100)
      if (which < 6) return Uint8Array.of(script, ...generateScript(chance))
      if (which < 12) return generateHandshake(chance, ends)
      const at = chance.below(streams.length)
      return joined(Uint8Array.of(script + 1 + at), (streams[at] as RecordStream).generate(chance))
    },
    run: (input) => {
      const reader = readers[(input[0] ?? 0) % readers.length]
      const bytes = input.subarray(1)
      if (reader === undefined) return runScript(parts, bytes)
      return 'written' in reader ? withinReason(input, () => runRecords(reader, bytes)) : runHandshake(reader, bytes, reached)
    },
  }
}

/** The whole of what a peer sends: a mutation breaks it somewhere. */
function generateHandshake(chance: Chance, ends: readonly HandshakeEnd[]): Uint8Array {
  const at = chance.below(ends.length)
  return joined(Uint8Array.of(at), (ends[at] as HandshakeEnd).stream)
}

function runHandshake({ name, takes, begin }: HandshakeEnd, bytes: Uint8Array, reached: Map<string, number>): Behaviour {
  const received = begin()
  try {
    for (const chunk of split(bytes)) {
      if (!received(chunk)) continue
      count(reached, 'channels')
      const isTaken = takes?.some((each) => Buffer.compare(bytes.subarray(0, each.length), each) === 0) ?? true
      must(isTaken, 'there is no channel but of the messages of its peer')
      return `+${name}`
    }
  } catch (reason) {
    return `-${name}: ${brokenAs(reason)}`
  }
  return `-${name}: more is waited for`
}

function runRecords({ name, stream, isOrdered, written, begin }: RecordStream, bytes: Uint8Array): Behaviour {
  const reader = begin()
  const left = [...written]
  let pushed = 0
  try {
    for (const chunk of split(bytes)) {
      pushed += chunk.length
      reader.push(chunk)
      for (let data = reader.next(); data !== undefined; data = reader.next()) expectWritten(data, left, isOrdered)
      must(reader.heldBytes <= pushed, 'no more is held than came')
    }
    reader.ended?.()
  } catch (reason) {
    const broken = brokenAs(reason)
    expectDead(reader, reason)
    return `-${name}: ${broken} before ${left.length}`
  }
  must(!isOrdered || Buffer.compare(bytes, stream) === 0, 'a reader is content with everything and nothing else')
  return `+${name}: all but ${left.length}`
}

/** What comes out was written, and has not come out before. Takes it off the list. */
function expectWritten(data: Uint8Array, left: Uint8Array[], isOrdered: boolean): void {
  const at = left.findIndex((each) => Buffer.compare(each, data) === 0)
  must(isOrdered ? at === 0 : at >= 0, 'nothing comes out but what was written, once and in its order')
  left.splice(at, 1)
}

/** After one failure the same comes again, and nothing else. */
function expectDead(reader: { next(): unknown }, reason: unknown): void {
  try {
    reader.next()
  } catch (again) {
    must(again === reason, 'a reader that has failed fails the same')
    return
  }
  must(false, 'a reader that has failed reads nothing')
}

/** Whatever was wrong, there is one reason, and for a client one more: it is another server. */
function brokenAs(reason: unknown): string {
  if (!(reason instanceof SealwireError)) throw reason
  const { code, sentence } = reason
  const isKnown = code === 'channel_broken' ? sentence === 'the sealed channel was broken' : code === 'untrusted'
  if (!isKnown) throw reason
  return code
}

/** In one piece, or in several; the input itself says in which. */
export function split(bytes: Uint8Array): readonly Uint8Array[] {
  const chance = Chance.of(bytes)
  if (!chance.oneIn(4)) return [bytes.slice()]
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + chance.below(60)
    chunks.push(bytes.slice(at, at + length))
    at += length
  }
  return chunks
}

/** Of records: none, the shortest, the longest, and what is beyond. */
const lengths = [0, 16, 17, 65_535, 65_536, 0x7fff_ffff, 0xffff_ffff].map((length) => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, length)
  return bytes
})
