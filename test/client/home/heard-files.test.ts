import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileHeard } from '../../../src/client/home/heard-files.ts'
import { Home } from '../../../src/client/home/home.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { rejectionOf } from '../../support/refusal.ts'

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'sealwire-heard-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const message = (each: number) => ({
  key: `01234567-89ab-7def-8123-45678900000${each}`,
  conversation: 7,
  device: 'a1b2',
  hash: 'c3'.repeat(32),
})

describe('what was heard, in the files of a home', () => {
  test('is there for every program of it until it is removed, and for no other account', async () => {
    const home = new Home(join(folder, 'shared'))
    const [one, other, stranger] = [heardIn(home), heardIn(home, 'Bob'), heardIn(home, 'carol')]
    expect([await one.load(), one.has(message(1).key)]).toEqual([[], false])
    await Promise.all([1, 2, 3].map((each) => one.add(message(each))))
    await one.add(message(3))
    expect([one.size, other.has(message(1).key), stranger.has(message(1).key)]).toEqual([3, true, false])
    expect((await other.load()).toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([1, 2, 3].map(message))
    expect([other.size, await stranger.load()]).toEqual([3, []])
    await other.remove(message(1).key)
    await other.remove(message(1).key)
    expect([one.has(message(1).key), other.size]).toEqual([false, 2])
    expect([one.hashOf(message(1).key), one.hashOf(message(2).key)]).toEqual([undefined, message(2).hash])
    await one[Symbol.asyncDispose]()
  })

  test('is forgotten when it is old, and is good also without its words', async () => {
    const home = new Home(join(folder, 'old'))
    const first = heardIn(home)
    for (const each of [1, 2, 3]) await first.add(message(each))
    const [name = ''] = readdirSync(home.path)
    const at = (each: number): string => join(home.path, name, message(each).key)
    utimesSync(at(1), 1, 1)
    writeFileSync(at(2), '')
    writeFileSync(join(home.path, name, 'notes.txt'), 'of somebody else')
    const second = heardIn(home)
    const left = await second.load()
    expect(left.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { ...message(2), conversation: 0, device: '', hash: '' },
      message(3),
    ])
    expect([second.has(message(1).key), second.has(message(2).key), second.size]).toEqual([false, true, 2])
  })

  test('is counted again where another program removes and keeps some too, not more often than now and then', async () => {
    const home = new Home(join(folder, 'counted'))
    const clock = new ManualClock(Date.now())
    const [one, other] = [heardIn(home, 'bob', clock), heardIn(home)]
    for (const each of [1, 2, 3]) await one.add(message(each))
    for (const each of [1, 2]) await other.remove(message(each).key)
    await other.add(message(4))
    expect([one.size, one.countOf(7)]).toEqual([3, 3])
    one.recount()
    expect([one.size, one.countOf(7)]).toEqual([2, 1])
    await other.remove(message(3).key)
    one.recount()
    expect(one.size).toBe(2)
    await clock.move(resolveLimits().directLookMs)
    one.recount()
    expect(one.size).toBe(1)
  })

  test('tells why it cannot be kept', async () => {
    const home = new Home(join(folder, 'broken'))
    const heard = heardIn(home)
    await heard.add(message(1))
    const [name = ''] = readdirSync(home.path)
    rmSync(join(home.path, name), { recursive: true })
    writeFileSync(join(home.path, name), 'a file')
    expect([await rejectionOf(heard.add(message(2))), await rejectionOf(heard.load())]).toEqual(['data_unusable', 'data_unusable'])
    expect(heard.has(message(2).key)).toBe(false)
    await heard.remove(message(1).key)
  })
})

function heardIn(home: Home, name = 'bob', clock = new ManualClock(Date.now())): FileHeard {
  return new FileHeard(home, { name, clock, limits: resolveLimits() })
}
