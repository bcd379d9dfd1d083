import { describe, expect, test } from 'bun:test'
import { emptyReport, readReport } from '../../tools/test-report.ts'

const skipped = '    <testcase name="a &gt; b" classname="" file="test/a.test.ts">\n      <skipped />\n    </testcase>\n'
const passed = '    <testcase name="x" classname="" time="0.1" file="test/b.test.ts" line="2" assertions="1" />\n'

describe('readReport', () => {
  test('knows the files that have a test, skipped or not', () => {
    const report = readReport(`<testsuites>\n  <testsuite file="test/c.test.ts" tests="0">\n${skipped}${passed}`)
    expect([[...report.tested], report.failures]).toEqual([['test/a.test.ts', 'test/b.test.ts'], []])
    const marked = '<testcase name="y" file="test/a &amp; &lt;b&gt; &quot;c&quot; &apos;&amp;lt;.test.ts" line="2" />\n'
    expect([...readReport(marked).tested]).toEqual(['test/a & <b> "c" \'&lt;.test.ts'])
    expect(readReport('')).toEqual(emptyReport)
  })

  test('says why a test has failed, as far as it was written down', () => {
    const thrown = 'Error: 1 &lt; 2&#10;      at b:1&#10;&#10;Error: cause&#10;'
    const failed = failedWith(`<failure type="Error" message="1 &lt; 2">${thrown}</failure>`)
    const late = failedWith('<failure type="TimeoutError" message="test timed out" />')
    expect(readReport(`${skipped}${failed}${passed}${late}`).failures).toEqual([
      { file: 'test/f.test.ts', name: 'f', reason: ['Error: 1 < 2', '      at b:1', '', 'Error: cause'] },
      { file: 'test/f.test.ts', name: 'f', reason: ['test timed out'] },
    ])
    expect(readReport(failedWith(`<failure message="">${'a\n'.repeat(100)}</failure>`)).failures[0]?.reason).toHaveLength(30)
  })
})

function failedWith(failure: string): string {
  return `    <testcase name="f" classname="" file="test/f.test.ts" line="3">\n      ${failure}\n    </testcase>\n`
}
