import { describe, expect, test } from 'bun:test'
import { CipherState } from '../../src/channel/cipher-state.ts'
import { refusal, refusalOf } from '../support/refusal.ts'
import { hex, text } from './support.ts'

const key = (): Uint8Array => new Uint8Array(32).fill(7)
const empty = new Uint8Array(0)

describe('CipherState', () => {
  test('numbers its messages far beyond 32 bits without ever using a nonce twice', () => {
    const nonce = (count: number): string => hex(new CipherState(key(), count).nonce)
    expect(nonce(0)).toBe('000000000000000000000000')
    expect(nonce(255)).toBe('0000000000000000000000ff')
    expect(nonce(2 ** 32 - 1)).toBe('0000000000000000ffffffff')
    expect(nonce(2 ** 32)).toBe('000000000000000100000000')
    expect(nonce(2 ** 48 - 1)).toBe('000000000000ffffffffffff')
    expect(refusalOf(() => nonce(2 ** 48))).toBe('internal')
  })

  test('opens what its like has sealed, message by message, and nothing else', () => {
    const [ours, theirs] = [new CipherState(key()), new CipherState(key())]
    const first = ours.seal(text('head'), text('one'))
    const second = ours.seal(text('head'), text('two'))
    expect(hex(first)).not.toBe(hex(second))
    expect(hex(theirs.open(text('head'), first))).toBe(hex(text('one')))
    expect(refusal(() => theirs.open(text('head'), first))).toEqual(broken)
    expect(theirs.count).toBe(1)
    expect(hex(theirs.open(text('head'), second))).toBe(hex(text('two')))
  })

  test('gives one reason for another tag, another head, another key and what is too short', () => {
    const sealed = new CipherState(key()).seal(text('head'), text('hello'))
    const attempts = [
      () =>
        new CipherState(key()).open(
          text('head'),
          sealed.map((byte, at) => (at === sealed.length - 1 ? byte ^ 1 : byte)),
        ),
      () => new CipherState(key()).open(text('heat'), sealed),
      () => new CipherState(new Uint8Array(32)).open(text('head'), sealed),
      () => new CipherState(key()).open(text('head'), sealed.subarray(0, 15)),
      () => new CipherState(key()).open(text('head'), sealed.subarray(0, -4)),
      () => new CipherState(key()).open(text('head'), empty),
    ]
    for (const attempt of attempts) expect(refusal(attempt)).toEqual(broken)
  })

  test('goes on with its numbers under another key after a rekey', () => {
    const [ours, theirs] = [new CipherState(key()), new CipherState(key())]
    const lag = new CipherState(key())
    for (const state of [ours, theirs, lag]) state.seal(empty, empty)
    for (const state of [ours, theirs]) state.rekey()
    const sealed = ours.seal(empty, text('hello'))
    expect(ours.count).toBe(2)
    expect(refusalOf(() => lag.open(empty, sealed))).toBe('channel_broken')
    expect(hex(theirs.open(empty, sealed))).toBe(hex(text('hello')))
  })

  test('seals parts as if they were one', () => {
    const output = new Uint8Array(3 + 5 + 16)
    new CipherState(key()).sealInto(output, 3, text('head'), text('he'), text('llo'))
    expect(hex(output)).toBe(`000000${hex(new CipherState(key()).seal(text('head'), text('hello')))}`)
  })

  test('zeroes the key that it was given', () => {
    const own = key()
    new CipherState(own).destroy()
    expect(own).toEqual(new Uint8Array(32))
  })

  test('neither seals nor opens with the zeros that are left of a key', () => {
    const state = new CipherState(key())
    state.destroy()
    expect(refusal(() => state.seal(empty, text('hello')))).toEqual(broken)
    expect(refusal(() => state.open(empty, new CipherState(new Uint8Array(32)).seal(empty, text('hello'))))).toEqual(broken)
  })

  test('takes keys of 32 bytes only', () => {
    expect(refusalOf(() => new CipherState(new Uint8Array(16)))).toBe('internal')
  })
})

const broken = ['channel_broken', 'the sealed channel was broken'] as const
