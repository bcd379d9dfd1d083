// As much of bun:test as the tests need that also run on Node, on top of node:test. What is missing fails loudly.

import assert from 'node:assert/strict'
import { format } from 'node:util'
import { after, describe, test as nodeTest } from 'node:test'

export { describe }
export const afterAll = after

/** Each file of tests is a process of its own here; a test that hangs must not keep it. */
const timeout = 30_000

type Body = (...values: unknown[]) => void | Promise<void>

export function test(name: string, body: Body): void {
  void nodeTest(name, { timeout }, () => body())
}

test.each =
  (rows: readonly unknown[]) =>
  (name: string, body: Body): void => {
    for (const row of rows) {
      const values: readonly unknown[] = Array.isArray(row) ? row : [row]
      test(format(name, ...values.slice(0, name.split('%').length - 1)), () => body(...values))
    }
  }

interface Matchers {
  toBe(expected: unknown): void
  toBeUndefined(): void
  toEqual(expected: unknown): void
  toMatchObject(expected: object): void
  toContain(part: string): void
  toMatch(pattern: RegExp): void
  toBeLessThanOrEqual(most: number): void
}

interface Expectation extends Matchers {
  readonly not: Matchers
  readonly rejects: { toThrow(part?: string): Promise<void> }
}

export function expect(actual: unknown): Expectation {
  return { ...matchers(actual), not: negated(matchers(actual)), rejects: { toThrow: (part = '') => rejected(actual, part) } }
}

function matchers(actual: unknown): Matchers {
  return {
    toBe: (expected) => assert.ok(Object.is(actual, expected), format('%o is not %o', actual, expected)),
    toBeUndefined: () => assert.ok(actual === undefined, format('%o is not undefined', actual)),
    toEqual: (expected) => assert.deepEqual(actual, expected),
    toMatchObject: (expected) => assert.deepEqual(picked(actual, expected), expected),
    toContain: (part) => assert.ok(String(actual).includes(part), format('%o has no %o', actual, part)),
    toMatch: (pattern) => assert.match(String(actual), pattern),
    toBeLessThanOrEqual: (most) => assert.ok(Number(actual) <= most, format('%o is over %o', actual, most)),
  }
}

/** Of a value what the expected one has too, getters of its class included. */
function picked(actual: unknown, expected: object): object {
  if (typeof actual !== 'object' || actual === null) return { actual }
  return Object.fromEntries(Object.keys(expected).map((name): [string, unknown] => [name, Reflect.get(actual, name)]))
}

function negated(positive: Matchers): Matchers {
  const negatedOnes = Object.entries(positive).map(([name, matcher]: [string, (expected: never) => void]) => [
    name,
    (expected: never) => assert.throws(() => matcher(expected), assert.AssertionError),
  ])
  return Object.fromEntries(negatedOnes) as Matchers
}

async function rejected(promise: unknown, part: string): Promise<void> {
  const reason: unknown = await Promise.resolve(promise).then(
    () => assert.fail('it was fulfilled'),
    (error: unknown) => error,
  )
  assert.ok(reason instanceof Error && reason.message.includes(part), format('%o does not say %o', reason, part))
}
