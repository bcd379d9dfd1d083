import { describe, expect, test } from 'bun:test'
import { environmentLayer, flagsLayer } from '../../../src/cli/options/layer.ts'
import type { ServeOptionName } from '../../../src/cli/serve/options.ts'
import { serveOptions } from '../../../src/cli/serve/options.ts'

const names = Object.keys(serveOptions) as ServeOptionName[]

describe('flagsLayer', () => {
  test('says what was given and where', () => {
    const layer = flagsLayer({ listen: ['a', 'b'], limits: ['c'] })
    expect([layer.texts('listen'), layer.texts('limits'), layer.texts('data')]).toEqual([['a', 'b'], ['c'], undefined])
    expect(layer.origin('limits', 0)).toEqual({ label: '--limit', code: 'usage' })
    expect(layer.origin('log-level', 0).label).toBe('--log-level')
  })
})

describe('environmentLayer', () => {
  test('splits lists at commas and nothing else', () => {
    const layer = environmentLayer({ SEALWIRE_LISTEN: 'a, b,,c', SEALWIRE_DATA: '/srv/a, b' })
    expect(layer.texts('listen')).toEqual(['a', 'b', '', 'c'])
    expect(layer.texts('data')).toEqual(['/srv/a, b'])
  })

  test('says nothing of variables that are empty or not there', () => {
    const layer = environmentLayer({ SEALWIRE_LISTEN: '' })
    expect(names.map((name) => layer.texts(name))).toEqual(names.map(() => undefined))
  })

  test('names the variable', () => {
    expect(environmentLayer({}).origin('limits', 1)).toEqual({ label: 'SEALWIRE_LIMIT', code: 'config_invalid' })
  })
})
