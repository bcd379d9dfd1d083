// When following an inbox goes on, and when it ends.

import { expect, test } from 'bun:test'
import { follow } from '../../../src/cli/inbox/follow.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { type Code, SealwireError } from '../../../src/protocol/errors.ts'

test.each<Code>(['connection_lost', 'unreachable', 'stopping', 'overrun', 'busy'])('%s after a login is passing', async (code) => {
  expect(await followed([code, code, undefined])).toEqual({ sessions: 4, lost: [code, code, 'connection_lost'] })
})

test.each<Code>(['account_banned', 'login_refused', 'session_ended', 'untrusted'])('%s is final', async (code) => {
  expect(await followed(['connection_lost', code])).toEqual({ sessions: 2, lost: ['connection_lost'], ended: code })
})

test('what the first login is refused with ends it', async () => {
  expect(await followed(['unreachable'], 0)).toEqual({ sessions: 1, lost: [], ended: 'unreachable' })
})

test('a login that fails later is tried again without a word', async () => {
  expect(await followed(['connection_lost', 'unreachable', 'unreachable'], 1)).toEqual({ sessions: 4, lost: ['connection_lost'] })
})

test('a bug is none of that', async () => {
  const bug = new TypeError('x')
  const parts = { clock: systemClock, signal: new AbortController().signal, random: () => 0, lost: () => {} }
  const fails = follow(async (opened) => {
    opened()
    throw bug
  }, parts)
  expect(await fails.catch((reason: unknown) => reason)).toBe(bug)
})

/** Sessions that end so, those from index `unopened` on before they are logged in; then it is interrupted. */
async function followed(ends: readonly (Code | undefined)[], unopened = Infinity) {
  const stop = new AbortController()
  const lost: Code[] = []
  let sessions = 0
  const session = async (opened: () => void): Promise<void> => {
    const index = sessions++
    if (index === ends.length) return stop.abort()
    if (index < unopened) opened()
    const code = ends[index]
    if (code !== undefined) throw new SealwireError(code, 'it is over')
  }
  const note = (reason: unknown): void => void lost.push(SealwireError.from(reason).code)
  const parts = { clock: systemClock, signal: stop.signal, random: () => 0, lost: note }
  const ended = await follow(session, parts).then(
    () => undefined,
    (reason: unknown) => SealwireError.from(reason).code,
  )
  return ended === undefined ? { sessions, lost } : { sessions, lost, ended }
}
