import { describe, expect, test } from 'bun:test'
import { commandLine, refuse } from '../../../src/cli/options/origin.ts'

describe('refuse', () => {
  test('names the place, the value and the next step', () => {
    expect(refuse(commandLine('--echo'), 'x', 'has no port', 'write one')).toMatchObject({
      code: 'usage',
      sentence: '--echo "x" has no port',
      hint: 'write one',
    })
  })

  test('lets a value end neither its quotes nor the line', () => {
    expect(refuse({ label: 'A', code: 'config_invalid' }, '"\n\u001b\u202e', 'is odd', 'do').sentence).toBe(
      'A "\\"\\n\\u001b\\u202e" is odd',
    )
  })
})
