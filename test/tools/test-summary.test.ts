import { describe, expect, test } from 'bun:test'
import { added, nothingCounted, readSummary, shownSum } from '../../tools/test-summary.ts'

const whole = { title: 'lanes', files: 2, ending: 0 }
const told = `
test/a.test.ts:
(pass) one [0.12ms]

test/b.test.ts:
(pass) two

 2 pass
 0 fail
 7 expect() calls
Ran 2 tests across 2 files. [0.34s]
`

describe('readSummary', () => {
  test('takes the counts of the last lines', () => {
    expect(readSummary(told, whole)).toEqual({ counts: { pass: 2, skip: 0, fail: 0, errors: 0, files: 2 }, failures: [] })
    expect(readSummary(told.replaceAll(/\d+ (pass|fail)/g, '\u001b[32m$&\u001b[0m'), whole).counts.pass).toBe(2)
    // What a test prints is not what the run says.
    expect(readSummary(` 9 pass\n 9 fail\nRan 9 tests across 9 files. [1s]\n${told}`, whole).counts).toMatchObject({ pass: 2, fail: 0 })
  })

  test('names each failure once, with its file, and what was thrown between tests by its words', () => {
    const thrown =
      '# Unhandled error between tests\n-----\n2 | throw new TypeError()\n        ^\nTypeError: gone\n      at /c.test.ts:2:11\n-----'
    const failed = told
      .replace('(pass) two', `${thrown}\n(fail) two [1ms]\n\n1 tests failed:\n(fail) two [1ms]`)
      .replace(' 0 fail', ' 1 fail')
    const { counts, failures } = readSummary(failed, { ...whole, ending: 1 })
    expect(counts.fail).toBe(1)
    expect(failures).toEqual(['# Unhandled error between tests: TypeError: gone at /c.test.ts:2:11', 'test/b.test.ts: (fail) two [1ms]'])
  })

  test('says below a failure what was thrown by that test, not by one of another file', () => {
    const failed = told.replace('(pass) two', '(fail) all > two [1ms]\n(fail) three').replace(' 0 fail', ' 2 fail')
    const failures = [
      { file: 'test/a.test.ts', name: 'two', reason: ['Error: not that'] },
      { file: 'test/b.test.ts', name: 'two', reason: ['Error: gone', '  at b'] },
    ]
    expect(readSummary(failed, { ...whole, ending: 1, report: { tested: new Set(), failures } }).failures).toEqual([
      'test/b.test.ts: (fail) all > two [1ms]\n    Error: gone\n      at b',
      'test/b.test.ts: (fail) three',
    ])
  })

  test.each([
    ['nothing', '', 0, 'lanes: ended (0) and has told of 0 of 2 files'],
    ['no end', told.slice(0, told.indexOf(' 2 pass')), 'SIGKILL', 'lanes: ended (SIGKILL) and has told of 0 of 2 files'],
    ['one file less', told.replace('2 files', '1 file'), 0, 'lanes: ended (0) and has told of 1 of 2 files'],
    ['nothing wrong, and ended as if', told, 1, 'lanes: ended (1) without a test that failed'],
    ['nothing wrong, and was killed', told, 'SIGTERM', 'lanes: ended (SIGTERM) without a test that failed'],
  ])('counts a run as failed that has told %s', (_what, text, ending, why) => {
    const { counts, failures } = readSummary(text, { ...whole, ending })
    expect([counts.fail, failures]).toEqual([1, [why]])
  })
})

test('a file without a test is a failure, but for one that could not be loaded', () => {
  const facts = { ...whole, untested: ['test/b.test.ts'] }
  expect(readSummary(told, facts)).toMatchObject({ counts: { pass: 2, fail: 1 }, failures: ['test/b.test.ts: has no test'] })
  const unloaded = told.replace(' 0 fail', ' 1 fail\n 1 error')
  expect(readSummary(unloaded, { ...facts, ending: 1 })).toMatchObject({ counts: { fail: 1 }, failures: [] })
})

test('the sum is in the words of bun test', () => {
  const { counts } = readSummary(told, whole)
  const sum = added(added(nothingCounted, counts), { ...counts, fail: 1, errors: 1, skip: 3 })
  const lines = ['', '--- what failed', 'test/a.test.ts: (fail) one', '', '--- all', ' 4 pass', ' 3 skip', ' 1 fail', ' 1 error']
  expect(shownSum(sum, { wrong: ['test/a.test.ts: (fail) one'], seconds: 1.25 })).toBe(
    [...lines, 'Ran 8 tests across 4 files. [1.3s]', ''].join('\n'),
  )
})
