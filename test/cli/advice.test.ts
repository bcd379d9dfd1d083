import { describe, expect, test } from 'bun:test'
import { advised } from '../../src/cli/advice.ts'
import { SealwireError } from '../../src/protocol/errors.ts'

describe('advised', () => {
  test('says what to do next, in the words of the command if it has some', () => {
    const refusal = new SealwireError('name_taken', 'the name is taken')
    expect(advised(refusal).hint).toStartWith('choose another name')
    expect(advised(refusal, { name_taken: 'ask bob' })).toMatchObject({
      code: 'name_taken',
      sentence: 'the name is taken',
      hint: 'ask bob',
    })
  })

  test('leaves an error alone that says it already, and a bug', () => {
    const told = new SealwireError('untrusted', 'another key', { hint: 'ask the operator' })
    expect(advised(told, { untrusted: 'go on' })).toBe(told)
    const bug = SealwireError.from(new TypeError('odd'))
    expect(advised(bug)).toBe(bug)
  })

  test('does not take the disk of the server for ours', () => {
    expect(advised(new SealwireError('storage_full', 'the disk is full')).code).toBe('unavailable')
    expect(advised(new SealwireError('storage_full', 'cannot write x: the disk is full', { hint: 'free some space' })).code).toBe(
      'storage_full',
    )
  })
})
