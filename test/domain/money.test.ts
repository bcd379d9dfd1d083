import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { amountMax, balanceMax, formatAmount, isNothing, parseAmount, requireAmount } from '../../src/domain/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'

const refusal = (read: () => unknown): string | undefined => {
  try {
    read()
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).message
  }
}

describe('parseAmount', () => {
  test.each([
    ['5', 2n, 500n],
    ['0.5', 2n, 50n],
    ['0.05', 2n, 5n],
    ['12.50', 2n, 1_250n],
    ['12.5', 2n, 1_250n],
    ['7', 0n, 7n],
    ['0.000000001', 9n, 1n],
    ['1000000', 9n, 10n ** 15n],
    ['9007199254740.93', 2n, 900_719_925_474_093n],
    ['1000000000000000', 0n, amountMax],
  ])('reads %s', (text, decimals, minor) => {
    expect(parseAmount(text, decimals)).toBe(minor)
  })

  const format = 'an amount is decimal text such as 12.50'
  test.each([
    ['0', 2n, 'the amount must be more than 0'],
    ['0.00', 2n, 'the amount must be more than 0'],
    ['-1', 2n, 'an amount has no sign'],
    ['+1', 2n, 'an amount has no sign'],
    ['-0', 2n, 'an amount has no sign'],
    [String(2n ** 53n - 1n), 0n, 'the amount is too large'],
    [String(2n ** 53n + 1n), 0n, 'the amount is too large'],
    [String(2n ** 63n - 1n), 0n, 'the amount is too large'],
    [String(2n ** 64n), 0n, 'the amount is too large'],
    [String(2n ** 64n), 9n, 'the amount is too large'],
    ['1000000000000001', 0n, 'the amount is too large'],
    ['10000000000000.01', 2n, 'the amount is too large'],
    ['9'.repeat(33), 0n, 'the amount is too long'],
    ['1e3', 2n, 'an amount has no exponent'],
    ['1E3', 2n, 'an amount has no exponent'],
    ['1.5e3', 2n, 'an amount has no exponent'],
    ['0.001', 2n, 'the unit has at most 2 decimal places'],
    ['1.000', 2n, 'the unit has at most 2 decimal places'],
    ['1.50', 1n, 'the unit has at most 1 decimal place'],
    ['1.0', 0n, 'the unit has no decimal places'],
    ['05', 2n, 'an amount has no leading zeros'],
    ['00.5', 2n, 'an amount has no leading zeros'],
    ...[
      '',
      ' ',
      '.',
      '.5',
      '5.',
      '1.2.3',
      '1,50',
      '1 000',
      ' 1',
      '1 ',
      '1\n',
      'NaN',
      'Infinity',
      '0x10',
      '1n',
      '1_000',
      '٣',
      '１２',
      '५',
      '1۰',
      '𝟙',
    ].map((text) => [text, 2n, format] as const),
  ] as const)('refuses %j of a unit with %d places: %s', (text, decimals, reason) => {
    expect(refusal(() => parseAmount(text, decimals))).toBe(`[amount_invalid] ${reason}`)
  })

  test('is the inverse of formatAmount, for every amount of every unit', () => {
    const check = fc.property(fc.bigInt(1n, amountMax), fc.bigInt(0n, 9n), (minor, decimals) => {
      expect(parseAmount(formatAmount(minor, decimals), decimals)).toBe(minor)
    })
    fc.assert(check, { numRuns: 20_000 })
  })

  test('takes nothing but what it would write itself, with zeros left out at the end', () => {
    const near = fc.string({ unit: fc.constantFrom(...Array.from('0123456789.-+e ,٣')), maxLength: 20 })
    const check = fc.property(near, fc.bigInt(0n, 9n), (text, decimals) => {
      if (refusal(() => parseAmount(text, decimals)) !== undefined) return
      const written = formatAmount(parseAmount(text, decimals), decimals)
      expect(written.startsWith(text)).toBe(true)
      expect(written.slice(text.length)).toMatch(/^\.?0*$/)
    })
    fc.assert(check, { numRuns: 20_000 })
  })
})

describe('formatAmount', () => {
  test.each([
    [0n, 2n, '0.00'],
    [5n, 2n, '0.05'],
    [-5n, 2n, '-0.05'],
    [1_250n, 2n, '12.50'],
    [-1_250n, 2n, '-12.50'],
    [7n, 0n, '7'],
    [-7n, 0n, '-7'],
    [1n, 9n, '0.000000001'],
    [-balanceMax, 2n, '-10000000000000000.00'],
  ])('writes %d with %d places as %s', (minor, decimals, text) => {
    expect(formatAmount(minor, decimals)).toBe(text)
  })
})

test('an amount that moves is from 1 to 10^15', () => {
  expect([1n, amountMax].map(requireAmount)).toEqual([1n, 10n ** 15n])
  for (const amount of [0n, -1n, amountMax + 1n, 2n ** 63n]) expect(refusal(() => requireAmount(amount))).toContain('amount_invalid')
})

test('nothing is zero with any number of places, and no other text', () => {
  expect(['0', '0.0', '0.000000000'].map(isNothing)).toEqual([true, true, true])
  for (const text of ['', '0.', '.0', '00', '-0', '0.01', '1', '0\n']) expect([text, isNothing(text)]).toEqual([text, false])
})
