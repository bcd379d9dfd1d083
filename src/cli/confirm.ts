// Asking before something is done that cannot be taken back.

import { SealwireError } from '../protocol/errors.ts'
import { writeNow } from './descriptor.ts'
import { InputLines } from './prompt.ts'

/** Asks on standard error and reads the answer from standard input. @throws {SealwireError} `usage` unless it is yes: nothing was done. */
export async function confirm(question: string): Promise<void> {
  writeNow(standardError, `${question} yes or no: `)
  await using lines = new InputLines(process.stdin)
  const answer = await lines.next('answer')
  if (/^y(es)?$/i.test(answer.trim())) return
  throw new SealwireError('usage', 'nothing was paid', { hint: 'answer yes to pay' })
}

const standardError = 2
