import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'bun:test'
import { type Clock, systemClock } from '../../src/domain/clock.ts'
import { type Code, SealwireError } from '../../src/protocol/errors.ts'

export const dayMs = 24 * 60 * 60 * 1000
/** A whole second, so that times in certificates compare exactly. */
export const start = Date.UTC(2030, 0, 15, 12)
/** A test that looks at modes or user ids means nothing on Windows. */
export const onUnix = process.platform !== 'win32'

/** An empty folder that is removed at the end of the test that declared it with `using`. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-pki-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export function clockAt(now: number): Clock {
  return { ...systemClock, now: () => now }
}

export function entries(folder: string): string[] {
  return readdirSync(folder).sort()
}

/** The error that `action` ends with, once it is seen to be one with `code` and a hint for the reader. */
export async function refusal(code: Code, action: () => unknown): Promise<SealwireError> {
  const reason = await outcome(action)
  if (!SealwireError.is(reason)) throw new TypeError(`expected ${code}, got ${String(reason)}`)
  expect(reason.code).toBe(code)
  expect(reason.hint?.length ?? 0).toBeGreaterThan(10)
  expect(reason.message).not.toInclude('\n')
  return reason
}

async function outcome(action: () => unknown): Promise<unknown> {
  try {
    return await action()
  } catch (reason) {
    return reason
  }
}
