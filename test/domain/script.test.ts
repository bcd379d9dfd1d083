import { describe, expect, test } from 'bun:test'
import { isOneScript, mixesDigits } from '../../src/domain/script.ts'

describe('isOneScript', () => {
  test('accepts names of every script in everyday use', () => {
    const names =
      'محمد Արմեն আনিকা Владимир अनिका ዳዊት გიორგი Γιάννης અનિકા ਅਨੀਕਾ משה ಅನಿಕಾ សុខា ສົມ Łukasz അനിക အောင် ଅନିକା සුනිල් கவிதா అనిక އަލީ สมชาย བསྟན'
    for (const name of names.split(' ')) expect([name, isOneScript(name.normalize('NFC'))]).toEqual([name, true])
  })

  test('accepts what is written together in East Asia', () => {
    for (const name of ['田中さくら', '佐々木カレー', '李ㄌㄧ', '金민수', 'ひらがなカタカナ']) expect(isOneScript(name)).toBe(true)
  })

  test('refuses two scripts that are not written together', () => {
    for (const name of ['aliсe', 'αlice', 'さくら민수', 'bobさくら', 'משהمحمد']) expect(isOneScript(name)).toBe(false)
  })

  test('lets digits and the three signs stand with every script, and alone', () => {
    for (const name of ['anna_2', '安娜.2', '007', 'анна-2']) expect(isOneScript(name)).toBe(true)
  })

  test('refuses scripts that are not in everyday use and what no orthography needs', () => {
    const characters = 'ᎠᚠⲀ𐐀ᴀɢǀǃʘſƽꞌːʼϲϐ𝐚ꙁҀՙႠـᄀㅤ〳\u0338\u0488\u0345'
    for (const character of characters) expect([character, isOneScript(character)]).toEqual([character, false])
  })

  test('accepts letters that African and Caucasian orthographies took from the phonetic alphabet', () => {
    for (const name of ['Ɛɔ', 'ŋaa', 'Əli', 'ɓɗƙ', 'ŋʋɣ', 'Ӏимран']) expect([name, isOneScript(name)]).toEqual([name, true])
  })
})

describe('mixesDigits', () => {
  test('tells digits of two scripts', () => {
    expect(mixesDigits('রহিম৪8')).toBe(true)
    expect(mixesDigits('রহিম৪৮')).toBe(false)
    expect(mixesDigits('rahim48')).toBe(false)
  })
})
