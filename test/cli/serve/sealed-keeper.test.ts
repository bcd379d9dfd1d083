import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPin } from '../../../src/channel/index.ts'
import { SealedKeeper } from '../../../src/cli/serve/sealed-keeper.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { type Log, silentLog } from '../../../src/server/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { refused } from '../home-support.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * 60 * 1000

describe('SealedKeeper', () => {
  test('makes the key where the sealed channel is spoken, says so once, and nothing elsewhere', () => {
    using world = new World()
    expect(world.open(false).keys).toBeUndefined()
    expect(readdirSync(world.folder)).toEqual([])
    const made = world.open(true).pins
    expect(world.open(true).pins).toEqual(made)
    expect(world.open(false).pins).toEqual(made)
    expect(world.lines).toEqual(['info file written {"file":"sealed.key"}'])
  })

  test('has both keys until the overlap is over, and then the next one alone, in memory and on the disk', async () => {
    using world = new World()
    using keeper = world.open(true)
    keeper.start()
    const old = keeper.pins?.current
    keeper.rotate(minuteMs)
    const { next } = keeper.pins ?? {}
    expect(next).toMatchObject({ until: world.clock.now() + minuteMs })
    keeper.rotate(2 * minuteMs) // Asked again, because an answer was lost.
    expect(keeper.pins).toEqual({ current: old ?? '', next })
    await world.clock.move(minuteMs - 1)
    expect(keeper.pins?.current).toBe(old ?? '')
    await world.clock.move(1)
    expect(keeper.pins).toEqual({ current: next?.pin ?? '' })
    await world.clock.move(resolveLimits().certificateWatchMs)
    expect(readdirSync(world.folder)).toEqual(['sealed.key'])
    expect(world.lines.slice(1)).toEqual([
      expect.stringContaining('info sealed key to be replaced'),
      `info sealed key replaced {"fingerprint":"${next?.pin}"}`,
    ])
    expect(keyPin(world.open(true).keys?.current.publicKey ?? new Uint8Array())).toBe(next?.pin ?? '')
  })

  test('goes on with the next key when the disk does not, and tries again', async () => {
    using world = new World()
    using keeper = world.open(true)
    keeper.start()
    keeper.rotate(1_000)
    const { next } = keeper.pins ?? {}
    const path = join(world.folder, 'sealed-next.key')
    const good = readFileSync(path)
    writeFileSync(path, 'lost')
    await world.clock.move(1_000 + resolveLimits().certificateWatchMs)
    expect(keeper.pins).toEqual({ current: next?.pin ?? '' })
    expect(world.lines.at(-1)).toBe('warning sealed keys not looked after, those in use stay {"why":"key_malformed"}')
    writeFileSync(path, good)
    await world.clock.move(resolveLimits().certificateWatchMs)
    expect(readdirSync(world.folder)).toEqual(['sealed.key'])
  })

  test('a key that cannot be used stops who speaks the sealed channel, and nobody else', () => {
    using world = new World()
    world.open(true)
    chmodSync(join(world.folder, 'sealed.key'), 0o644)
    expect(world.open(false).keys).toBeUndefined()
    expect(refused(() => world.open(true)).code).toBe('key_unsafe')
    expect(refused(() => world.open(false).rotate(dayMs)).code).toBe('key_unsafe')
  })
})

class World implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealwire-sealed-keeper-'))
  readonly clock = new ManualClock(Date.UTC(2030, 0, 15, 12))
  readonly lines: string[] = []

  open(make: boolean): SealedKeeper {
    const say =
      (level: string): Log['info'] =>
      (event, fields) =>
        void this.lines.push(`${level} ${event} ${JSON.stringify(fields)}`)
    const log: Log = { ...silentLog, info: say('info'), warning: say('warning') }
    return SealedKeeper.open(this.folder, make, { clock: this.clock, log, limits: resolveLimits() })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
