import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Chats, freeSeat, type Seat, type Talker, type TalkingSession } from '../../../src/server/classic/chats.ts'
import { Presence, type Standing } from '../../../src/server/people/presence.ts'
import { ManualClock } from '../../support/manual-clock.ts'

describe('Chats', () => {
  test('refuses oneself, a stranger, and whoever is taken', () => {
    const { chats, people } = make(3)
    const [a, b, c] = people as [Person, Person, Person]
    expect(() => chats.request(a, 'p0')).toThrow('[is_self]')
    expect(chats.request(a, 'nobody')).toBe('absent')
    expect(chats.request(a, 'p1')).toBe('rings')
    expect(() => chats.request(a, 'p2')).toThrow('[busy]')
    expect([chats.request(c, 'p1'), chats.request(c, 'p0')]).toEqual(['taken', 'taken'])
    expect([chats.accept(a), chats.accept(c), chats.accept(b)]).toEqual([false, false, true])
    expect([a.heard, b.heard]).toEqual([['begun p1'], ['requested p0', 'begun p0']])
  })

  test('tells the caller of a decline and the other side of a leave', () => {
    const { chats, people } = make(2)
    const [a, b] = people as [Person, Person]
    chats.request(a, 'p1')
    expect([chats.decline(a), chats.decline(b), chats.decline(b)]).toEqual([false, true, false])
    chats.request(a, 'p1')
    chats.leave(a)
    expect([a.heard, b.heard]).toEqual([['declined'], ['requested p0', 'requested p0', 'left']])
  })

  test('hands a text to nobody but the peer of the chat', () => {
    const { chats, people } = make(3)
    const [a, b, c] = people as [Person, Person, Person]
    expect(chats.say(a, Buffer.from('x'))).toBeUndefined()
    chats.request(a, 'p1')
    expect(chats.say(a, Buffer.from('x'))).toBeUndefined()
    chats.accept(b)
    expect(chats.say(a, Buffer.from('hello'))).toBe('handed_over')
    expect([b.heard.at(-1), c.heard]).toEqual(['said hello', []])
  })

  test('makes those who accepted each other acquainted, and nobody else', () => {
    const { chats, people, met } = make(3)
    const [a, b, c] = people as [Person, Person, Person]
    chats.request(a, 'p1')
    chats.decline(b)
    chats.request(c, 'p1')
    expect(met).toEqual([])
    chats.accept(b)
    expect(met).toEqual(['p2 p1'])
  })

  test('answers about whoever blocks the caller, or is blocked, as about whoever is not here', () => {
    const { chats, people } = make(3)
    const [a, b] = people as [Person, Person, Person]
    b.standing.blocks.add(a.id)
    expect([chats.request(a, 'p1'), chats.request(b, 'p0'), chats.request(a, 'nobody')]).toEqual(Array(3).fill('absent'))
    expect(b.heard).toEqual([])
  })

  test('parts two accounts in every state, and no others', () => {
    const { chats, people } = make(3)
    const [a, b, c] = people as [Person, Person, Person]
    chats.request(a, 'p1')
    chats.part('p1', 'p2')
    expect(a.seat.name).toBe('calling')
    chats.part('p1', 'p0')
    chats.request(a, 'p1')
    chats.part('p0', 'p1')
    chats.request(a, 'p1')
    chats.accept(b)
    chats.part('p1', 'p0')
    expect(people.map(({ seat }) => seat.name)).toEqual(['free', 'free', 'free'])
    expect(a.heard).toEqual(['declined', 'begun p1', 'left'])
    expect(b.heard).toEqual(['requested p0', 'requested p0', 'left', 'requested p0', 'begun p0'])
    expect(c.heard).toEqual([])
  })

  test('keeps seats in pairs and leaks no timer, whatever is asked in whatever order', async () => {
    const step = fc.record({
      who: fc.nat(4),
      what: fc.constantFrom('request', 'accept', 'decline', 'leave', 'say', 'wait', 'part'),
      whom: fc.nat(4),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { chats, people, clock } = make(5)
        for (const { who, what, whom } of steps) {
          const person = people[who] as Person
          if (what === 'request') attempt(() => chats.request(person, `p${whom}`))
          else if (what === 'say') void chats.say(person, Buffer.from('x'))
          else if (what === 'part') chats.part(person.key, `p${whom}`)
          else if (what === 'wait') await clock.move(30_000)
          else chats[what](person)
          for (const each of people) expect(facing(each)).toBe(true)
        }
        const calling = people.filter(({ seat }) => seat.name === 'calling').length
        expect(clock.timers).toBe(calling + 1) // The other one is presence's.
      }),
      { numRuns: 150 },
    )
  })
})

/** Its seat's peer faces it with the seat that belongs to its own. */
function facing(person: Person): boolean {
  const { seat } = person
  if (seat.name === 'free') return true
  const opposite = { calling: 'called', called: 'calling', talking: 'talking' } as const
  const other = seat.peer.seat
  return other.name === opposite[seat.name] && other.peer === person
}

function attempt(action: () => void): void {
  try {
    action()
  } catch (reason) {
    expect(String(reason)).toMatch(/\[(is_self|busy)\]/)
  }
}

class Person implements TalkingSession {
  readonly id: bigint
  readonly name: string
  readonly key: string
  readonly standing: Standing = {
    contacts: new Set(),
    blocks: new Set(),
    visibility: 'contacts',
    privacy: { presence: true, typing: true, delivered: true, read: true },
  }
  seat: Seat = freeSeat
  readonly heard: string[] = []

  constructor(number: number) {
    const name = `p${number}`
    this.id = BigInt(number)
    this.name = name
    this.key = name
  }

  requested = (from: Talker): void => void this.heard.push(`requested ${from.name}`)
  begun = (peer: Talker): void => void this.heard.push(`begun ${peer.name}`)
  declined = (): void => void this.heard.push('declined')
  left = (): void => void this.heard.push('left')
  backlog = (): undefined => undefined
  end = (): void => void this.heard.push('end')
  said(text: Uint8Array): 'handed_over' {
    this.heard.push(`said ${Buffer.from(text).toString()}`)
    return 'handed_over'
  }
}

function make(count: number): { chats: Chats; people: Person[]; clock: ManualClock; met: string[] } {
  const clock = new ManualClock()
  const limits = resolveLimits()
  const presence = new Presence(clock, limits)
  const people = Array.from({ length: count }, (_, at) => new Person(at))
  for (const person of people) presence.enter(person)
  const met: string[] = []
  const note = (one: Talker, other: Talker): void => void met.push(`${one.name} ${other.name}`)
  return { chats: new Chats({ presence, clock, limits, met: note }), people, clock, met }
}
