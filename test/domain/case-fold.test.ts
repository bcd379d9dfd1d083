import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import { caseFold, nameKey } from '../../src/domain/case-fold.ts'

// Many texts are tried; other programs may use the processors meanwhile.
setDefaultTimeout(60_000)

describe('caseFold', () => {
  test('makes one of texts that differ in case only, also where one letter is two in capitals', () => {
    const sameTexts = [
      ['alice', 'ALICE', 'aLiCe'],
      ['straße', 'STRASSE', 'STRAẞE'],
      ['σίσυφος', 'ΣΊΣΥΦΟΣ', 'Σίσυφοσ'],
      ['վահե', 'ՎԱՀԵ'],
      ['ილია', 'ᲘᲚᲘᲐ'],
      ['ᾳ', 'ᾼ', 'ΑΙ'],
    ]
    for (const texts of sameTexts) expect(new Set(texts.map(caseFold)).size).toBe(1)
  })

  test('takes the four Turkish letters i, I, ı and İ for one', () => {
    expect(new Set(['ilhan', 'İlhan', 'ILHAN', 'ılhan', 'i\u0307lhan'].map(caseFold))).toEqual(new Set(['ilhan']))
  })

  test('drops the dot that an i or a j has anyway, below other marks too, and no other dot', () => {
    expect(caseFold('i\u0307j\u0323\u0307')).toBe('ij\u0323')
    expect(caseFold('z\u0307')).toBe('z\u0307')
  })

  test('keeps letters apart that differ in more than case', () => {
    expect(caseFold('jose')).not.toBe(caseFold('josé'))
    expect(caseFold('σ')).not.toBe(caseFold('ο'))
  })
})

describe('nameKey', () => {
  test('is the same for a name and its full-width, composed and decomposed forms', () => {
    expect(nameKey('Ａｌｉｃｅ')).toBe('alice')
    expect(nameKey('JOSE\u0301')).toBe('jos\u00e9')
    expect(nameKey('ﬁnn')).toBe('finn')
    expect(nameKey('ｶﾞﾝﾏ')).toBe('ガンマ')
  })

  test('is stable for every character there is', () => {
    const unstable: string[] = []
    // Beyond plane 3 there are no letters.
    for (let code = 0; code < 0x40000; code++) {
      const character = String.fromCodePoint(code)
      const key = nameKey(character)
      if (key !== character && nameKey(key) !== key) unstable.push(code.toString(16))
    }
    expect(unstable).toEqual([])
  })

  test('is stable for every text', () => {
    // Letters with special cases and marks of several combining classes are drawn more often than chance would.
    const special = fc.constantFrom(...Array.from('iıİIjßẞςσΣſᾳᾼΐǰŉևﬁȷ\u0307\u0323\u0345\u0301\u0327\u3099\u11a8'))
    const text = fc.array(fc.oneof(special, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), { maxLength: 12 })
    fc.assert(
      fc.property(text, (characters) => {
        const key = nameKey(characters.join(''))
        expect(nameKey(key)).toBe(key)
      }),
      { numRuns: 500 },
    )
  })
})
