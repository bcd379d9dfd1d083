// The power goes: a copy of the disk's image, taken while the program stands still, holds only what the file system had
// handed to the disk; what it still had in memory is lost. The mutant shows that such a cut finds what it should find.

import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MountedImage } from '../../support/mounted-image.ts'
import { accountNames, isLong, mayMount, missing, skipWithout } from '../../support/store-contents.ts'
import { StoreFolder } from '../../support/store-folder.ts'
import { StoreProcess, type StoreProcessOptions } from '../../support/store-process.ts'

const skip = skipWithout('SEALWIRE_LONG=1', isLong, { skippable: true }) || skipWithout('the right to mount an image', mayMount())
const cuts = 10

describe.skipIf(skip)('a power cut', () => {
  test(`${cuts} cuts lose no acknowledged account`, async () => {
    const results: Cut[] = []
    for (let cut = 0; cut < cuts; cut++) results.push(await cutPower({ prefix: 'name-' }))
    console.log('FULL', JSON.stringify(results))
    expect(results.filter(({ lost }) => lost > 0)).toEqual([])
    expect(results.every(({ acknowledged }) => acknowledged > 0)).toBe(true)
  }, 300_000)

  test('a store that does not synchronize every commit is found out', async () => {
    const results: Cut[] = []
    for (let cut = 0; cut < 2 * cuts && results.every(({ lost }) => lost === 0); cut++) {
      results.push(await cutPower({ prefix: 'name-', mutant: 'normal' }))
    }
    console.log('NORMAL', JSON.stringify(results))
    expect(results.at(-1)?.lost).toBeGreaterThan(0)
  }, 600_000)
})

interface Cut {
  readonly acknowledged: number
  readonly lost: number
}

async function cutPower(options: StoreProcessOptions): Promise<Cut> {
  using folder = new StoreFolder()
  const [disk, copy] = [join(folder.path, 'disk'), join(folder.path, 'copy')]
  MountedImage.make(disk, '64M')
  const acknowledged = await runUntilCut(disk, copy, options)
  using mounted = new MountedImage(copy)
  return { acknowledged: acknowledged.length, lost: missing(acknowledged, accountNames(mounted.database)).length }
}

/** Registers on the disk for a while and copies it as it is at one moment; returns what was acknowledged before. */
async function runUntilCut(disk: string, copy: string, options: StoreProcessOptions): Promise<readonly string[]> {
  using mounted = new MountedImage(disk)
  await using registrar = new StoreProcess(mounted.path, options)
  await registrar.acknowledgements(1)
  // Any moment will do, but the first seconds show little: the file system has not yet much to forget.
  await wait(1500 + Math.random() * 1500)
  await registrar.kill('SIGSTOP')
  const acknowledged = [...registrar.acknowledged]
  copyFileSync(disk, copy)
  return acknowledged
}
