import { expect, test } from 'bun:test'
import { newRoomSecret } from '../../src/server/room-secret.ts'

test('a secret is 16 bytes, and no two are the same', () => {
  const [one, other] = [newRoomSecret(), newRoomSecret()]
  expect(one).toHaveLength(16)
  expect(other).not.toEqual(one)
})

test('as a word it never begins with -, which a command would take for an option', () => {
  const words = ['-AAAAAAAAAAAAAAAAAAAAA', '--AAAAAAAAAAAAAAAAAAAA', '_-AAAAAAAAAAAAAAAAAAAA']
  const drawn = [...words]
  const secret = newRoomSecret((bytes) => {
    bytes.set(Buffer.from(drawn.shift() ?? '', 'base64url'))
    return bytes
  })
  expect(Buffer.from(secret).toString('base64url')).toBe(words[2] ?? '')
})
