import { describe, expect, test } from 'bun:test'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { inputLines } from '../../../src/cli/echo/input.ts'

describe('inputLines', () => {
  test('hands out lines without their newlines, the last one also without any', async () => {
    expect(await linesOf(['one\n\ntwo\nthr', 'ee'])).toEqual(['one', '', 'two', 'three'])
    expect(await linesOf(['one\n'])).toEqual(['one'])
    expect(await linesOf([])).toEqual([])
  })

  test('keeps bytes that are no text as they are', async () => {
    const lines = await Array.fromAsync(inputLines(Readable.from([Uint8Array.of(0xff, 0x00, 0x0a, 0x80)]), 100))
    expect(lines.map((line) => [...line])).toEqual([[0xff, 0x00], [0x80]])
  })

  test('yields the same lines however the bytes are split', async () => {
    const law = fc.asyncProperty(fc.array(fc.stringMatching(/^[ab\n]{0,5}$/)), async (chunks) => {
      const expected = chunks.join('').split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(await linesOf(chunks)).toEqual(expected)
    })
    await fc.assert(law)
  })

  test('stops at a line that is too long, and shows that it is', async () => {
    const chunks = (function* () {
      yield 'ok\n'
      for (;;) yield 'x'.repeat(10)
    })()
    const lines = await linesOf(chunks, 25)
    expect(lines).toEqual(['ok', 'x'.repeat(30)])
  })
})

async function linesOf(chunks: Iterable<string>, bytesMax = 1000): Promise<readonly string[]> {
  const stream = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk)
  })()
  const lines = await Array.fromAsync(inputLines(stream, bytesMax))
  return lines.map((line) => Buffer.from(line).toString())
}
