// The sealed channel (channel.md), without input, output or clock. What carries it:
//
//   - gives a new end what comes in, sends what a step says before anything else, and takes over its channel;
//   - cuts the connection in silence when anything throws, and after `handshakeMsMax` without a channel;
//   - calls `ended` at the end of the stream, which is an error unless the peer has closed;
//   - closes a channel before it ends the connection, and when it is `channelAgeMsMax` old; a client connects anew
//     by `renewBefore`;
//   - reads no further while `heldBytes` is over its bound.

export { type ChannelPeer, ChannelClient, type ChannelClientOptions, type ClientChannel } from './channel-client.ts'
export { ChannelServer, type ChannelServerOptions } from './channel-server.ts'
export { KeyPair, keyPin, publicKeyBytes, type StaticKeys } from './key-pair.ts'
export type { PatternName } from './patterns.ts'
export { bindingBytes, channelVersion } from './preamble.ts'
export { type ChannelClock, recordOverheadBytes } from './record.ts'
export { type ReaderBounds, RecordReader } from './record-reader.ts'
export { RecordWriter, type WriterLimits } from './record-writer.ts'
export { type ChannelLimits, type ChannelStep, SealedChannel } from './sealed-channel.ts'
export { channelVersionSpoken, type ServerGreeting, successorIn } from './server-greeting.ts'
export { V1Channel, type V1Limits, type V1Terms } from './v1-channel.ts'
export { V1Client, type V1Options, V1Server } from './v1-handshake.ts'
