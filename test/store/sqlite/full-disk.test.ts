import { describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { accountNames, command, mayMount, missing, skipWithout } from '../../support/store-contents.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { openDatabase } from '../../../src/store/sqlite/database.ts'
import { migrate, migrations } from '../../../src/store/sqlite/migrations.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { StoreProcess } from '../../support/store-process.ts'

const skip = skipWithout('the right to mount a small file system', mayMount(), { skippable: true })

describe.skipIf(skip)('a full disk', () => {
  test('refuses with storage_full, keeps what it acknowledged and nothing it refused, and goes on once there is room', async () => {
    using disk = new SmallDisk('2m')
    const ballast = join(disk.path, 'ballast')
    writeFileSync(ballast, new Uint8Array(1_000_000))
    await using registrar = new StoreProcess(disk.path, { prefix: 'name-' })
    await registrar.refusals('storage_full', 500)
    const before = registrar.acknowledged.length
    rmSync(ballast)
    await registrar.acknowledgements(before + 200)
    await registrar.kill()

    expect([...registrar.refused.keys()]).toEqual(['storage_full'])
    const present = accountNames(disk.database)
    expect(missing(registrar.acknowledged, present)).toEqual([])
    expect(registrar.refused.get('storage_full')?.filter((name) => present.has(name))).toEqual([])
  }, 60_000)

  test('a database of before is brought to this version only where there is room for it three times more, and is untouched otherwise', () => {
    using disk = new SmallDisk('8m')
    const limits = resolveLimits()
    {
      using connection = new DatabaseSync(disk.database)
      connection.exec('pragma journal_mode = wal')
      migrate(connection, migrations.slice(0, 13))
      connection.exec('create table ballast (x blob) strict; insert into ballast values (zeroblob(3000000))')
    }
    const refusal = /^\[storage_full\] there is no room to bring .* to this version/
    expect(() => openDatabase(disk.database, limits, 'may-be-new')).toThrow(refusal)
    expect(versionOf(disk)).toBe(13)
    command('mount', '-o', 'remount,size=16m', disk.path)
    openDatabase(disk.database, limits, 'may-be-new')[Symbol.dispose]()
    expect(versionOf(disk)).toBe(migrations.length)
  })

  test('a kill on a full disk loses nothing and brings nothing back', async () => {
    using disk = new SmallDisk('1m')
    await using registrar = new StoreProcess(disk.path, { prefix: 'name-' })
    await registrar.refusals('storage_full', 100)
    await registrar.kill()
    const refused = registrar.refused.get('storage_full') ?? []
    command('mount', '-o', 'remount,size=4m', disk.path)
    const present = accountNames(disk.database)
    expect(missing(registrar.acknowledged, present)).toEqual([])
    expect(refused.filter((name) => present.has(name))).toEqual([])
  }, 60_000)
})

/** A file system of a given size that is kept in memory, mounted on a folder of its own. */
class SmallDisk implements Disposable {
  readonly #folder = new StoreFolder()
  readonly path = this.#folder.path
  readonly database = this.#folder.database

  constructor(size: string) {
    command('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.path)
  }

  [Symbol.dispose](): void {
    command('umount', this.path)
    this.#folder[Symbol.dispose]()
  }
}

function versionOf({ database }: StoreFolder): unknown {
  using connection = new DatabaseSync(database, { readOnly: true })
  return connection.prepare('pragma user_version').get()?.['user_version']
}
