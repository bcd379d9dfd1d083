import { describe, expect, test } from 'bun:test'
import { answerId, formatMessageId, newMessageId, parseMessageId } from '../../../src/client/index.ts'

const fill = (byte: number) => (bytes: Uint8Array<ArrayBuffer>) => bytes.fill(byte)

describe('ids of messages', () => {
  test('are UUIDs of version 7, by time', () => {
    expect(newMessageId(0x0123_4567_89ab, fill(0xff))).toBe('01234567-89ab-7fff-bfff-ffffffffffff')
    expect(newMessageId(0x0123_4567_89ab, fill(0))).toBe('01234567-89ab-7000-8000-000000000000')
    const bytes = parseMessageId('01234567-89ab-7fff-bfff-ffffffffffff')
    expect([bytes.length, formatMessageId(bytes)]).toEqual([16, '01234567-89ab-7fff-bfff-ffffffffffff'])
    for (const wrong of ['', '01234567-89ab-4fff-bfff-ffffffffffff', '0123456789ab7fffbfffffffffffffff']) {
      expect(() => parseMessageId(wrong)).toThrow(TypeError)
    }
  })

  test('of answers are the same for the same entry, and differ for any other', () => {
    const entry = { conversation: 1, seq: 2, at: 0x0123_4567_89ab }
    expect(answerId(entry)).toBe('01234567-89ab-7000-8000-000100000002')
    const places = [0, 1, 2 ** 16, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 41].flatMap((conversation) =>
      [1, 2, 2 ** 31, 2 ** 32 - 1].map((seq) => answerId({ conversation, seq, at: 1 })),
    )
    expect(new Set(places).size).toBe(places.length)
    for (const place of places) parseMessageId(place)
  })
})
