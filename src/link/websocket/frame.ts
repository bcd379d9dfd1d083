// Frames of WebSocket (RFC 6455) without I/O, as links use them: a message is a piece of a stream, so what a frame carries is
// handed on as it comes and never gathered. No extension is ever agreed on; text is refused.

/** The subprotocol, offered by clients; those that offer none are welcome too. */
export const webSocketProtocol = 'sealwire.1'

/** Kinds of frames (RFC 6455 §5.2). */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Why a connection is closed (RFC 6455 §7.4.1). */
export const closeCodes = { normal: 1000, goingAway: 1001, protocol: 1002, unsupported: 1003, policy: 1008, tooLarge: 1009 } as const

/** What a peer did that ends the connection. */
export type Violation = (typeof closeCodes)['protocol' | 'unsupported' | 'policy' | 'tooLarge']

/** Who is told what frames bring. */
export interface FrameUser {
  /** A piece of a message, unmasked; it belongs to the user. */
  data(bytes: Uint8Array): void
  ping(payload: Uint8Array): void
  /** A frame begins that brings nothing: no data, and not the end of a message that has some. False for one too many. */
  empty(): boolean
  /** Nothing comes after it. */
  close(): void
}

/** What a reader expects. */
export interface FrameReaderOptions {
  /** Clients mask what they send, servers do not. */
  readonly masked: boolean
  readonly messageBytesMax: number
}

/** The frame whose payload is being read. */
interface Frame {
  readonly opcode: number
  readonly isFinal: boolean
  readonly key: Uint8Array | undefined
  readonly length: number
  /** How much of it was read. */
  read: number
}

export class FrameReader {
  readonly #options: FrameReaderOptions
  readonly #user: FrameUser
  readonly #header = new Uint8Array(headerBytesMax)
  #headerBytes = 0
  #frame: Frame | undefined
  /** Of a ping or a close: what came of its payload. */
  readonly #control = new Uint8Array(controlBytesMax)
  /** Bytes of the message that is not at its end; -1 between messages. */
  #messageBytes = -1
  #isClosed = false

  constructor(options: FrameReaderOptions, user: FrameUser) {
    this.#options = options
    this.#user = user
  }

  /** Reads what came, unmasking in place; what the peer did wrong, if anything: nothing may be pushed after that. */
  push(bytes: Uint8Array): Violation | undefined {
    let at = 0
    while (at < bytes.length && !this.#isClosed) {
      if (this.#frame === undefined) {
        at = this.#readHeader(bytes, at)
        const violation = this.#headerBytes === this.#headerNeeded() ? this.#begin() : undefined
        if (violation !== undefined) return violation
      }
      if (this.#frame !== undefined) at = this.#readPayload(this.#frame, bytes, at)
    }
    return undefined
  }

  /** Copies what is missing of a header; its length shows in its first two bytes. */
  #readHeader(bytes: Uint8Array, start: number): number {
    let at = start
    while (at < bytes.length && this.#headerBytes < this.#headerNeeded()) this.#header[this.#headerBytes++] = bytes[at++] ?? 0
    return at
  }

  #headerNeeded(): number {
    if (this.#headerBytes < 2) return 2
    const second = this.#header[1] ?? 0
    return 2 + lengthBytes(second & 0x7f) + ((second & 0x80) === 0 ? 0 : 4)
  }

  /** The header is whole. */
  #begin(): Violation | undefined {
    const [first = 0, second = 0] = this.#header
    const opcode = first & 0x0f
    const isFinal = (first & 0x80) !== 0
    const length = this.#length(second & 0x7f)
    const isMasked = (second & 0x80) !== 0
    if ((first & 0x70) !== 0 || isMasked !== this.#options.masked || length === undefined) return closeCodes.protocol
    const violation = opcode >= opcodes.close ? controlViolation(opcode, isFinal, length) : this.#dataViolation(opcode, length)
    if (violation !== undefined) return violation
    if (this.#bringsNothing(opcode, isFinal, length) && !this.#user.empty()) return closeCodes.policy
    const key = isMasked ? this.#header.slice(this.#headerBytes - 4, this.#headerBytes) : undefined
    this.#headerBytes = 0
    this.#frame = { opcode, isFinal, key, length, read: 0 }
    if (length === 0) this.#end(this.#frame)
    return undefined
  }

  /** `undefined` for one that is not in its shortest form. */
  #length(short: number): number | undefined {
    const view = new DataView(this.#header.buffer)
    if (short < 126) return short
    if (short === 126) return view.getUint16(2) < 126 ? undefined : view.getUint16(2)
    const long = view.getBigUint64(2)
    return long < 65_536n || long >= 1n << 63n ? undefined : Number(long)
  }

  #dataViolation(opcode: number, length: number): Violation | undefined {
    if (opcode === opcodes.text) return closeCodes.unsupported
    const isFirst = this.#messageBytes < 0
    if (opcode > opcodes.binary || (opcode === opcodes.binary) !== isFirst) return closeCodes.protocol
    this.#messageBytes = Math.max(0, this.#messageBytes) + length
    return this.#messageBytes > this.#options.messageBytesMax ? closeCodes.tooLarge : undefined
  }

  /** It costs as much as one with a few bytes, and those who bound what they are given never see it. */
  #bringsNothing(opcode: number, isFinal: boolean, length: number): boolean {
    if (opcode >= opcodes.close) return opcode !== opcodes.close
    return length === 0 && !(isFinal && this.#messageBytes > 0)
  }

  #readPayload(frame: Frame, bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + frame.length - frame.read)
    const piece = bytes.subarray(start, end)
    if (frame.key !== undefined) mask(piece, frame.key, frame.read)
    if (frame.opcode >= opcodes.close) this.#control.set(piece, frame.read)
    else if (piece.length > 0) this.#user.data(piece)
    frame.read += piece.length
    if (frame.read === frame.length) this.#end(frame)
    return end
  }

