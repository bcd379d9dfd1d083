import { describe, expect, test } from 'bun:test'
import { escapeControls, quote } from '../../../src/cli/terminal/escape.ts'

describe('escapeControls', () => {
  test('leaves text alone that any script is written in', () => {
    const text = 'Grüße, 世界, שלום, 👩‍🚀 \\ "'
    expect(escapeControls(text)).toBe(text)
  })

  test('shows C0, DEL and C1 as escapes', () => {
    expect(escapeControls('a\nb\rc\td\u001b[31me\u0000f\u007fg\u009b')).toBe('a\\nb\\rc\\td\\u001b[31me\\u0000f\\u007fg\\u009b')
  })

  test('shows what turns the direction or ends a line as escapes', () => {
    expect(escapeControls('\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\u2029')).toBe(
      '\\u061c\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069\\u2028\\u2029',
    )
  })

  test('shows what hides as escapes, beyond U+FFFF in two units', () => {
    expect(escapeControls('\u200b\u2060\u2064\ufeffa\u200cb\u200dc')).toBe('\\u200b\\u2060\\u2064\\ufeffa\\u200cb\\u200dc')
    expect(escapeControls('\u{e0001}\u{e0061}\u{e007f}')).toBe('\\udb40\\udc01\\udb40\\udc61\\udb40\\udc7f')
  })

  test('shows what nobody sees as escapes', () => {
    const unseen = '\u00ad\u034f\u115f\u1160\u17b4\u206a\u3164\uffa0\ufff9\ufe0f'
    const shown = String.raw`\u00ad\u034f\u115f\u1160\u17b4\u206a\u3164\uffa0\ufff9\ufe0f`
    expect(escapeControls(`bob${unseen}`)).toBe(`bob${shown}`)
    expect(escapeControls('bob\u{e0100} 5\ufe0f x\ufe00 a\u180b')).toBe('bob\\udb40\\udd00 5\\ufe0f x\\ufe00 a\\u180b')
    const [all, pairs] = [0x2_0000, 0x800]
    const ignorable = Array.from({ length: all }, (_, code) => code + (code < 0xd800 ? 0 : pairs)).map((code) => String.fromCodePoint(code))
    const left = ignorable.filter((each) => /[\p{Default_Ignorable_Code_Point}\u{e0000}-\u{e0fff}]/u.test(escapeControls(`a${each}`)))
    expect(left).toEqual([])
  })

  test('leaves a choice of a form where it is written, and only one', () => {
    const written = '❤\ufe0f ☎\ufe0e 1\ufe0f\u20e3 葛\u{e0100} 豈\ufe00 \u1820\u180b'
    expect(escapeControls(written)).toBe(written)
    expect(escapeControls('❤\ufe0f\ufe0f 葛\u{e0100}\u{e0101}')).toBe('❤\ufe0f\\ufe0f 葛\u{e0100}\\udb40\\udd01')
  })

  test('leaves a joiner where it is written, and only one', () => {
    const written = 'می\u200cخواهم क्\u200dष 👩🏽\u200d🚀 🏳\ufe0f\u200d🌈'
    expect(escapeControls(written)).toBe(written)
    expect(escapeControls('می\u200c\u200cخ 👩\u200d\u200d🚀 👩\u200dx')).toBe('می\u200c\\u200cخ 👩\\u200d\\u200d🚀 👩\\u200dx')
  })

  test('leaves no code point that Unicode calls a control', () => {
    const all = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).join('')
    expect(escapeControls(all)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u)
  })
})

describe('quote', () => {
  test('can be read back as JSON and holds no control', () => {
    const text = 'a "b" \\ \u001b \u009b \u202e \n \ud800'
    expect(JSON.parse(quote(text))).toBe(text)
    expect(quote(text)).toBe('"a \\"b\\" \\\\ \\u001b \\u009b \\u202e \\n \\ud800"')
  })
})
