import { describe, expect, test } from 'bun:test'
import { Places } from '../../../src/client/direct/places.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'

describe('the places that are known', () => {
  test('are those that the inbox has brought, of who is asked for', () => {
    const places = new Places(resolveLimits())
    places.enter({ conversation: 7, seq: 3, device: 'a1' })
    expect([places.brought(7), places.highest(7), places.highestOfOthers(7, [])]).toEqual([0, 3, 0])
    expect(places.name('Bob', 7)).toBe(true)
    for (const [seq, device] of [
      [4, 'b1'],
      [5, 'b2'],
      [6, 'b1'],
    ] as const)
      places.enter({ conversation: 7, seq, device })
    places.enter({ conversation: 7, seq: 7 })
    places.send(7, 8)
    expect([places.brought(7), places.highest(7)]).toEqual([7, 8])
    expect([places.highestOfOthers(7, ['a1']), places.highestOfOthers(7, ['b1', '']), places.highestOfOthers(8, [])]).toEqual([7, 5, 0])
  })

  test('are there once the inbox has come to where they are', () => {
    const places = new Places(resolveLimits())
    places.name('bob', 7)
    places.expect(7, 9, 100)
    places.reach(99)
    expect(places.brought(7)).toBe(0)
    places.reach(100)
    expect(places.brought(7)).toBe(9)
  })

  test('are there again for the next reader once it has come as far', () => {
    const places = new Places(resolveLimits())
    places.name('bob', 7)
    places.enter({ conversation: 7, seq: 9 })
    places.expect(7, 12, 90)
    places.leave(80)
    expect([places.brought(7), places.highest(7)]).toEqual([0, 9])
    places.reach(80)
    expect(places.brought(7)).toBe(0)
    places.reach(90)
    expect(places.brought(7)).toBe(12)
    places.forget()
    expect([places.brought(7), places.highest(7)]).toEqual([0, 0])
  })

  test('are of one name, however it is written', () => {
    const places = new Places(resolveLimits())
    expect([places.name('stra\u00dfe', 7), places.numberOf('STRASSE'), places.numberOf('o\u0301')]).toEqual([true, 7, undefined])
    expect([places.name('\u00f3', 8), places.numberOf('O\u0301')]).toEqual([true, 8])
  })

  test('belong to one conversation for each name, for good, as far as there is room', () => {
    const places = new Places(resolveLimits({ directConversationsMax: 2 }))
    expect([places.name('bob', 7), places.name('BOB', 7), places.name('bob', 8), places.name('carol', 7)]).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect([places.name('carol', 9), places.name('dave', 10)]).toEqual([true, false])
    expect([places.numberOf('Bob'), places.nameOf(9), places.numberOf('dave'), places.nameOf(10)]).toEqual([
      7,
      'carol',
      undefined,
      undefined,
    ])
    for (const conversation of [1, 2, 3]) places.send(conversation, 5)
    expect([1, 2, 3].map((conversation) => places.highest(conversation))).toEqual([0, 5, 5])
  })
})
