import { describe, expect, test } from 'bun:test'
import { formatMessageId } from '../../../src/client/index.ts'
import { freshId, ownId, readId } from '../../../src/cli/options/id.ts'
import { SealwireError } from '../../../src/protocol/index.ts'

const text = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a'

describe('ids on the command line', () => {
  test('are fresh, unless one is given', () => {
    expect(formatMessageId(readId(text, 'ID'))).toBe(text)
    expect(formatMessageId(ownId(text))).toBe(text)
    const fresh = [freshId(), freshId(), ownId(undefined)].map(formatMessageId)
    expect(new Set(fresh).size).toBe(3)
    for (const each of fresh) readId(each, 'ID')
  })

  test('of others may be of any version, own ones are of version 7', () => {
    const other = '01936b1e-7a7c-4c4e-0a51-0f3c2d1e4b5a'
    expect(formatMessageId(readId(other, 'ID'))).toBe(other)
    expect(caught(() => ownId(other))).toMatchObject({ code: 'usage', sentence: `--id "${other}" is not a UUID of version 7` })
  })

  test.each(['', 'x', `${text}0`, text.replaceAll('-', '')])('refuse %j with what to do', (wrong) => {
    expect(caught(() => readId(wrong, 'HOLD'))).toMatchObject({
      code: 'usage',
      sentence: `HOLD "${wrong}" is not a UUID`,
      hint: 'copy it from sealwire statement',
    })
    expect(caught(() => ownId(wrong, 'leave it out'))).toMatchObject({
      sentence: `--id "${wrong}" is not a UUID of version 7`,
      hint: 'leave it out',
    })
  })
})

function caught(action: () => unknown): SealwireError {
  try {
    action()
  } catch (reason) {
    return SealwireError.from(reason)
  }
  throw new TypeError('nothing was refused')
}
