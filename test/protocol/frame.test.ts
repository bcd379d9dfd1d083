import { describe, expect, test } from 'bun:test'
import { encodeFrame, type FrameSink, SealwireError, writeFrame } from '../../src/protocol/index.ts'

const utf8 = new TextEncoder()

describe('encodeFrame', () => {
  test('encodes Message "hello" as the seed chat did', () => {
    expect(Buffer.from(encodeFrame(0x03, utf8.encode('hello'))).toString('hex')).toBe('4d41474303000568656c6c6f77d6528e')
  })

  test('encodes an empty body', () => {
    expect(Buffer.from(encodeFrame(0x04)).toString('hex')).toBe('4d41474304000018cfc958')
  })

  test('refuses a body that no length can say', () => {
    expect(() => encodeFrame(0x03, new Uint8Array(65_536))).toThrow(SealwireError)
  })
})

describe('writeFrame', () => {
  test('puts the prefix before the body and touches nothing around the frame', () => {
    const sink = new ArraySink(40)
    writeFrame(sink, 0x03, utf8.encode('hello'), utf8.encode('bob: '))
    const expected = encodeFrame(0x03, utf8.encode('bob: hello'))
    expect(sink.bytes.subarray(2, 2 + expected.length)).toEqual(expected)
    expect([...sink.bytes.subarray(0, 2), ...sink.bytes.subarray(2 + expected.length)]).toEqual(Array(40 - expected.length).fill(0xee))
  })
})

/** Gives room from byte 2 on and is full of a mark, to show what was touched. */
class ArraySink implements FrameSink {
  readonly bytes: Uint8Array

  constructor(length: number) {
    this.bytes = new Uint8Array(length).fill(0xee)
  }

  reserve(): number {
    return 2
  }
}
