import { describe, expect, test } from 'bun:test'
import * as v from 'valibot'
import { bytes, contentType, count, exactBytes, flag, name, password, text, word } from '../../../src/protocol/contract/fields.ts'

const takes = (schema: v.GenericSchema, ...values: readonly unknown[]) => values.map((value) => v.safeParse(schema, value).success)

test('text is counted in UTF-16 code units', () => {
  expect(takes(text(2, 'x'), '', 'ab', '👋', 'abc', '👋x', 5, null, Uint8Array.of(1))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})

test('names and passwords may be longer than what is allowed in the end, because normalising shortens', () => {
  expect(takes(name('x'), 'x'.repeat(256), 'x'.repeat(257))).toEqual([true, false])
  expect(takes(password('x'), 'x'.repeat(1_024), 'x'.repeat(1_025))).toEqual([true, false])
})

describe('bytes', () => {
  test('have at most, or exactly, so many', () => {
    expect(takes(bytes(2, 'x'), new Uint8Array(0), new Uint8Array(2), new Uint8Array(3))).toEqual([true, true, false])
    expect(takes(exactBytes(2, 'x'), new Uint8Array(1), new Uint8Array(2), new Uint8Array(3))).toEqual([false, true, false])
  })

  test('are nothing but bytes', () => {
    const others = ['ab', [1, 2], { length: 2 }, null, 5, new ArrayBuffer(2), new Uint16Array(2)]
    expect(takes(bytes(2, 'x'), ...others)).toEqual(others.map(() => false))
    expect(takes(exactBytes(2, 'x'), ...others)).toEqual(others.map(() => false))
  })
})

test('a content type is one to 128 printable ASCII characters', () => {
  const good = ['text/plain', 'x', 'text/plain; charset="utf-8"', 'x'.repeat(128)]
  const bad = ['', 'x'.repeat(129), 'text/plän', 'text/plain\n', '\u001b[2J', 'x\u007f', 'x\u202ey']
  expect(takes(contentType('x'), ...good)).toEqual(good.map(() => true))
  expect(takes(contentType('x'), ...bad)).toEqual(bad.map(() => false))
})

test('a count is a whole number that is exact', () => {
  const bad = [-1, 0.5, 2 ** 53, 2n ** 53n, NaN, Infinity, '1', null]
  expect(takes(count('x'), 0, Number.MAX_SAFE_INTEGER)).toEqual([true, true])
  expect(takes(count('x'), ...bad)).toEqual(bad.map(() => false))
  expect(takes(count('x', 5), 5, 6)).toEqual([true, false])
})

test('flags and words are these and nothing like them', () => {
  expect(takes(flag('x'), true, false, 0, 1, null, 'true')).toEqual([true, true, false, false, false, false])
  expect(takes(word(['one', 'two'], 'x'), 'one', 'two', 'One', 'three', '', null)).toEqual([true, true, false, false, false, false])
})
