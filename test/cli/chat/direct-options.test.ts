import { expect, test } from 'bun:test'
import { readDirect } from '../../../src/cli/chat/direct-options.ts'
import { refused } from '../home-support.ts'

test('readDirect is off unless it is asked for, and says where contacts connect', () => {
  expect(readDirect({})).toBeUndefined()
  expect(readDirect({ direct: true })).toEqual({})
  expect(readDirect({ direct: true, directPort: '7000', directAnnounce: ['203.0.113.9:7000', '[2001:db8::1]:7001'] })).toEqual({
    port: 7000,
    announce: [
      { host: '203.0.113.9', port: 7000 },
      { host: '2001:db8::1', port: 7001 },
    ],
  })
})

test('readDirect refuses what is no address or port, and what is of no use without --direct', () => {
  for (const flags of [
    { directPort: '7000' },
    { directAnnounce: ['203.0.113.9:7000'] },
    { direct: true, directPort: '70000' },
    { direct: true, directAnnounce: ['home.example:7000'] },
    { direct: true, directAnnounce: ['203.0.113.9'] },
    { direct: true, directAnnounce: ['203.0.113.9:0'] },
    { direct: true, directAnnounce: ['0.0.0.0:7000'] },
    { direct: true, directAnnounce: ['[fe80::1]:7000'] },
    { direct: true, directAnnounce: Array.from({ length: 9 }, (_, at) => `203.0.113.${at}:7000`) },
  ])
    expect(refused(() => readDirect(flags)).code).toBe('usage')
  expect(refused(() => readDirect({ direct: true, directAnnounce: ['home.example:7000'] })).sentence).toBe(
    '--direct-announce "home.example:7000" names no address',
  )
})
