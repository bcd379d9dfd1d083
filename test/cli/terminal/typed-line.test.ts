import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { TypedLine } from '../../../src/cli/terminal/typed-line.ts'

describe('TypedLine', () => {
  test.each([
    ['Enter', 'secret\r', 'secret'],
    ['a newline', 'secret\n', 'secret'],
    ['letters of several bytes', 'pässwört 🔑\r', 'pässwört 🔑'],
    ['Backspace', 'secrex\u007ft\r', 'secret'],
    ['the other Backspace', 'secrex\bt\r', 'secret'],
    ['Backspace on letters of several bytes', 'sä🔑\u007f\u007fecret\r', 'secret'],
    ['Backspace on an empty line', '\u007f\u007fsecret\r', 'secret'],
    ['Ctrl-U', 'wrong\u0015secret\r', 'secret'],
    ['arrow and function keys', 'se\u001b[Acr\u001b[1;5De\u001bOPt\u001b[200~\r', 'secret'],
    ['a key with Alt', 'se\u001bxcret\r', 'secret'],
    ['a sequence that is cut off by Enter', 'secret\u001b[\r', 'secret'],
    ['a sequence that is cut off by another control', 'se\u001b[\u0001cret\r', 'secret'],
    ['controls that mean nothing', 'se\u0000\u0001\tcret\r', 'secret'],
    ['Ctrl-D in the middle', 'se\u0004cret\r', 'secret'],
    ['Enter alone', '\r', ''],
  ])('understands %s', (_, keys, text) => {
    const line = typed(keys)
    expect([line.end, textOf(line)]).toEqual(['entered', text])
  })

  test('ends with Ctrl-C at any place, and with Ctrl-D at its beginning', () => {
    for (const keys of ['\u0003', 'secret\u0003', 'secret\u001b[\u0003']) expect(typed(keys).end).toBe('interrupted')
    expect(typed('\u0004').end).toBe('abandoned')
    expect(typed('x\u007f\u0004').end).toBe('abandoned')
    expect(typed('secret').end).toBeUndefined()
  })

  test('does not take Esc alone for the beginning of what comes later', () => {
    const line = new TypedLine(100)
    for (const keys of ['se\u001b', '[cret\r']) line.type(Buffer.from(keys))
    expect(textOf(line)).toBe('se[cret')
  })

  test('gives back what was typed after its end', () => {
    const rest = (keys: string): string => Buffer.from(new TypedLine(100).type(Buffer.from(keys))).toString()
    expect(rest('one\rtwo\r')).toBe('two\r')
    expect(rest('one\r\ntwo')).toBe('two')
    expect(rest('one\r\r')).toBe('\r')
    expect(rest('one')).toBe('')
  })

  test('keeps one byte more than it may hold and no more', () => {
    const line = new TypedLine(10)
    line.type(Buffer.from(`${'x'.repeat(1000)}\r`))
    expect([line.end, line.bytes.length]).toEqual(['entered', 11])
  })

  test('holds the same however the keys come, sequences apart', () => {
    const keys = fc.array(fc.constantFrom('a', 'ä', '🔑', '\u007f', '\u0015', '\u0004', '\t')).map((parts) => `x${parts.join('')}\r`)
    fc.assert(
      fc.property(keys, (text) => {
        const bytewise = new TypedLine(1000)
        for (const byte of Buffer.from(text)) bytewise.type(Uint8Array.of(byte))
        const whole = typed(text)
        // Ctrl-D ends an emptied line; then what follows is not a part of it.
        expect([bytewise.end, textOf(bytewise)]).toEqual([whole.end, textOf(whole)])
      }),
    )
  })
})

function typed(keys: string): TypedLine {
  const line = new TypedLine(1000)
  line.type(Buffer.from(keys))
  return line
}

function textOf({ bytes }: TypedLine): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}
