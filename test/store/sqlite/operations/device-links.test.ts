import { describe, expect, test } from 'bun:test'
import { hashOf } from '../../../compliance/store-subject.ts'
import { Stage } from './stage.ts'

/** What ends sessions of the first account. */
const endings: readonly (readonly [string, (stage: Stage) => unknown])[] = [
  ['a device is revoked', (stage) => stage.run('device.revoke', { id: 'phone', accountId: 1n, at: 2n })],
  ['the password is changed', (stage) => stage.run('account.setPassword', { id: 1n, passwordHash: 'new', keepToken: hashOf('session') })],
  ['the account is banned', (stage) => stage.run('account.ban', { key: 'a1', at: 2n })],
]

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

  test('is refused for one that was replaced, or has expired', () => {
    using stage = new Stage(1)
    link(stage, 'one')
    link(stage, 'two')
    expect(stage.codeOf(() => use(stage, 'one'))).toBe('invitation_invalid')
    expect(stage.codeOf(() => use(stage, 'two', 10n))).toBe('invitation_expired')
    expect(use(stage, 'two').id).toBe(1n)
  })

  test.each(endings)('is refused for one that was made before %s', (_, end) => {
    using stage = new Stage(2)
    enrol(stage)
    link(stage, 'one')
    stage.run('device.link', { accountId: 2n, hash: hashOf('of another one'), expiresAt: 10n, at: 1n })
    end(stage)
    stage.run('account.unban', { key: 'a1' })
    expect(stage.codeOf(() => use(stage, 'one'))).toBe('invitation_invalid')
    expect(use(stage, 'of another one').id).toBe(2n)
  })
})

describe('device.link', () => {
  const of = { accountId: 1n, hash: hashOf('one'), expiresAt: 10n, at: 1n }
  const device = { ...of, spkiHash: hashOf('phone') }
  const session = { ...of, token: hashOf('session') }

  test('is for devices that are good, for sessions with a good token, and for those whose device needs its token no more', () => {
    using stage = new Stage(1)
    enrol(stage)
    for (const good of [device, session, { ...device, ...session }])
      expect(stage.codeOf(() => stage.run('device.link', good))).toBeUndefined()
    stage.run('device.use', { spkiHash: hashOf('phone'), at: 1n })
    expect(stage.codeOf(() => stage.run('device.link', session))).toBeUndefined()
    for (const bad of [
      { ...device, spkiHash: hashOf('x') },
      { ...session, token: hashOf('x') },
    ]) {
      expect(stage.codeOf(() => stage.run('device.link', bad))).toBe('login_refused')
    }
  })

  test('is refused in the turn in which the session is ended', () => {
    for (const [what, end] of endings) {
      using stage = new Stage(1)
      enrol(stage)
      end(stage)
      const asked = what === 'the password is changed' ? { ...of, token: hashOf('another session') } : device
      expect([what, stage.codeOf(() => stage.run('device.link', asked))]).toEqual([what, 'login_refused'])
    }
  })
})

describe('device.enrol', () => {
  const of = { accountId: 1n, label: '', at: 2n, expiresAt: 99n }
  const tablet = { ...of, id: 'tablet', spkiHash: hashOf('tablet'), ed25519: hashOf('tablet ed'), x25519: hashOf('tablet x') }

  test('is refused in the turn in which the session is ended, and changes nothing', () => {
    for (const [what, end] of endings.slice(0, 2)) {
      using stage = new Stage(1)
      enrol(stage)
      end(stage)
      const token = hashOf(what === 'the password is changed' ? 'another session' : 'session')
      expect([what, stage.codeOf(() => stage.run('device.enrol', { ...tablet, token }))]).toEqual([what, 'login_refused'])
      expect(stage.run('device.list', { accountId: 1n }).some(({ id }) => id === 'tablet')).toBe(false)
    }
  })

  test('is good for a session whose device needs its token no more', () => {
    using stage = new Stage(1)
    enrol(stage)
    stage.run('device.use', { spkiHash: hashOf('phone'), at: 1n })
    expect(stage.run('device.enrol', { ...tablet, token: hashOf('session') }).id).toBe('tablet')
  })
})

/** A device of the first account that came with a token, and another session of theirs. */
function enrol(stage: Stage): void {
  for (const token of ['session', 'another session']) {
    stage.run('token.create', { accountId: 1n, hash: hashOf(token), at: 1n, passwordHash: undefined })
  }
  const keys = { spkiHash: hashOf('phone'), ed25519: hashOf('ed'), x25519: hashOf('x') }
  stage.run('device.enrol', { ...keys, id: 'phone', accountId: 1n, label: '', at: 1n, expiresAt: 99n, token: hashOf('session') })
}
