import { describe, expect, test } from 'bun:test'
import { PlainView } from '../../../src/cli/chat/view.ts'
import { said } from './entries.ts'
import { RecordedOutput } from '../echo/support.ts'

describe('PlainView', () => {
  test('writes lines for people', () => {
    const output = new RecordedOutput()
    const view = new PlainView(output, { json: false })
    view.tell(said('one\ntwo'))
    view.tell({ event: 'done', line: 1 })
    expect(output.text).toBe('bob: one\n  | two\n')
  })

  test('writes an object a line for programs', () => {
    const output = new RecordedOutput()
    const view = new PlainView(output, { json: true })
    view.tell(said('one\ntwo'))
    view.tell({ event: 'done', line: 1 })
    expect(output.lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ event: 'said', from: 'bob', name: 'bob', text: 'one\ntwo', seq: 3 }),
      { event: 'done', line: 1 },
    ])
  })

  test('says when nobody reads any more', () => {
    const output = new RecordedOutput()
    const view = new PlainView(output, { json: false })
    expect(view.closed).toBe(false)
    output.closed = true
    expect(view.closed).toBe(true)
  })
})
