// A peer that has the key and keeps to nothing: records of any type and length, in any order, sealed as they should be, or nearly.
// What becomes of them is told by a plain model of channel.md, "Records".

import { CipherState } from '../../../src/channel/cipher-state.ts'
import { RecordReader } from '../../../src/channel/index.ts'
import { recordBounds } from '../../../src/channel/record.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import type { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import { type Behaviour, must } from '../target.ts'
import type { ChannelSubject } from './channel.ts'

/** Two bytes for each record: its type and what is wrong with it, and how much data it has. */
export function generateScript(chance: Chance): Uint8Array {
  const records = Array.from({ length: chance.oneIn(8) ? 16 : chance.between(1, 8) }, () => {
    const type = chance.oneIn(3) ? chance.below(8) : chance.pick([0, 0, 0, 1, 3, 4] as const)
    const flaw = chance.oneIn(12) ? chance.pick([isSkipped, isForged] as const) : 0
    return [type | flaw, type === 0 || chance.oneIn(6) ? chance.below(90) : 0]
  })
  return Uint8Array.from(records.flat())
}

/** Feeds the records, and compares with the model. */
export function runScript({ cipher }: ChannelSubject, script: Uint8Array): Behaviour {
  const records = Array.from({ length: Math.min(script.length >> 1, 16) }, (_, at) =>
    recordOf(script[2 * at] ?? 0, script[2 * at + 1] ?? 0),
  )
  const expected = model(records)
  const reader = new RecordReader(cipher(key()), clock, { ageMsMax: 1_000, ...bounds })
  reader.push(sealed(records))
  let got = 0
  try {
    while (reader.next() !== undefined) got++
  } catch (reason) {
    must(reason instanceof SealwireError && reason.code === 'channel_broken', `a broken channel says so, not ${String(reason)}`)
    must(expected.end === 'broken' && got === expected.data, `${expected.data} pieces of data and ${expected.end}, not ${got} and broken`)
    return `-script: ${expected.why}`
  }
  const end = reader.isClosed ? 'closed' : 'open'
  must(expected.end === end && got === expected.data, `${expected.data} pieces of data and ${expected.end}, not ${got} and ${end}`)
  return `+script: ${end}`
}

interface Scripted {
  readonly type: number
  readonly dataBytes: number
  readonly flaw: number
}

function recordOf(first: number, second: number): Scripted {
  return { type: first & 7, flaw: first & (isSkipped | isForged), dataBytes: second }
}

/** Sealed as a writer would, without any of its bounds. */
function sealed(records: readonly Scripted[]): Uint8Array {
  const state = new CipherState(key())
  return joined(...records.map((record) => seal(state, record)))
}

function seal(state: CipherState, { type, dataBytes, flaw }: Scripted): Uint8Array {
  if ((flaw & isSkipped) !== 0) state.seal(nothing, nothing)
  const record = new Uint8Array(16 + 17 + dataBytes)
  new DataView(record.buffer).setUint32(0, 17 + dataBytes)
  record.set(state.nonce, 4)
  const plaintext = new Uint8Array(1 + dataBytes)
  plaintext[0] = type
  state.sealInto(record, 16, record.slice(0, 16), plaintext)
  if ((flaw & isForged) !== 0) record[record.length - 1] = (record.at(-1) ?? 0) ^ 1
  if (type === 1) state.rekey()
  return record
}

interface Outcome {
  readonly end: 'open' | 'closed' | 'broken'
  readonly data: number
  readonly why: string
}

/** What a reader has to make of records. */
function model(records: readonly Scripted[]): Outcome {
  let [data, ofKey, isClosed] = [0, 0, false]
  for (const [number, { type, dataBytes, flaw }] of records.entries()) {
    const broken = (why: string): Outcome => ({ end: 'broken', data, why })
    if (isClosed) return broken('something behind the end')
    if (number >= bounds.framesMax) return broken('too many')
    if (17 + dataBytes > bounds.recordBytesMax) return broken('too long')
    if (flaw !== 0) return broken('forged, or of another number')
    ofKey++
    if (ofKey >= bounds.keyFramesMax && type !== 1 && type !== 2) return broken('an old key')
    if (type === 0 && dataBytes > 0) data++
    else if (type === 0 || type > 4 || (type !== 3 && dataBytes > 0))
      return broken(`type ${type} with ${dataBytes > 0 ? 'data' : 'nothing'}`)
    if (type === 1) ofKey = 0
    isClosed = type === 2
  }
  return { end: isClosed ? 'closed' : 'open', data, why: '' }
}

const isSkipped = 0x08
const isForged = 0x10
const bounds = { ...recordBounds, recordBytesMax: 100, keyFramesMax: 5, framesMax: 12 } as const
const key = (): Uint8Array => new Uint8Array(32).fill(9)
const nothing = new Uint8Array(0)
const clock = new ManualClock()