  #end({ opcode, isFinal, length }: Frame): void {
    this.#frame = undefined
    if (opcode < opcodes.close && isFinal) this.#messageBytes = -1
    if (opcode === opcodes.ping) this.#user.ping(this.#control.slice(0, length))
    if (opcode !== opcodes.close) return
    this.#isClosed = true
    this.#user.close()
  }
}

/** The header of a final frame; with `key` its payload has to be masked with it. */
export function frameHeader(opcode: number, length: number, key?: Uint8Array): Uint8Array {
  const short = length < 126 ? length : length < 65_536 ? 126 : 127
  const header = new Uint8Array(2 + lengthBytes(short) + (key?.length ?? 0))
  const view = new DataView(header.buffer)
  header[0] = 0x80 | opcode
  header[1] = short | (key === undefined ? 0 : 0x80)
  if (short === 126) view.setUint16(2, length)
  if (short === 127) view.setBigUint64(2, BigInt(length))
  if (key !== undefined) header.set(key, header.length - key.length)
  return header
}

/** Masks or unmasks `bytes` in place; `from` is where they begin in their frame. */
export function mask(bytes: Uint8Array, key: Uint8Array, from: number): void {
  let at = 0
  const one = (): void => {
    bytes[at] = (bytes[at] ?? 0) ^ (key[(from + at) & 3] ?? 0)
    at++
  }
  while (at < bytes.length && ((bytes.byteOffset + at) & 3) !== 0) one()
  // Four at once, from an address that the processor takes four from.
  const count = (bytes.length - at) >> 2
  if (count > 0) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + at, count)
    const turned = Uint8Array.from({ length: 4 }, (_, index) => key[(from + at + index) & 3] ?? 0)
    const [word = 0] = new Uint32Array(turned.buffer)
    for (let index = 0; index < count; index++) words[index] = (words[index] ?? 0) ^ word
    at += 4 * count
  }
  while (at < bytes.length) one()
}

/** RFC 6455 §5.5. */
function controlViolation(opcode: number, isFinal: boolean, length: number): Violation | undefined {
  const isGood = opcode <= opcodes.pong && isFinal && length <= controlBytesMax && !(opcode === opcodes.close && length === 1)
  return isGood ? undefined : closeCodes.protocol
}

/** How many bytes a length takes beside the seven bits that name it. */
function lengthBytes(short: number): number {
  return short < 126 ? 0 : short === 126 ? 2 : 8
}

const headerBytesMax = 14
const controlBytesMax = 125
