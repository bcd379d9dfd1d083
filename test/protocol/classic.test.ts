import { describe, expect, test } from 'bun:test'
import { type Code, classicCommands, classicWord, codes } from '../../src/protocol/index.ts'

describe('classicWord', () => {
  test('keeps the words of the seed chat', () => {
    const seed: Partial<Record<Code, string>> = {
      malformed: 'BADF',
      name_taken: 'USER!',
      login_refused: 'AUTH!',
      not_logged_in: 'NOLOG',
      is_self: 'SELF',
      not_found: 'NOPE',
      declined: 'DENY',
      not_in_chat: 'NOCHAT',
      peer_left: 'EXIT',
      peer_lost: 'LOST',
      unknown_command: 'UNKN',
    }
    for (const [code, word] of Object.entries(seed)) expect(classicWord(code as Code)).toBe(word)
  })

  test('has a short word for every code', () => {
    for (const code of Object.keys(codes)) expect(classicWord(code as Code)).toMatch(/^[A-Z]{2,6}!?$/)
  })
})

describe('classicCommands', () => {
  test('have the numbers of the seed chat', () => {
    expect(Object.values(classicCommands)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})
