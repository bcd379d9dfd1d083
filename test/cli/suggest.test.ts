import { describe, expect, test } from 'bun:test'
import { suggest, suggestion } from '../../src/cli/suggest.ts'

describe('suggest', () => {
  test.each([
    ['lisen', 'listen'],
    ['listne', 'listen'],
    ['Listenn', 'listen'],
    ['dta', 'data'],
    ['hots', 'host'],
  ])('takes %s for %s', (word, meant) => {
    expect(suggest(word, ['data', 'host', 'listen'])).toBe(meant)
  })

  test('finds nothing near a word that is like none', () => {
    expect(suggest('registration', ['data', 'host', 'listen'])).toBeUndefined()
    expect(suggest('', ['data'])).toBeUndefined()
  })

  test('takes the nearest of several', () => {
    expect(suggest('frameMsMix', ['frameMsMin', 'frameMbMin', 'frameMsMid', 'frameMsMix'])).toBe('frameMsMix')
  })

  test('is not slowed down by a very long word', () => {
    expect(suggest('x'.repeat(1_000_000), ['data', 'listen'])).toBeUndefined()
  })
})

describe('suggestion', () => {
  test('asks for the near word, and says something else when there is none', () => {
    expect(suggestion('lisen', ['listen'], 'write listen')).toBe('did you mean listen?')
    expect(suggestion('x', ['listen'], 'write listen')).toBe('write listen')
  })
})
