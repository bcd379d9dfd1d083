// Checkpoints as text, for people to read and to hand to each other: one a line, `SIZE TIME WORD BASE64`. Only the last word counts,
// a COSE_Sign1 by the key of the ledger; those before it say the same in plain words. Lines that begin with # and empty ones are
// remarks. In a home the word is `proved` (the newest one that is extends it) or `seen`.

import { openCheckpoint, receiptInvalid, type SignedCheckpoint } from '../../pki/checkpoint.ts'
import { momentText } from '../../pki/history.ts'
import { verifyReceipt } from '../../pki/receipt.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'

/** What a line says. */
export interface ListedCheckpoint {
  readonly checkpoint: SignedCheckpoint
  /** The newest one of the list that is proved is known to extend it. */
  readonly isProved: boolean
}

/** The lines of a list. */
export function formatCheckpoints(list: readonly ListedCheckpoint[]): string {
  const line = ({ checkpoint: { size, at, cose }, isProved }: ListedCheckpoint): string =>
    `${size} ${momentText(at)} ${isProved ? 'proved' : 'seen'} ${Buffer.from(cose).toString('base64')}\n`
  return list.map(line).join('')
}

/** What a list says. @throws {SealwireError} `receipt_invalid` for what the key has not signed; `usage` for too many. */
export function parseCheckpoints(text: string, key: Uint8Array): readonly ListedCheckpoint[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  if (lines.length > limitTable.checkpointsKeptMax.value) throw tooMany()
  return lines.map((line) => {
    const words = line.trim().split(/\s+/)
    return { checkpoint: openCheckpoint(Buffer.from(words.at(-1) ?? '', 'base64'), key), isProved: words.at(-2) === 'proved' }
  })
}

/**
 * The checkpoints in what somebody shows: a receipt, a checkpoint, or a list of them.
 * @throws {SealwireError} `receipt_invalid` for what the key has not signed; `usage` for too many.
 */
export function readCheckpoints(shown: Uint8Array, key: Uint8Array): readonly SignedCheckpoint[] {
  if (shown.length === 0) throw receiptInvalid('there is nothing in it')
  if (shown[0] !== arrayOfFour) return parseCheckpoints(new TextDecoder().decode(shown), key).map(({ checkpoint }) => checkpoint)
  try {
    return [openCheckpoint(shown, key)]
  } catch {
    // Most are receipts, so it is as one of those that a bad one is told.
    return [verifyReceipt(shown, key).checkpoint]
  }
}

/** More than one audit takes. */
export function tooMany(): SealwireError {
  const { value } = limitTable.checkpointsKeptMax
  return new SealwireError('usage', `these are more than ${value} checkpoints`, { hint: 'show fewer of them, the newest ones' })
}

/** How a COSE_Sign1 begins; no line of text does. */
const arrayOfFour = 0x84
