import { describe, expect, test } from 'bun:test'
import { frameBodyBytesLimit, limitTable } from '../../src/protocol/index.ts'
import {
  encodeOperatorRequest,
  encodeOperatorResult,
  knownOperatorMethod,
  operatorMethods,
  parseOperatorParams,
} from '../../src/protocol/operator.ts'
import { refusalOf } from '../support/refusal.ts'

describe('the methods of an operator', () => {
  test('fit one frame with the largest answer there can be', () => {
    const account = {
      name: '\u{1d7ce}'.repeat(32),
      createdAt: Number.MAX_SAFE_INTEGER,
      bannedAt: Number.MAX_SAFE_INTEGER,
      visibility: 'everyone',
      hasPassword: false,
    } as const
    const accounts = Array.from({ length: limitTable.operatorPageMax.max }, () => account)
    const body = encodeOperatorResult(0xffff_ffff, 'account.list', { accounts, next: '\u{1d7ce}'.repeat(96) })
    expect(body.length).toBeLessThanOrEqual(frameBodyBytesLimit)
  })

  test('fit the smallest bound of a request with the longest name there can be', () => {
    const body = encodeOperatorRequest(1, 'account.resetPassword', { name: 'ﷺ'.repeat(256) })
    expect(body.length).toBeLessThanOrEqual(limitTable.operatorRequestBytesMax.min)
  })

  test.each(['', 'account', 'toString', '__proto__', 'account.Ban'])('do not have %p', (method) => {
    expect(refusalOf(() => knownOperatorMethod(method))).toBe('unknown_method')
  })

  test.each(Object.keys(operatorMethods))('take no parameter that %s does not have', (method) => {
    expect(refusalOf(() => parseOperatorParams(knownOperatorMethod(method), { surprise: true }))).toBe('malformed')
  })

  test.each([
    { uses: 0, expiresMs: 60_000 },
    { uses: 1, expiresMs: 59_999 },
    { uses: 1, expiresMs: 365 * 86_400_000 + 1 },
    { uses: 10_001, expiresMs: 60_000 },
    { uses: 1.5, expiresMs: 60_000 },
    { uses: 1, expiresMs: 60_000, port: 0 },
  ])('make no invitation of %p', (params) => {
    expect(refusalOf(() => parseOperatorParams('invitation.create', params))).toBe('malformed')
  })
})
