import { describe, expect, test } from 'bun:test'
import { dueWords, paymentWords } from '../../../src/cli/money/words.ts'
import type { PaymentSaid } from '../../../src/client/payments/message.ts'

function said(more: Partial<PaymentSaid> = {}): PaymentSaid {
  return { kind: 'pay', from: 'alice', to: 'bob', amount: '5.00', unit: 'credits', id: 'x', status: 'posted', ...more }
}

describe('paymentWords', () => {
  test.each([
    ['pay', 'alice', 'alice paid bob 5.00 credits: lunch'],
    ['split', 'alice', 'alice paid bob 5.00 credits: lunch'],
    ['hold', 'alice', 'alice put 5.00 credits aside for bob: lunch'],
    ['capture', 'bob', 'bob took 5.00 credits of what alice had put aside: lunch'],
    ['void', 'bob', 'bob let 5.00 credits go back to alice: lunch'],
    ['refund', 'alice', 'alice paid 5.00 credits back to bob: lunch'],
    ['request', 'bob', 'bob asked alice for 5.00 credits: lunch'],
  ] as const)('says %s', (kind, author, words) => {
    expect(paymentWords(said({ kind, memo: 'lunch' }), author)).toBe(words)
  })

  test('has nothing that controls a terminal, and the memo last', () => {
    const evil = 'a\u001b]0;x\u0007\n\u009b2J\u202e\u2028b'
    const harmless = /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u
    for (const kind of ['pay', 'hold', 'capture', 'void', 'refund', 'request'] as const)
      expect(paymentWords(said({ kind, from: evil, to: evil, unit: evil, amount: evil, memo: evil }), evil)).toMatch(harmless)
    expect(dueWords({ amount: evil, unit: evil, name: evil, memo: evil })).toMatch(harmless)
    expect(paymentWords(said({ memo: 'lunch' }), 'alice', undefined, ' (aside)')).toBe('alice paid bob 5.00 credits (aside): lunch')
    expect(dueWords({ amount: '5', unit: 'credits', name: 'bob', memo: 'a" to eve ("b' })).toBe('5 credits to bob ("a\\" to eve (\\"b")')
  })
})
