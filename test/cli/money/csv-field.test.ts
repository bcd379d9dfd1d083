import { describe, expect, test } from 'bun:test'
import { csvField } from '../../../src/cli/money/csv-field.ts'

describe('csvField', () => {
  test.each([
    ['lunch', 'lunch'],
    ['-12.50', '-12.50'],
    ['a "b", c', '"a ""b"", c"'],
    ['a;b', '"a;b"'],
    ['=1+1', "'=1+1"],
    [' =1+1', "' =1+1"],
    ['\u00a0\u3000@SUM(A1)', "'\u00a0\u3000@SUM(A1)"],
    ['-1+2', "'-1+2"],
    ['＝1;2', '"\'＝1;2"'],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠a', "'＠a"],
    ['\t=1', '\\t=1'],
  ])('writes %j as %j', (text, field) => {
    expect(csvField(text)).toBe(field)
  })
})
