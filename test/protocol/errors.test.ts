import { describe, expect, test } from 'bun:test'
import { assert, codes, SealwireError } from '../../src/protocol/index.ts'

describe('SealwireError', () => {
  test('says its code before its sentence', () => {
    const error = new SealwireError('busy', 'too many at once', { hint: 'try again' })
    expect(error.message).toBe('[busy] too many at once')
    expect([error.code, error.sentence, error.hint, error.fatal]).toEqual(['busy', 'too many at once', 'try again', false])
  })

  test('keeps what it is given and hides everything else as internal', () => {
    const known = new SealwireError('not_found', 'nobody')
    expect(SealwireError.from(known)).toBe(known)
    const bug = new RangeError('secret detail')
    const wrapped = SealwireError.from(bug)
    expect([wrapped.code, wrapped.sentence, wrapped.cause]).toEqual(['internal', 'internal error', bug])
  })

  test('recognises an error of another copy of the package', () => {
    expect(SealwireError.is({ [Symbol.for('sealwire.error')]: true })).toBe(true)
    expect(SealwireError.is(new Error('[busy] no'))).toBe(false)
  })

  test('assert passes what holds and fails as internal', () => {
    assert(true, 'fine')
    expect(() => assert(false, 'broken')).toThrow('internal error')
  })
})

describe('codes', () => {
  test('have a number of their own each', () => {
    const numbers = Object.values(codes).map(({ wire }) => wire)
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})
