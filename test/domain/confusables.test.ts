import { describe, expect, test } from 'bun:test'
import { skeleton } from '../../src/domain/confusables.ts'
import { parseName } from '../../src/domain/index.ts'

function skeletons(...names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => parseName(name, { nameCharactersMax: 32 }).skeleton))
}

describe('skeleton', () => {
  test('is one for names that look alike in Latin letters and digits', () => {
    for (const names of [
      ['userl', 'user1', 'userI', 'USERl'],
      ['bob', 'b0b', 'BOB', 'B0B'],
      ['Ian', 'lan', '1an'],
      ['ilhan', 'ılhan', 'i\u0307lhan'],
      ['encyclopædia', 'encyclopaedia'],
      ['şule', 'șule'],
      ['ǎna', 'ăna'],
      ['Đorđe', 'Ðorđe'],
    ]) {
      expect([names, skeletons(...names).size]).toEqual([names, 1])
    }
    expect(skeleton('user|')).toBe(skeleton('userl'))
  })

  test('tells names apart that people tell apart', () => {
    for (const names of [
      ['useri', 'userl'],
      ['jose', 'josé'],
      ['alice', 'alice_', 'alice2', 'alise'],
      ['modern', 'modem'],
      ['дон', 'don'],
      ['ดา', 'ตา', 'คา'],
    ]) {
      expect([names, skeletons(...names).size]).toEqual([names, names.length])
    }
  })

  test('is one for whole names in other alphabets that look Latin', () => {
    for (const [other, latin] of [
      ['раураӏ', 'paypal'],
      ['ѕсоре', 'scope'],
      ['НОТЕL', 'HOTEL'],
      ['ΒΟΒ', 'BOB'],
      ['ΝΑΤΟ', 'NATO'],
      ['κινο', 'kivo'],
      ['սոօ', 'uno'],
      ['ҫа', 'ça'],
      ['үу', 'yy'],
    ] as const) {
      expect([other, skeleton(other)]).toEqual([other, skeleton(latin)])
    }
  })

  test('depends on the case in which a name is displayed where capitals look different', () => {
    expect(skeleton('ВОВ')).toBe(skeleton('BOB'))
    expect(skeleton('вов')).not.toBe(skeleton('bob'))
    expect(skeleton('Ν')).toBe(skeleton('N'))
    expect(skeleton('ν')).toBe(skeleton('v'))
  })

  test('is one for full-width and mathematical forms, and for the digits of all scripts', () => {
    expect(skeleton('ｂｏｂ')).toBe(skeleton('bob'))
    expect(skeletons('علي٣', 'علي۳', 'علي3').size).toBe(1)
    expect(skeletons('अनिका२', 'अनिका2').size).toBe(1)
    expect(skeletons('রহিম৪', 'রহিম8').size).toBe(1)
    for (const zero of '٠۰०০੦૦୦௦౦೦൦෦๐໐༠၀႐០') expect([zero, /\p{Nd}/u.test(zero)]).toEqual([zero, true])
  })

  test('is one for look-alikes within a script and between scripts that are written together', () => {
    for (const [one, other] of [
      ['カ', '力'],
      ['ロト', '口卜'],
      ['エレーナ', '工レ一ナ'],
      ['べ', 'ベ'],
      ['على', 'علی'],
      ['کريم', 'كريم'],
      ['แก้ว', 'เเก้ว'],
      ['आरव', 'अारव'],
      ['戶田', '戸田'],
      ['ఒ', 'ಒ'],
    ] as const) {
      expect([one, skeleton(one)]).toEqual([one, skeleton(other)])
    }
  })
})
