export { classicAcks, classicCommands, classicExitText, classicWord, contractCommandFirst } from './classic.ts'
export { type Checksum, crc32 } from './crc32.ts'
export { assert, type Code, type CodeRow, codes, SealwireError, type SealwireErrorOptions } from './errors.ts'
export {
  encodeFrame,
  type FrameSink,
  frameBodyBytesLimit,
  frameHeaderBytes,
  frameOverheadBytes,
  frameTrailerBytes,
  type Packet,
  sealFrame,
  writeFrame,
} from './frame.ts'
export { FrameDecoder, type FrameDecoderOptions } from './frame-decoder.ts'
export { type LimitName, type LimitRow, type Limits, limitTable, resolveLimits } from './limits.ts'
