import { describe, expect, test } from 'bun:test'
import { realMachine } from '../../src/server/machine.ts'

describe('realMachine', () => {
  test('knows how many descriptors this process may open', () => {
    const max = realMachine.descriptorsMax()
    if (process.platform === 'win32') expect(max).toBeUndefined()
    else expect(max).toBeGreaterThanOrEqual(256)
  })

  test('knows the memory of this process', () => {
    expect(realMachine.residentBytes()).toBeGreaterThan(10_000_000)
  })
})
