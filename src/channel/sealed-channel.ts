import type { Limits } from '../protocol/limits.ts'
import type { ByteQueue } from './byte-queue.ts'
import type { NoiseHandshake } from './noise-handshake.ts'
import type { PatternName } from './patterns.ts'
import type { ChannelClock } from './record.ts'
import { type ReaderBounds, RecordReader } from './record-reader.ts'
import { RecordWriter, type WriterLimits } from './record-writer.ts'

/** The bounds that a channel keeps to. */
export type ChannelLimits = WriterLimits & Pick<Limits, 'channelHandshakeBytesMax'>

/** What a channel needs. */
export interface ChannelTerms extends ChannelLimits {
  readonly clock: ChannelClock
  /** What this end has told its peer that it takes. Default: what the protocol allows. */
  readonly takes?: Pick<ReaderBounds, 'recordBytesMax'>
}

/** A channel whose handshake is done. */
export class SealedChannel {
  readonly pattern: PatternName
  /** The peer's static key; on a server `undefined` with NK, where the client has none. */
  readonly peerKey: Uint8Array | undefined
  /** 32 bytes that name this channel and no other, the same on both sides. */
  readonly hash: Uint8Array
  readonly writer: RecordWriter
  readonly reader: RecordReader

  /** Takes over a handshake that is done, and what `queue` holds of the records behind it. */
  constructor(pattern: PatternName, handshake: NoiseHandshake, queue: ByteQueue, { clock, takes, ...limits }: ChannelTerms) {
    const { inbound, outbound } = handshake.split()
    this.pattern = pattern
    this.peerKey = handshake.remoteStaticKey
    this.hash = handshake.hash
    this.writer = new RecordWriter(outbound, clock, limits)
    this.reader = new RecordReader(inbound, clock, { ...takes, ageMsMax: limits.channelAgeMsMax }, queue)
  }

  /** Zeroes the keys. Best effort: the runtime may have made copies. */
  destroy(): void {
    this.writer.destroy()
    this.reader.destroy()
  }
}

/** What bytes that came in during a handshake lead to. */
export interface ChannelStep<C> {
  /** To be sent to the peer before anything else; often nothing. */
  readonly send: Uint8Array
  /** The channel, once there is one. Its reader has what came behind the handshake. */
  readonly channel?: C
}
