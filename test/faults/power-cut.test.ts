// The power goes while somebody talks to a real server: a copy of the image of its disk, taken while it stands still, holds only
// what the file system had handed to the disk. A server that starts on the copy brings everything that was acknowledged before.
// The mutant, and a disk that says it has what it has not, show that such cuts find what they should find.

import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MountedImage } from '../support/mounted-image.ts'
import { ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'
import { mayMount, skipWithout } from '../support/store-contents.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { form, isLong } from './form.ts'
import { compare, inboxOf, introduce, laneLimits, lanes, type Talking, talk } from './lanes.ts'
import { mayTrace } from './money-disk.ts'
import { Mutant } from './mutant.ts'
import { randomOf, seedOf } from './random.ts'
import { tracedRuntime } from './traced.ts'
import { until } from './until.ts'

const skip = skipWithout('the right to mount an image', mayMount(), { skippable: true })
const traces = await mayTrace()
const cuts = form(2, 25)
const cutsMaxOfMutant = 50
const synchronous = { file: 'store/sqlite/database.ts', from: 'synchronous = full', to: 'synchronous = normal' }

describe.skipIf(skip)('a power cut', () => {
  test(
    `${cuts} cuts lose no acknowledged message`,
    async () => {
      const random = randomOf(seedOf('power cuts'))
      const results: Cut[] = []
      for (let cut = 0; cut < cuts; cut++) results.push(await cutPower(random()))
      console.log('FULL', JSON.stringify(results))
      expect(results.filter(({ wrong }) => wrong.length > 0)).toEqual([])
      expect(results.every(({ acknowledged, arrived }) => acknowledged > 0 && arrived >= acknowledged)).toBe(true)
    },
    cuts * 60_000,
  )

  test.skipIf(skipWithout('SEALWIRE_LONG=1', isLong, { skippable: true }))(
    'a server that does not synchronize every commit is found out',
    async () => {
      using mutant = new Mutant([synchronous])
      const random = randomOf(seedOf('power cuts of the mutant'))
      const results: Cut[] = []
      for (let cut = 0; cut < cutsMaxOfMutant && results.every(({ wrong }) => wrong.length === 0); cut++) {
        results.push(await cutPower(random(), { program: mutant.program }))
      }
      console.log('NORMAL', JSON.stringify(results))
      expect(results.at(-1)?.wrong).not.toEqual([])
    },
    cutsMaxOfMutant * 60_000,
  )

  test.skipIf(skipWithout('SEALWIRE_LONG=1', isLong, { skippable: true }) || skipWithout('strace', traces, { skippable: true }))(
    'a disk that lies is found out',
    async () => {
      using folder = new StoreFolder()
      const runtime = tracedRuntime(folder.path, 'fsync,fdatasync', 'retval=0')
      const random = randomOf(seedOf('power cuts of a disk that lies'))
      const results: Cut[] = []
      for (let cut = 0; cut < cutsMaxOfMutant && results.every(({ wrong }) => wrong.length === 0); cut++) {
        results.push(await cutPower(random(), { runtime }))
      }
      console.log('LYING', JSON.stringify(results))
      expect(results.at(-1)?.wrong).not.toEqual([])
    },
    cutsMaxOfMutant * 60_000,
  )
})

interface Cut {
  readonly acknowledged: number
  readonly arrived: number
  /** The first of what is wrong. */
  readonly wrong: readonly string[]
}

/** Who serves until the power goes, where it is not this checkout's own server on a disk that says the truth. */
type Spoilt = Pick<ServerProcessOptions, 'program' | 'runtime'>

async function cutPower(moment: number, spoilt: Spoilt = {}): Promise<Cut> {
  using folder = new StoreFolder()
  const [disk, copy] = [join(folder.path, 'disk'), join(folder.path, 'copy')]
  MountedImage.make(disk, '96M')
  const before = await talkUntilCut({ disk, copy, moment, spoilt })
  using mounted = new MountedImage(copy)
  const found = await whatIsLeft(mounted.path, before)
  return { acknowledged: before.acknowledged.length, ...found }
}

interface Talked {
  readonly who: Talking
  /** In the order in which they were acknowledged. */
  readonly acknowledged: readonly string[]
}

/** A server that does not start has lost everything. */
async function whatIsLeft(folder: string, { who, acknowledged }: Talked): Promise<Pick<Cut, 'arrived' | 'wrong'>> {
  try {
    await using server = await start(folder, {})
    const arrived = await inboxOf(server, who)
    return { arrived: arrived.length, wrong: compare(acknowledged, arrived).slice(0, 3) }
  } catch (reason) {
    return { arrived: 0, wrong: [String(reason)] }
  }
}

/** Talks for a while and copies the disk as it is at one moment; tells what was acknowledged before. */
async function talkUntilCut(at: { disk: string; copy: string; moment: number; spoilt: Spoilt }): Promise<Talked> {
  using mounted = new MountedImage(at.disk)
  await using server = await start(mounted.path, at.spoilt)
  const who = await introduce(server)
  const acknowledged: string[] = []
  const talking = talk(server, who, '', acknowledged)
  await until('the talk has begun', 20_000, () => acknowledged.length >= lanes)
  // Any moment will do, but the first seconds show little: the file system has not yet much to forget.
  await wait(1_500 + at.moment * 1_500)
  server.signal('SIGSTOP')
  await stopped(server)
  const before = [...acknowledged]
  copyFileSync(at.disk, at.copy)
  await server.kill()
  await talking
  return { who, acknowledged: before }
}

/** A signal takes effect in its own time; one who is traced stands still in another way. */
async function stopped({ pid }: ServerProcess): Promise<void> {
  while (!/^State:\s+[Tt]/m.test(await Bun.file(`/proc/${pid}/status`).text())) await wait(1)
}

function start(folder: string, spoilt: Spoilt): Promise<ServerProcess> {
  return ServerProcess.start({ data: join(folder, 'data'), limits: laneLimits, ...spoilt })
}
