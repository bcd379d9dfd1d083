import { describe, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { choice, type Reader, readLimit, readPath, readSwitch } from '../../../src/cli/options/option-value.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { limitTable } from '../../../src/protocol/limits.ts'

const origin = { label: 'SEALWIRE_X', code: 'config_invalid' } as const
const readMode = choice(['invite', 'open', 'closed'])

describe('choice', () => {
  test('reads each of its words', () => {
    expect(['invite', 'open', 'closed'].map((word) => readMode(word, origin))).toEqual(['invite', 'open', 'closed'])
  })

  test.each([
    ['opne', 'did you mean open?'],
    ['Open', 'did you mean open?'],
    ['x', 'write invite or open or closed'],
    ['', 'write invite or open or closed'],
  ])('refuses %p', (text, hint) => {
    expect(refusal(readMode, text)).toMatchObject({
      sentence: `SEALWIRE_X ${JSON.stringify(text)} is not one of invite, open, closed`,
      hint,
    })
  })
})

describe('readSwitch', () => {
  test('reads the two words and the two digits', () => {
    expect(['true', '1', 'false', '0'].map((text) => readSwitch(text, origin))).toEqual([true, true, false, false])
  })

  test.each(['yes', 'TRUE', '', '2'])('refuses %p', (text) => {
    expect(refusal(readSwitch, text)).toMatchObject({ sentence: `SEALWIRE_X ${JSON.stringify(text)} is neither true nor false` })
  })
})

describe('readPath', () => {
  test('makes a path absolute', () => {
    expect(readPath('a/../b', origin)).toBe(resolve('b'))
    expect(readPath('/srv/data/', origin)).toBe('/srv/data')
  })

  test.each(['', 'a\0b'])('refuses %p', (text) => {
    expect(refusal(readPath, text).sentence).toEndWith('cannot be a path')
  })
})

describe('readLimit', () => {
  test('reads a name and a whole number within its range', () => {
    const { min, max } = limitTable.frameMsMax
    for (const value of [min, max]) expect(readLimit(`frameMsMax=${value}`, origin)).toEqual(['frameMsMax', value])
    expect(readLimit('diskBytesFreeMin=0', origin)).toEqual(['diskBytesFreeMin', 0])
  })

  test.each([
    'frameMsMax',
    'frameMsMax=',
    'frameMsMax=999',
    'frameMsMax=60001',
    'frameMsMax=2e3',
    'frameMsMax=2000.0',
    'frameMsMax=-2000',
    'frameMsMax= 2000',
    'frameMsMax=2000\n',
    'frameMsMax=99999999999999999',
  ])('refuses %p', (text) => {
    expect(refusal(readLimit, text)).toMatchObject({
      sentence: `SEALWIRE_X ${JSON.stringify(text)} is not a whole number from 1000 to 60000 ms`,
      hint: 'write frameMsMax=10000 for the default',
    })
  })

  test.each([
    ['frameMxMax=1', 'frameMxMax', 'did you mean frameMsMax?'],
    ['__proto__=1', '__proto__', 'docs/LIMITS.md lists the names'],
    ['constructor=1', 'constructor', 'docs/LIMITS.md lists the names'],
    ['=1', '', 'docs/LIMITS.md lists the names'],
    ['', '', 'docs/LIMITS.md lists the names'],
  ])('refuses the name in %p', (text, name, hint) => {
    expect(refusal(readLimit, text)).toMatchObject({ sentence: `SEALWIRE_X ${JSON.stringify(name)} is not the name of a limit`, hint })
  })
})

function refusal(read: Reader<unknown>, text: string): SealwireError {
  try {
    read(text, origin)
  } catch (reason) {
    return SealwireError.from(reason)
  }
  throw new Error('nothing was refused')
}
