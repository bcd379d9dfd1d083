import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HandedFiles } from '../../../src/client/home/handed-order-files.ts'
import { Home } from '../../../src/client/home/home.ts'
import { rejectionOf } from '../../support/refusal.ts'

const id = (number: number) => `00000000-0000-7000-8000-${`${number}`.padStart(12, '0')}`
const hour = 3_600_000
const begin = 1_800_000_000_000

class Place implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sealwire-handed-'))
  now = begin

  of(name = 'alice', ordersHandedMax = 1_000): HandedFiles {
    return new HandedFiles(new Home(join(this.path, 'home')), { name, limits: { ordersHandedMax }, clock: { now: () => this.now } })
  }

  /** The one folder that there is. */
  get folder(): string {
    const all = join(this.path, 'home', 'orders-handed')
    return join(all, readdirSync(all)[0] ?? '')
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}

describe('HandedFiles', () => {
  test('knows an order in every program of the home until it has expired, also by a clock that is behind', async () => {
    using place = new Place()
    expect(place.of().has(id(1))).toBe(false)
    await place.of().add(id(1), begin + 1_000)
    expect([place.of('ALICE').has(id(1)), place.of().has(id(2)), place.of('bob').has(id(1))]).toEqual([true, false, false])
    place.now += 1_000 + hour
    expect(place.of().has(id(1))).toBe(true)
    place.now += 1
    expect(place.of().has(id(1))).toBe(false)
  })

  test('knows it as long as the last order under its id lives', async () => {
    using place = new Place()
    for (const expiresAt of [begin + 1, begin + 5_000, begin + 2]) await place.of().add(id(1), expiresAt)
    place.now += 5_000 + hour
    expect(place.of().has(id(1))).toBe(true)
    place.now += 1
    expect(place.of().has(id(1))).toBe(false)
  })

  test('shows them to nobody else', async () => {
    using place = new Place()
    await place.of().add(id(1), begin)
    if (process.platform === 'win32') return
    expect([statSync(place.folder).mode & 0o777, statSync(join(place.folder, id(1))).mode & 0o777]).toEqual([0o700, 0o600])
  })

  test('knows so many and no more, until one has expired, and removes what a crash has cut off', async () => {
    using place = new Place()
    const files = place.of('alice', 2)
    await files.add(id(1), begin + 1_000)
    await files.add(id(2), begin + hour)
    const [old, fresh] = [`.${id(5)}.0123456789abcdef.tmp`, `.${id(6)}.0123456789abcdef.tmp`]
    for (const name of ['notes.txt', old, fresh]) writeFileSync(join(place.folder, name), 'x')
    for (const [name, at] of [[old, begin - 600_000] as const, [fresh, begin + 2 * hour] as const])
      utimesSync(join(place.folder, name), at / 1000, at / 1000)
    expect(await rejectionOf(files.add(id(3), begin + hour))).toBe('busy')
    // Those that are there are there.
    await files.add(id(2), begin + hour + 1)
    expect([files.has(id(1)), files.has(id(2)), files.has(id(3))]).toEqual([true, true, false])
    place.now += 1_001 + hour
    await files.add(id(3), begin + 3 * hour)
    expect(readdirSync(place.folder).toSorted()).toEqual([id(2), id(3), 'notes.txt', fresh].toSorted())
  })

  test('takes what is damaged for one that was handed over', async () => {
    using place = new Place()
    await place.of().add(id(1), begin)
    for (const [at, text] of ['', 'soon\n', '1'.repeat(100)].entries()) writeFileSync(join(place.folder, id(10 + at)), text)
    mkdirSync(join(place.folder, id(13)))
    expect([10, 11, 12, 13, 14].map((at) => place.of().has(id(at)))).toEqual([true, true, true, true, false])
  })

  test('says so where it cannot be kept', async () => {
    using place = new Place()
    const files = place.of()
    await files.add(id(1), begin)
    const folder = place.folder
    rmSync(folder, { recursive: true })
    writeFileSync(folder, 'in the way')
    expect(files.has(id(1))).toBe(false)
    expect(await rejectionOf(files.add(id(1), begin))).toBe('data_unusable')
    expect(existsSync(folder)).toBe(true)
  })
})
