import { describe, expect, test } from 'bun:test'
import { hashOf } from '../../../compliance/store-subject.ts'
import { Stage } from './stage.ts'

describe('device.useLink', () => {
  const link = (stage: Stage, secret: string) => stage.run('device.link', { accountId: 1n, hash: hashOf(secret), expiresAt: 10n, at: 1n })
  const use = (stage: Stage, secret: string, at = 9n) => stage.run('device.useLink', { hash: hashOf(secret), at, token: hashOf('token') })

  test('is good once, and its token logs in', () => {
    using stage = new Stage(1)
    link(stage, 'one')
    expect(use(stage, 'one')).toEqual({ id: 1n, key: 'a1', name: 'a1' })
    expect(stage.run('token.use', { hash: hashOf('token'), at: 9n, idleMsMax: 99n })?.key).toBe('a1')
    expect(stage.codeOf(() => use(stage, 'one'))).toBe('invitation_invalid')
  })

  test('is refused for one that was replaced, expired, or of a banned account', () => {
    using stage = new Stage(1)
    link(stage, 'one')
    link(stage, 'two')
    expect(stage.codeOf(() => use(stage, 'one'))).toBe('invitation_invalid')
    expect(stage.codeOf(() => use(stage, 'two', 10n))).toBe('invitation_expired')
    stage.run('account.ban', { key: 'a1', at: 1n })
    expect(stage.codeOf(() => use(stage, 'two'))).toBe('account_banned')
    stage.run('account.unban', { key: 'a1' })
    expect(use(stage, 'two').id).toBe(1n)
  })
})
