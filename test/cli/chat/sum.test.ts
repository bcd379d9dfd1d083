import { describe, expect, test } from 'bun:test'
import { readSum } from '../../../src/cli/chat/sum.ts'

describe('readSum', () => {
  test.each([
    ['5', undefined, '5', undefined, undefined],
    ['5 for lunch', undefined, '5', undefined, 'lunch'],
    ['12.50 hours for  lunch for two', undefined, '12.50', 'hours', 'lunch for two'],
    ['bob 5', 'bob', '5', undefined, undefined],
    ['4you 5 credits for x', '4you', '5', 'credits', 'x'],
    ['for 5', 'for', '5', undefined, undefined],
    ['5 for', undefined, '5', undefined, undefined],
    // Whoever reads the amount refuses it, with the reason.
    ['-5 for lunch', undefined, '-5', undefined, 'lunch'],
    ['bob ٣', 'bob', '٣', undefined, undefined],
    ['1e3', undefined, '1e3', undefined, undefined],
    ['5 lunch', undefined, '5', 'lunch', undefined],
  ])('reads %j', (text, who, amount, unit, memo) => {
    expect(readSum(text)).toEqual({ who, sum: { amount, unit, memo } })
  })

  test.each(['', 'bob', 'lunch for 5', 'bob alice 5', '5 credits please', 'bob 5 credits please'])('is nothing in %j', (text) => {
    expect(readSum(text)).toBeUndefined()
  })
})
