import { describe, expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import { receiveError, receiveOutcome, sendError, sendOutcome, troublesOf } from '../../../src/store/sqlite/messages.ts'

describe('errors between threads', () => {
  test('arrive with code, message and hint, as errors of ours', () => {
    for (const hint of [undefined, 'wait a little']) {
      const error = new SealwireError('busy', 'too much to do', hint === undefined ? {} : { hint })
      const received = receiveError(structuredClone(sendError(error)))
      expect(received).toBeInstanceOf(SealwireError)
      expect(received).toMatchObject({ code: 'busy', message: '[busy] too much to do', hint })
    }
  })

  test('leave their cause behind, which may hold anything', () => {
    const error = new SealwireError('internal', 'internal error', { cause: { run: () => 1 } })
    expect(structuredClone(sendOutcome({ error }))).toEqual({ error: { code: 'internal', sentence: 'internal error', hint: undefined } })
    expect(receiveError(sendError(error), 'described').cause).toBe('described')
  })

  test('values pass as they are', () => {
    expect(sendOutcome({ value: 2n ** 62n })).toEqual({ value: 2n ** 62n })
    expect(sendOutcome({ value: undefined })).toEqual({ value: undefined })
  })

  test('an answer arrives as it was, with few deliveries and with many, and the many travel as plain numbers', () => {
    for (const count of [0, 1, 31, 32, 2_000]) {
      const deliveries = Array.from({ length: count }, (_, index) => ({
        accountId: BigInt(index + 1),
        inboxSeq: 2n ** 62n - BigInt(index),
      }))
      const value = { conversationId: 7n, seq: 3n, at: 5n, repeated: false, deliveries, files: [Uint8Array.of(1, 2)] }
      const sent = structuredClone(sendOutcome({ value }))
      expect(receiveOutcome(sent)).toEqual({ value })
      expect(['deliveries' in sent, count >= 32]).toEqual([count >= 32, 'deliveries' in sent])
    }
  })
})

describe('troublesOf', () => {
  test('tells failures once each, and refusals not at all', () => {
    const refusal = { error: new SealwireError('name_taken', 'taken') }
    const failure = { error: new SealwireError('storage_full', 'full', { cause: new TypeError('no space') }) }
    const troubles = troublesOf([{ value: 1 }, refusal, failure, failure])
    expect(troubles.map(({ code }) => code)).toEqual(['storage_full'])
    expect(troubles[0]?.detail).toContain('TypeError: no space')
  })
})
