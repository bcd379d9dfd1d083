import { describe, expect, test } from 'bun:test'
import { formatDuration, parseDuration } from '../../../src/cli/options/duration.ts'
import { commandLine } from '../../../src/cli/options/origin.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'

const minute = 60_000
const range = { min: minute, max: 365 * 24 * 60 * minute }

describe('parseDuration', () => {
  test.each<[string, number]>([
    ['1m', minute],
    ['90m', 90 * minute],
    ['12h', 12 * 60 * minute],
    ['7d', 7 * 24 * 60 * minute],
    ['365d', range.max],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text, commandLine('--expires'), range)).toBe(ms)
  })

  test.each(['', '7', 'd', '0d', '07d', '-1d', '+1d', '1.5h', '7D', '7 d', ' 7d', '7d ', '1w', '7d12h', '1e3m', '٣d', '99999999d'])(
    'refuses %p',
    (text) => {
      expect(refusal(text)).toMatchObject({
        code: 'usage',
        sentence: `--expires ${JSON.stringify(text)} is not a duration`,
        hint: 'write a number of minutes, hours or days, such as 30m, 12h or 7d',
      })
    },
  )

  test.each(['366d', '8761h', '525601m'])('refuses %s, which is too long', (text) => {
    expect(refusal(text)).toMatchObject({ code: 'usage', sentence: `--expires "${text}" is not from 1m to 365d` })
  })
})

describe('formatDuration', () => {
  test.each<[number, string]>([
    [minute, '1m'],
    [90 * minute, '90m'],
    [60 * minute, '1h'],
    [36 * 60 * minute, '36h'],
    [range.max, '365d'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

function refusal(text: string): SealwireError | undefined {
  try {
    parseDuration(text, commandLine('--expires'), range)
  } catch (reason) {
    return SealwireError.from(reason)
  }
  return undefined
}
