// What comes at the address for browsers: the request that begins a WebSocket, and its frames in any split, against a reading of the
// whole stream that is as simple as RFC 6455.

import { answerUpgrade } from '../../../src/link/websocket/http-upgrade.ts'
import { closeCodes, frameHeader, FrameReader, mask, opcodes, type Violation } from '../../../src/link/websocket/frame.ts'
import type { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import { type Behaviour, type FuzzTarget, must, wordsOf } from '../target.ts'
import { split } from './channel.ts'

/** Inputs are a byte, odd for a request, even for frames; and what comes. `answer`: what answers requests. */
export function webTarget(answer: typeof answerUpgrade = answerUpgrade): FuzzTarget {
  return {
    name: 'web',
    words: [
      ...wordsOf(['\r\n', ': ', 'HTTP/1.1', 'Origin: https://chat.example', 'Host: chat.example', 'websocket', ', ']),
      Uint8Array.of(0x82, 0xfe, 0, 126),
      Uint8Array.of(0x89, 0x80),
      Uint8Array.of(0xff, 0, 0, 0, 0, 0, 1, 0, 0),
    ],
    bytesMax: 4_096,
    generate: (chance) => {
      const isRequest = chance.oneIn(3)
      return joined(Uint8Array.of(isRequest ? 1 : 0), isRequest ? new TextEncoder().encode(requestOf(chance)) : framesOf(chance))
    },
    run: (input) =>
      (input[0] ?? 0) % 2 === 1 ? readRequest(answer, Buffer.from(input.subarray(1)).toString('latin1')) : readFrames(input.slice(1)),
  }
}

function readRequest(answer: typeof answerUpgrade, head: string): Behaviour {
  const { isUpgraded, response } = answer(head, ['https://other.example'])
  const [status = '', ...rest] = response.split('\r\n')
  must(/^HTTP\/1\.1 (101|4\d\d) [A-Z]/.test(status) && response.includes('\r\n\r\n'), 'an answer is one')
  must(isUpgraded === status.includes(' 101 '), 'who is told to go on is gone on with')
  const offered = headerOf(head, 'sec-websocket-protocol') ?? ''
  must(rest.every((line) => line.length < 200) && response.length < 1_000 + offered.length, 'an answer is short')
  const origin = headerOf(head, 'origin')
  must(!isUpgraded || isOurPage(origin, headerOf(head, 'host')), 'no page of elsewhere gets in')
  return isUpgraded ? `+request${origin === undefined ? '' : ' of a page'}` : `-request: ${status.slice(9)}: ${rest.at(-1)?.trim() ?? ''}`
}

/** The value of a header that is there once; of one that is there more often all of them, with commas. */
function headerOf(head: string, name: string): string | undefined {
  const lines = head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name}:`))
  const values = lines.map((line) => line.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, ''))
  return values.length === 0 ? undefined : values.join(', ')
}

/** No page, one of the very host and port that were asked for, or one that the operator names. */
function isOurPage(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || origin === 'https://other.example' || origin.toLowerCase() === `https://${host?.toLowerCase()}`
}

interface Reading {
  data: Uint8Array
  pings: number
  isClosed: boolean
  violation: Violation | undefined
}

function readFrames(bytes: Uint8Array): Behaviour {
  const expected = readSimply(bytes)
  const pieces: Uint8Array[] = []
  const heard = { pings: 0, closes: 0 }
  const user = {
    data: (piece: Uint8Array) => pieces.push(piece.slice()),
    ping: () => heard.pings++,
    empty: () => true,
    close: () => heard.closes++,
  }
  const reader = new FrameReader({ masked: true, messageBytesMax }, user)
  let violation: Violation | undefined
  for (const chunk of split(bytes)) {
    violation = reader.push(chunk)
    if (violation !== undefined) break
  }
  must(violation === expected.violation, `the end is ${expected.violation ?? 'none'}, not ${violation ?? 'none'}`)
  must(Buffer.compare(joined(...pieces), expected.data) === 0, 'what is handed on is what was sent')
  must(heard.pings === expected.pings && heard.closes === (expected.isClosed ? 1 : 0), 'who has asked is answered, once')
  if (violation !== undefined) return `-frames: ${violation}`
  return `+frames: ${expected.isClosed ? 'closed' : 'open'}, ${Math.min(heard.pings, 2)} pings, ${expected.data.length > 0 ? 'data' : 'nothing'}`
}

