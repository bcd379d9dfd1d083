import { SealwireError } from '../protocol/index.ts'
import type { Fault } from '../protocol/contract/index.ts'

/** The error of a Fault. Its sentence is the server's, cut where it cannot be a sentence any more. */
export function serverError({ code, sentence }: Fault): SealwireError {
  return new SealwireError(code, sentence.slice(0, sentenceCodeUnitsMax))
}

const sentenceCodeUnitsMax = 256
