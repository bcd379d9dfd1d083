import { describe, expect, test } from 'bun:test'
import { openSync } from 'node:fs'
import { wantsColours } from '../../../src/cli/terminal/colours.ts'

describe('wantsColours', () => {
  test('is for terminals', () => {
    expect(wantsColours(openSync('/dev/null', 'w'), {})).toBe(false)
  })

  test('heeds the variables, and NO_COLOR before FORCE_COLOR', () => {
    const file = openSync('/dev/null', 'w')
    expect(wantsColours(file, { FORCE_COLOR: '1' })).toBe(true)
    expect(wantsColours(file, { FORCE_COLOR: '' })).toBe(true)
    expect(wantsColours(file, { FORCE_COLOR: '0' })).toBe(false)
    expect(wantsColours(file, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
    expect(wantsColours(file, { FORCE_COLOR: '1', NO_COLOR: '' })).toBe(true)
  })
})