/** RFC 6455 §5.2, for a server, on a stream that is all there: as much of the payload of a cut frame is handed on as came. */
function readSimply(stream: Uint8Array): Reading {
  const reading: Reading = { data: new Uint8Array(0), pings: 0, isClosed: false, violation: undefined }
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length)
  let messageBytes = -1
  for (let at = 0; at + 2 <= stream.length && !reading.isClosed; ) {
    const [first, second] = [view.getUint8(at), view.getUint8(at + 1)]
    const short = second & 0x7f
    const more = short < 126 ? 0 : short === 126 ? 2 : 8
    const isMasked = (second & 0x80) !== 0
    const payloadAt = at + 2 + more + (isMasked ? 4 : 0)
    if (payloadAt > stream.length) break
    const length = more === 0 ? BigInt(short) : more === 2 ? BigInt(view.getUint16(at + 2)) : view.getBigUint64(at + 2)
    const [opcode, isFinal] = [first & 15, first >= 0x80]
    const isShortest = more === 0 || (more === 2 ? length >= 126n : length >= 65_536n && length < 1n << 63n)
    reading.violation =
      !isMasked || (first & 0x70) !== 0 || !isShortest ? closeCodes.protocol : judge(opcode, isFinal, length, messageBytes)
    if (reading.violation !== undefined) break
    if (opcode < 8) messageBytes = Math.max(0, messageBytes) + Number(length)
    const payload = stream.slice(payloadAt, payloadAt + Number(length))
    mask(payload, stream.subarray(payloadAt - 4, payloadAt), 0)
    if (opcode < 8) reading.data = joined(reading.data, payload)
    if (BigInt(payload.length) < length) break
    if (opcode < 8 && isFinal) messageBytes = -1
    if (opcode === opcodes.ping) reading.pings++
    reading.isClosed = opcode === opcodes.close
    at = payloadAt + Number(length)
  }
  return reading
}

function judge(opcode: number, isFinal: boolean, length: bigint, messageBytes: number): Violation | undefined {
  if (opcode >= 8) return opcode <= 10 && isFinal && length <= 125n && !(opcode === 8 && length === 1n) ? undefined : closeCodes.protocol
  if (opcode === opcodes.text) return closeCodes.unsupported
  if (opcode > 2 || (opcode === opcodes.binary) !== messageBytes < 0) return closeCodes.protocol
  return BigInt(Math.max(0, messageBytes)) + length > BigInt(messageBytesMax) ? closeCodes.tooLarge : undefined
}

function framesOf(chance: Chance): Uint8Array {
  let isOpen = false
  const frames = Array.from({ length: chance.between(1, 5) }, () => {
    const opcode = chance.oneIn(10)
      ? chance.below(16)
      : chance.pick([isOpen ? 0 : 2, isOpen ? 0 : 2, 9, 10, chance.oneIn(8) ? 8 : 9] as const)
    const payload = chance.bytes(opcode < 8 ? chance.length(400) : chance.oneIn(20) ? chance.between(120, 130) : chance.below(126))
    const key = chance.bytes(4)
    const header = frameHeader(opcode, payload.length, chance.oneIn(30) ? undefined : key)
    if (opcode < 8) isOpen = chance.oneIn(3)
    if (opcode < 8 && isOpen) header[0] = opcode
    mask(payload, key, 0)
    return joined(header, payload)
  })
  return joined(...frames)
}

function requestOf(chance: Chance): string {
  const lines = [
    chance.oneIn(10) ? chance.pick(['POST /sealwire HTTP/1.1', 'GET / HTTP/1.1', 'GET /sealwire HTTP/1.0', '']) : 'GET /sealwire HTTP/1.1',
    'Host: chat.example',
    'Upgrade: websocket',
    chance.oneIn(4) ? 'Connection: keep-alive, Upgrade' : 'Connection: upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.from(chance.bytes(16)).toString('base64')}`,
    ...(chance.oneIn(3) ? ['Sec-WebSocket-Protocol: sealwire.1, other'] : []),
    ...(chance.oneIn(3)
      ? [`Origin: ${chance.pick(['https://chat.example', 'https://other.example', 'https://evil.example', 'null'])}`]
      : []),
    ...(chance.oneIn(8) ? [chance.pick(['Content-Length: 5', 'Transfer-Encoding: chunked', 'X-A : b', 'X\u0000: y', ' folded'])] : []),
  ]
  return (chance.oneIn(6) ? lines.toSpliced(chance.below(lines.length), 1) : lines).join('\r\n')
}

const messageBytesMax = 1_000
