import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../src/protocol/index.ts'
import { freeSeat, type Participant } from '../../src/server/chats.ts'
import { Presence } from '../../src/server/presence.ts'
import { ManualClock } from '../support/manual-clock.ts'

describe('Presence', () => {
  test('knows the sessions of an account, oldest first, until they leave', () => {
    using presence = new Presence(new ManualClock(), resolveLimits())
    const [first, second] = [participant('a'), participant('a')]
    presence.enter(first)
    presence.enter(second)
    expect(presence.sessionsOf('a')).toEqual([first, second])
    presence.leave(first)
    presence.leave(first)
    expect([presence.sessionsOf('a'), presence.sessionsOf('b')]).toEqual([[second], []])
  })

  test('gives the sessions of an account one rate, and forgets it when it is whole again', async () => {
    const clock = new ManualClock()
    const limits = resolveLimits({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 30 })
    using presence = new Presence(clock, limits)
    const session = participant('a')
    const rate = presence.enter(session)
    expect(presence.enter(participant('a'))).toBe(rate)
    rate.take(clock.monotonic(), 30)
    for (const each of [...presence.sessionsOf('a')]) presence.leave(each)
    await clock.move(20_000)
    expect(presence.enter(session)).toBe(rate)
    presence.leave(session)
    await clock.move(20_000)
    expect(presence.enter(session)).not.toBe(rate)
  })

  test('refuses one session too many', () => {
    using presence = new Presence(new ManualClock(), resolveLimits({ sessionsPerAccountMax: 2 }))
    presence.enter(participant('a'))
    presence.enter(participant('a'))
    expect(() => presence.enter(participant('a'))).toThrow('[busy]')
  })
})

function participant(key: string): Participant {
  const quiet = { requested() {}, begun() {}, declined() {}, left() {}, backlog: () => undefined }
  return { name: key, key, seat: freeSeat, said: () => 'handed_over', ...quiet }
}
