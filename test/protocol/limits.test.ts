import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limitTable, resolveLimits } from '../../src/protocol/index.ts'

describe('resolveLimits', () => {
  test('gives the defaults, frozen', () => {
    const limits = resolveLimits()
    expect(limits.connectionsUnauthenticatedMax).toBe(500)
    expect(limits.messagesPerSecondPerAccountMax).toBe(20)
    expect(Object.isFrozen(limits)).toBe(true)
  })

  test('takes a value within the range of its row and refuses any other', () => {
    expect(resolveLimits({ passwordHashQueueMax: 1 }).passwordHashQueueMax).toBe(1)
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2_000_000_000]) {
      expect(() => resolveLimits({ passwordHashQueueMax: value })).toThrow(
        '[config_invalid] limit passwordHashQueueMax must be a whole number',
      )
    }
  })

  test('refuses values that contradict each other', () => {
    expect(() => resolveLimits({ outputBytesMax: 65_536 })).toThrow(
      '[config_invalid] limit outputBytesHigh must not be over outputBytesMax',
    )
    expect(resolveLimits({ outputBytesMax: 65_536, outputBytesHigh: 65_536 }).outputBytesHigh).toBe(65_536)
  })

  test('refuses a name that is not in the table, those of every object too', () => {
    for (const name of ['nonsense', '__proto__', 'constructor']) {
      expect(() => resolveLimits(Object.fromEntries([[name, 1]]))).toThrow('[config_invalid] there is no limit named')
    }
  })
})

describe('limitTable', () => {
  test('is where every bound of server, store and SDK is: none is a number elsewhere', () => {
    const elsewhere = ['server', 'store', 'client'].flatMap((folder) =>
      readdirSync(new URL(`../../src/${folder}`, import.meta.url), { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((file) => file.isFile())
        .flatMap((file) =>
          readFileSync(join(file.parentPath, file.name), 'utf8')
            .split('\n')
            .filter((line) => /^(export )?const (\w*Max|max\w*)\b.* = [\d_]+n?\b/.test(line))
            .map((line) => `${join(file.parentPath, file.name)}: ${line}`),
        ),
    )
    expect(elsewhere.filter((found) => !shapes.some((name) => found.includes(`/src/client/${name}: `)))).toEqual([])
  })

  test('has every default inside its own range', () => {
    for (const [name, { value, min, max }] of Object.entries(limitTable)) expect([name, min <= value && value <= max]).toEqual([name, true])
  })
})

/** What they read of others is cut off at so much; they bound no queue, table or wait. */
const shapes = ['server-error.ts', 'payments/message.ts', 'payments/outcome.ts']
