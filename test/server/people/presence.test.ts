import { describe, expect, test } from 'bun:test'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import type { Participant } from '../../../src/server/classic/chats.ts'
import { Presence, type Standing } from '../../../src/server/people/presence.ts'
import { ManualClock } from '../../support/manual-clock.ts'

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

  test('hides sessions that are for joining only from everybody, and ends them like all others', () => {
    using presence = new Presence(new ManualClock(), resolveLimits({ sessionsPerAccountMax: 2 }))
    const [joining, session] = [{ ...participant('a'), joinOnly: true }, participant('a')]
    presence.enter(joining)
    expect([presence.sessionsOf('a'), [...presence.people()]]).toEqual([[], []])
    presence.enter(session)
    expect([presence.sessionsOf('a'), [...presence.people()]]).toEqual([[session], [session]])
    expect(() => presence.requireRoom('a')).toThrow('[busy]')
    expect(presence.end('a', new SealwireError('session_ended', 'banned'))).toBe(2)
  })

  test.each(['messages', 'reads', 'offers'] as const)(
    'gives the sessions of an account one rate of %s, and forgets it when it is whole again',
    async (what) => {
      const clock = new ManualClock()
      const limits = resolveLimits({
        messagesPerSecondPerAccountMax: 1,
        messagesBurstPerAccountMax: 30,
        readsPerSecondPerAccountMax: 1,
        readsBurstPerAccountMax: 30,
        directOffersPerMinuteMax: 1,
        directOffersBurstMax: 1,
      })
      using presence = new Presence(clock, limits)
      const session = participant('a')
      const rates = presence.enter(session)
      expect(presence.enter(participant('a'))).toBe(rates)
      rates[what].take(clock.monotonic(), 30)
      for (const each of [...presence.sessionsOf('a')]) presence.leave(each)
      await clock.move(20_000)
      expect(presence.enter(session)).toBe(rates)
      presence.leave(session)
      await clock.move(20_000)
      expect(presence.enter(session)).not.toBe(rates)
    },
  )

  test('refuses one session too many', () => {
    using presence = new Presence(new ManualClock(), resolveLimits({ sessionsPerAccountMax: 2 }))
    presence.enter(participant('a'))
    presence.enter(participant('a'))
    expect(() => presence.enter(participant('a'))).toThrow('[busy]')
  })

  test('ends the sessions of an account but one, and the logins under way', () => {
    using presence = new Presence(new ManualClock(), resolveLimits())
    const [first, second, other] = [participant('a'), participant('a'), participant('b')]
    for (const each of [first, second, other]) presence.enter(each)
    const [arriving, arrived, elsewhere] = [presence.arrive(), presence.arrive(), presence.arrive()]
    arriving.named('a')
    arrived.named('a')
    arrived.over()
    elsewhere.named('b')
    const why = new SealwireError('session_ended', 'banned')
    expect(presence.end('a', why, second)).toBe(1)
    expect([first, second, other].map(({ heard }) => heard)).toEqual([['session_ended'], [], []])
    expect([arriving, arrived, elsewhere].map(({ ended }) => ended)).toEqual([why, undefined, undefined])
    expect(presence.end('nobody', why)).toBe(0)
  })

  test('keeps how an account stands to others while it has a session or a login under way, and no longer', () => {
    using presence = new Presence(new ManualClock(), resolveLimits())
    const [stored, session] = [standing(), participant('a')]
    const arrival = presence.arrive()
    arrival.named('a')
    expect(presence.settle('a', stored)).toBe(stored)
    expect(presence.settle('a', standing())).toBe(stored)
    presence.enter(session)
    arrival.over()
    expect(presence.standingOf('a')).toBe(stored)
    const next = presence.arrive()
    next.named('a')
    presence.leave(session)
    expect(presence.standingOf('a')).toBe(stored)
    next.over()
    expect(presence.standingOf('a')).toBeUndefined()
  })

  test('names one session of each account that is here', () => {
    using presence = new Presence(new ManualClock(), resolveLimits())
    const [first, second, other] = [participant('a'), participant('a'), participant('b')]
    for (const each of [first, second, other]) presence.enter(each)
    presence.leave(other)
    expect([...presence.people()]).toEqual([first])
  })
})

function standing(): Standing {
  return {
    contacts: new Set(),
    blocks: new Set(),
    visibility: 'contacts',
    privacy: { presence: true, typing: true, delivered: true, read: true },
  }
}

function participant(key: string): Participant & { readonly heard: string[] } {
  const heard: string[] = []
  const end = ({ code }: SealwireError): void => void heard.push(code)
  return { id: 1n, name: key, key, standing: standing(), end, heard }
}
