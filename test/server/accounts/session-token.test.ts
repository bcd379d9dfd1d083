import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { installationOf, isSameToken, newToken, tokenHash } from '../../../src/server/accounts/session-token.ts'

test('the store gets nothing of a token that would be worth anything: its SHA-256', () => {
  const token = newToken()
  expect(token).toHaveLength(32)
  expect(tokenHash(token)).toEqual(new Uint8Array(createHash('sha256').update(token).digest()))
})

test('no two tokens are the same, and none is like no token', () => {
  const [one, other] = [tokenHash(newToken()), tokenHash(newToken())]
  expect([isSameToken(one, one.slice()), isSameToken(one, other), isSameToken(undefined, one)]).toEqual([true, false, false])
})

test('the name of an installation shows no more than the beginning of the hash', () => {
  expect(installationOf(tokenHash(new Uint8Array(32)))).toBe('t-66687aadf862bd776c8f')
})
