// The code with which something was refused; `undefined` when it was not.

import { type Code, SealwireError } from '../../src/protocol/index.ts'

export function refusalOf(action: () => unknown): Code | undefined {
  return refusal(action)?.[0]
}

export async function rejectionOf(promise: Promise<unknown>): Promise<Code | undefined> {
  try {
    await promise
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}

/** The code and the sentence that `action` is refused with; `undefined` when it is not. */
export function refusal(action: () => unknown): readonly [Code, string] | undefined {
  try {
    action()
    return undefined
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    return [code, sentence]
  }
}
