import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import { parseName } from '../../src/domain/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'

const limits = { nameCharactersMax: 32 }

// Many texts are tried; other programs may use the processors meanwhile.
setDefaultTimeout(60_000)

/** The sentence with which a name is refused; `undefined` for a name that is accepted. */
function refusal(text: string): string | undefined {
  try {
    parseName(text, limits)
    return undefined
  } catch (reason) {
    const error = SealwireError.from(reason)
    expect(error.code).toBe('name_invalid')
    return error.sentence
  }
}

describe('parseName', () => {
  test('keeps the name as written, composed, and derives the key by which it is found', () => {
    expect(parseName('Jose\u0301', limits)).toEqual({ name: 'José', key: 'josé', skeleton: 'josé' })
    expect(parseName('ＡＬＩＣＥ', limits)).toEqual({ name: 'ＡＬＩＣＥ', key: 'alice', skeleton: 'allce' })
  })

  test('accepts what people call themselves', () => {
    const names = [
      'a',
      'Alice',
      'alice.b',
      'alice_b-2',
      '_x_',
      '2pac',
      'Zoë',
      'Nguyễn',
      'Владимир',
      '田中さくら',
      'محمد',
      'अनिका',
      '민수',
      'สมชาย',
    ]
    for (const name of names) expect([name, refusal(name)]).toEqual([name, undefined])
  })

  test('takes names that mean something to the language for ordinary ones', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null']) {
      expect(parseName(name, limits)).toMatchObject({ name, key: name.toLowerCase() })
    }
  })

  test('says what is wrong with an impossible one', () => {
    const sentences = {
      'a name cannot be empty': [''],
      'a name has at most 32 characters': ['a'.repeat(33), '𝐚'.repeat(33), 'a'.repeat(1_000_000), 'ｶﾞ'.repeat(17)],
      'a name cannot hold a space': ['al ice', ' alice', 'al\u00a0ice', 'al\u3000ice', '\ufdfa'],
      'a name cannot hold a control character, an invisible or an unknown one': [
        'al\0ice',
        'alice\n',
        'al\tice',
        'al\u001b[2Jice',
        'al\u200bice',
        'al\u200dice',
        'al\u202eice',
        'al\u2066ice',
        'al\u00adice',
        'al\u034fice',
        'al\ufe0fice',
        'al\ue000ice',
        'al\u{e0061}ice',
        'al\ud800ice',
        'al\u0378ice',
        '민\u3164수',
        '민\u115f수',
      ],
      'a name holds letters, digits and the signs . _ - only': [
        'a:b',
        'a：b',
        'a@b',
        'a/b',
        'a\\b',
        'a,b',
        "a'b",
        'a|b',
        'a✓',
        '😀',
        'a⃝',
        'ⓐ',
        '½',
        'Ⅳ',
        '¹',
      ],
      'a name holds at least one letter or digit': ['_', '...', '_._'],
      'a name neither begins nor ends with . or -': ['.a', '-rf', 'a.', 'a-'],
      'a name cannot have an accent without a letter or a pile of accents on one': [
        '\u0301a',
        'a_\u0301',
        'a\u0301\u0301',
        'e\u0302\u0300\u0303\u0306\u0307\u0308',
        'ก็็',
      ],
      'a name keeps to the letters of one script in everyday use': ['aliсe', 'αlice', 'Ꭰ', 'ɢ', 'a\u0338', 'bobさくら', 'ŉ'],
      'a name keeps to the digits of one script': ['রহিম৪8'],
    }
    for (const [sentence, names] of Object.entries(sentences)) {
      for (const name of names) expect([name.slice(0, 40), refusal(name)]).toEqual([name.slice(0, 40), sentence])
    }
  })

  test('counts characters, not units, and as many as the limit says', () => {
    expect(refusal('𠮷'.repeat(32))).toBeUndefined()
    expect(refusal('e\u0301'.repeat(32))).toBeUndefined()
    expect(() => parseName('abc', { nameCharactersMax: 2 })).toThrow('[name_invalid] a name has at most 2 characters')
  })

  test('either refuses a text or gives forms that hold nothing dangerous, with a key that stays what it is', () => {
    const unit = fc.oneof(
      fc.constantFrom(...Array.from('aIß٣দ一カ한-._:\u0301\u200b\u202e')),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 6 }), (units) => {
        const text = units.join('')
        if (refusal(text) !== undefined) return
        const { name, key } = parseName(text, limits)
        for (const form of [name, key]) expect(form).not.toMatch(/[\p{C}\s:]/u)
        expect(parseName(key, limits).key).toBe(key)
        expect(parseName(name, limits).name).toBe(name)
      }),
      { numRuns: 500 },
    )
  })
})
