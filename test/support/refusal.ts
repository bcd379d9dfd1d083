// The code with which something was refused; `undefined` when it was not.

import { type Code, SealwireError } from '../../src/protocol/index.ts'

export function refusalOf(action: () => unknown): Code | undefined {
  try {
    action()
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}

export async function rejectionOf(promise: Promise<unknown>): Promise<Code | undefined> {
  try {
    await promise
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}
