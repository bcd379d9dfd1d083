import { expect, test } from 'bun:test'
import { Askers } from '../../../src/cli/chat/askers.ts'
import { refused } from '../home-support.ts'

test('Askers has those who were not answered, however they are written, and the one who is meant', () => {
  const askers = new Askers()
  expect(refused(() => askers.only('accept')).code).toBe('no_request')
  askers.add('Bob')
  askers.add('bob')
  expect([askers.has('BOB'), askers.only('accept')]).toEqual([true, 'bob'])
  askers.add('carol')
  expect(refused(() => askers.only('decline'))).toMatchObject({
    sentence: 'several ask to talk: bob, carol',
    hint: 'say whom: /decline NAME',
  })
  askers.remove('Carol')
  askers.remove('nobody')
  expect(askers.only('accept')).toBe('bob')
  for (let index = 0; index < 30; index++) askers.add(`name${index}`)
  expect(askers.has('bob')).toBe(false)
})
