import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Home } from '../../src/client/home/home.ts'
import { SealwireError } from '../../src/protocol/errors.ts'

/** A home in a temporary folder, not made yet; it is removed at the end of the scope. */
export function temporaryHome(): Disposable & { readonly home: Home; readonly parent: string } {
  const parent = mkdtempSync(join(tmpdir(), 'sealwire-home-'))
  return { home: new Home(join(parent, 'home')), parent, [Symbol.dispose]: () => rmSync(parent, { recursive: true, force: true }) }
}

/** The error that `action` is refused with. */
export function refused(action: () => unknown): SealwireError {
  try {
    action()
  } catch (reason) {
    if (SealwireError.is(reason)) return reason
    throw reason
  }
  throw new TypeError('it was not refused')
}

/** The error that `promise` is refused with. */
export async function rejected(promise: Promise<unknown>): Promise<SealwireError> {
  const reason = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (SealwireError.is(reason)) return reason
  throw new TypeError(`it was not refused: ${String(reason)}`)
}

/** A pin of the right form. */
export function pinOf(letter: string): string {
  return `SHA256:${letter.repeat(42)}A`
}

/** Modes and user ids mean nothing on Windows. */
export const onUnix = process.platform !== 'win32'
