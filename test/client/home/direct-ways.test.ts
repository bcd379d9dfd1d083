import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DirectNote, type NotedWay, notedWays } from '../../../src/client/home/direct-ways.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { onUnix, refused, temporaryHome } from '../../cli/home-support.ts'

const bob = { name: 'bob', way: 'direct' } as const
const carol = { name: 'carol', way: 'relayed', why: 'unreachable' } as const

describe('DirectNote', () => {
  test('tells how a program of this home talks with whom, as long as it runs', () => {
    using stage = temporaryHome()
    expect(notedWays(stage.home)).toBeUndefined()
    expect(existsSync(stage.home.path)).toBe(false)
    {
      using note = new DirectNote(stage.home)
      expect(notedWays(stage.home)).toEqual([])
      note.write([carol, bob])
      expect(notedWays(stage.home)).toEqual([bob, carol])
      const folder = join(stage.home.pathOf('direct-ways'), '0')
      if (onUnix) expect(['', 'ways.json', 'lock'].map((name) => statSync(join(folder, name)).mode & 0o077)).toEqual([0, 0, 0])
    }
    expect(notedWays(stage.home)).toBeUndefined()
    expect(readdirSync(stage.home.pathOf('direct-ways'))).toEqual([])
  })

  test('of several programs, the one that talks directly counts', () => {
    using stage = temporaryHome()
    using one = new DirectNote(stage.home)
    using other = new DirectNote(stage.home)
    one.write([bob, carol])
    other.write([
      { name: 'Bob', way: 'relayed', why: 'lost' },
      { name: 'carol', way: 'direct' },
    ])
    expect(notedWays(stage.home)).toEqual([bob, { name: 'carol', way: 'direct' }])
  })

  test('of a program that was killed nothing is told, and the next one takes it away', async () => {
    using stage = temporaryHome()
    const program = fileURLToPath(new URL('direct-ways-program.ts', import.meta.url))
    const child = spawn(process.execPath, [program, stage.home.path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await Promise.race([once(child.stdout, 'data'), ended])
    expect(notedWays(stage.home)).toEqual([bob])
    child.kill('SIGKILL')
    await ended
    expect(notedWays(stage.home)).toBeUndefined()
    using note = new DirectNote(stage.home)
    note.write([carol])
    expect(notedWays(stage.home)).toEqual([carol])
    expect(readdirSync(stage.home.pathOf('direct-ways'))).toEqual(['0'])
  })

  test('what is no note is none, and of too many people the last ones are left out', () => {
    using stage = temporaryHome()
    using note = new DirectNote(stage.home)
    const path = join(stage.home.pathOf('direct-ways'), '0', 'ways.json')
    for (const text of ['', '{', '{"version":2,"ways":[]}', '{"version":1,"ways":[{"name":"x","way":"sideways"}]}']) {
      writeFileSync(path, text, { mode: 0o600 })
      expect(notedWays(stage.home)).toBeUndefined()
    }
    const many: NotedWay[] = Array.from({ length: limitTable.directWaysMax.value + 1 }, (_, at) => ({ name: `n${at}`, way: 'direct' }))
    note.write(many)
    expect(notedWays(stage.home)).toHaveLength(limitTable.directWaysMax.value)
  })

  test('is read up to its bound, and not beyond', () => {
    using stage = temporaryHome()
    using note = new DirectNote(stage.home)
    note.write([bob])
    const path = join(stage.home.pathOf('direct-ways'), '0', 'ways.json')
    const [text, bytesMax] = [readFileSync(path, 'utf8'), limitTable.directNoteBytesMax.value]
    writeFileSync(path, text.padEnd(bytesMax))
    expect(notedWays(stage.home)).toEqual([bob])
    writeFileSync(path, text.padEnd(bytesMax + 1))
    expect(refused(() => notedWays(stage.home)).code).toBe('config_invalid')
  })

  test('there are not more of them than are read', () => {
    using stage = temporaryHome()
    using notes = new DisposableStack()
    for (let count = 0; count < limitTable.directNotesMax.value; count++) notes.use(new DirectNote(stage.home)).write([bob])
    expect(refused(() => new DirectNote(stage.home)).code).toBe('data_locked')
    mkdirSync(join(stage.home.pathOf('direct-ways'), 'other'))
    expect(notedWays(stage.home)).toEqual([bob])
  })
})
