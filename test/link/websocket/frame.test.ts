import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { closeCodes, frameHeader, FrameReader, mask, opcodes, type Violation } from '../../../src/link/websocket/frame.ts'

const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d)

/** A frame as a client sends it. `first` replaces the first byte. */
function frame(opcode: number, payload: Uint8Array, first?: number): Uint8Array {
  const header = frameHeader(opcode, payload.length, key)
  if (first !== undefined) header[0] = first
  const masked = payload.slice()
  mask(masked, key, 0)
  return Buffer.concat([header, masked])
}

/** What a server's reader makes of these bytes, in pieces of at most `pieceBytes`. */
function read(bytes: Uint8Array, pieceBytes = Infinity, emptiesMax = Infinity, messageBytesMax = 100_000) {
  const pieces: Uint8Array[] = []
  const heard = { pings: new Array<string>(), empties: 0, closes: 0 }
  const reader = new FrameReader(
    { masked: true, messageBytesMax },
    {
      data: (piece) => pieces.push(piece),
      ping: (payload) => heard.pings.push(Buffer.from(payload).toString()),
      empty: () => ++heard.empties <= emptiesMax,
      close: () => heard.closes++,
    },
  )
  let violation: Violation | undefined
  for (let at = 0; at < bytes.length && violation === undefined; at += pieceBytes) {
    violation = reader.push(new Uint8Array(bytes.subarray(at, at + pieceBytes)))
  }
  return { ...heard, data: Buffer.concat(pieces), violation }
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

describe('mask', () => {
  test('has the example of RFC 6455 §5.7', () => {
    expect(Buffer.from(frame(opcodes.text, bytes('Hello'))).toString('hex')).toBe('818537fa213d7f9f4d5158')
  })

  test('is the exclusive or of each byte, wherever it begins, and undoes itself', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(9), fc.nat(9), (payload, from, skew) => {
        const place = new Uint8Array(payload.length + skew).subarray(skew)
        place.set(payload)
        mask(place, key, from)
        expect([...place]).toEqual([...payload].map((byte, at) => byte ^ (key[(from + at) & 3] ?? 0)))
        mask(place, key, from)
        expect([...place]).toEqual([...payload])
      }),
    )
  })
})

describe('a reader of frames', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('reads a message of %d bytes, however it is cut', (count) => {
    const payload = new Uint8Array(Buffer.alloc(count, 'abcdefg'))
    for (const pieceBytes of [Infinity, 1, 3, 1_000]) {
      const { data, violation } = read(frame(opcodes.binary, payload), pieceBytes)
      expect([violation, Buffer.compare(data, payload)]).toEqual([undefined, 0])
    }
  })

  test('joins the frames of a message, with a ping between them', () => {
    const message = Buffer.concat([
      frame(opcodes.binary, bytes('one '), 0x02),
      frame(opcodes.ping, bytes('there?')),
      frame(opcodes.continuation, bytes('two '), 0x00),
      frame(opcodes.pong, bytes('unasked')),
      frame(opcodes.continuation, bytes('three')),
      frame(opcodes.binary, bytes('!')),
    ])
    for (const pieceBytes of [Infinity, 1, 7]) {
      const heard = read(message, pieceBytes)
      expect([heard.data.toString(), heard.pings, heard.violation]).toEqual(['one two three!', ['there?'], undefined])
    }
  })

  test('says of each frame that it brings nothing, but for the end of a message that has data', () => {
    const nothing = new Uint8Array(0)
    const begin = frame(opcodes.binary, nothing, 0x02)
    const more = frame(opcodes.continuation, nothing, 0x00)
    const end = frame(opcodes.continuation, nothing)
    expect(read(Buffer.concat([begin, more, more, end, frame(opcodes.binary, nothing)])).empties).toBe(5)
    expect(read(Buffer.concat([frame(opcodes.ping, bytes('there?')), frame(opcodes.pong, nothing)])).empties).toBe(2)
    const used = Buffer.concat([frame(opcodes.binary, bytes('x'), 0x02), end, frame(opcodes.binary, bytes('y'))])
    expect(read(Buffer.concat([used, frame(opcodes.close, nothing)])).empties).toBe(0)
  })

  test('ends at the first one too many of them', () => {
    const heard = read(
      Buffer.concat([...Array<Uint8Array>(3).fill(frame(opcodes.ping, bytes('?'))), frame(opcodes.binary, bytes('x'))]),
      1,
      2,
    )
    expect([heard.violation, heard.pings.length, heard.data.length]).toEqual([closeCodes.policy, 2, 0])
  })

  test('reads nothing behind a close', () => {
    const heard = read(Buffer.concat([frame(opcodes.close, Uint8Array.of(3, 0xe8)), frame(opcodes.binary, bytes('late')), bytes('junk')]))
    expect([heard.closes, heard.data.length, heard.violation]).toEqual([1, 0, undefined])
  })

  const unmasked = Buffer.concat([frameHeader(opcodes.binary, 1), bytes('x')])
  const wide = (head: string): Uint8Array => Buffer.concat([Buffer.from(head, 'hex'), key])
  test.each([
    ['text', frame(opcodes.text, bytes('hello')), closeCodes.unsupported],
    ['a frame that is not masked', unmasked, closeCodes.protocol],
    ['a reserved bit, as compression sets it', frame(opcodes.binary, bytes('x'), 0xc2), closeCodes.protocol],
    ['an unknown frame of data', frame(3, bytes('x')), closeCodes.protocol],
    ['an unknown frame of control', frame(11, bytes('x')), closeCodes.protocol],
    ['a continuation of nothing', frame(opcodes.continuation, bytes('x')), closeCodes.protocol],
    [
      'a message inside another one',
      Buffer.concat([frame(opcodes.binary, bytes('x'), 0x02), frame(opcodes.binary, bytes('y'))]),
      closeCodes.protocol,
    ],
    ['a ping in pieces', frame(opcodes.ping, bytes('x'), 0x09), closeCodes.protocol],
    ['a ping of 126 bytes', frame(opcodes.ping, new Uint8Array(126)), closeCodes.protocol],
    ['a close of one byte', frame(opcodes.close, new Uint8Array(1)), closeCodes.protocol],
    ['a length of 125 in two bytes', wide('82fe007d'), closeCodes.protocol],
    ['a length of 65,535 in eight bytes', wide('82ff000000000000ffff'), closeCodes.protocol],
    ['a length of 2^63', wide('82ff8000000000000000'), closeCodes.protocol],
    ['a length of 2^62', wide('82ff4000000000000000'), closeCodes.tooLarge],
    [
      'a message that grows too large in its pieces',
      Buffer.concat([frame(opcodes.binary, new Uint8Array(60_000), 0x02), frame(opcodes.continuation, new Uint8Array(40_001), 0x00)]),
      closeCodes.tooLarge,
    ],
  ] as const)('refuses %s', (_, sent, code) => {
    for (const pieceBytes of [Infinity, 1]) expect(read(sent, pieceBytes).violation).toBe(code)
  })

  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (pieces) => {
        read(Buffer.concat(pieces), 5)
      }),
    )
  })
})
