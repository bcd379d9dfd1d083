// Asking before something is done that cannot be taken back.

import { isatty } from 'node:tty'
import { SealwireError } from '../../protocol/errors.ts'
import { writeNow } from './descriptor.ts'
import { InputLines } from './prompt.ts'
import { dropTypedAhead } from './typed-ahead.ts'

/** Whether there is somebody to ask: standard input is a terminal. */
export function canAsk(): boolean {
  return isatty(0)
}

/**
 * Asks on standard error and reads the answer from standard input. What was typed before is none.
 * @throws {SealwireError} `usage` unless it is yes: `refused` says that nothing was done.
 */
export async function confirm(question: string, refused = 'nothing was paid'): Promise<void> {
  dropTypedAhead()
  writeNow(standardError, `${question} [y/N] `)
  await using lines = new InputLines(process.stdin)
  const answer = await lines.nextIfAny('answer')
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return
  throw new SealwireError('usage', refused, { hint: 'answer y where you agree' })
}

const standardError = 2
