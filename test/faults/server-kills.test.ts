// A server is killed at the nth of its system calls: while it makes itself, and while it is talked to. It starts again on what it left,
// and everything that was acknowledged is there, once and in order.

import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServerProcess } from '../support/server-process.ts'
import { skipWithout } from '../support/store-contents.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { form } from './form.ts'
import { compare, inboxOf, introduce, laneLimits, talk, type Talking } from './lanes.ts'
import { mayTrace } from './money-disk.ts'
import { below, type Random, randomOf, seedOf } from './random.ts'
import { tracedRuntime, tracePath } from './traced.ts'
import { until } from './until.ts'

/** What a start does to the disk, and what an answer and a commit are made of: calls, and below which place they are tried. */
const making = { calls: 'fsync,fdatasync,rename,link,linkat,unlink,mkdir,fchmod,ftruncate,pwrite64', places: 60 }
const talking = { calls: 'pwrite64,fsync,fdatasync,sendto,sendmsg,write,writev', places: 900 }
const [makingKills, talkingKills] = [form(3, 60), form(3, 100)]
const skip = skipWithout('the right to trace a process with strace', await mayTrace(), { skippable: true })

describe.skipIf(skip)('a server', () => {
  test(
    `that is killed at ${makingKills} of the calls with which it makes itself starts afterwards`,
    async () => {
      for (const place of chosen(randomOf(seedOf('kills of a start')), makingKills, making.places)) {
        using folder = new StoreFolder()
        const data = join(folder.path, 'data')
        await using server = ServerProcess.spawn({ data, runtime: tracedRuntime(folder.path, making.calls, kill(place)) })
        const { signal } = await ended(server)
        // Later places come when it listens already: then somebody else has ended it.
        expect([place, signal]).toEqual([place, 'SIGKILL'])
        await using again = await ServerProcess.start({ data, limits: laneLimits })
        expect([place, Object.keys(await introduce(again))]).toEqual([place, ['alice', 'bob']])
      }
    },
    makingKills * 60_000,
  )

  test(
    `that is killed at ${talkingKills} of the calls with which it answers loses nothing`,
    async () => {
      using folder = new StoreFolder()
      const data = join(folder.path, 'data')
      const who = await prepared(data)
      const acknowledged: string[] = []
      const figures = { kills: 0, acknowledged: 0, arrived: 0 }
      for (const place of chosen(randomOf(seedOf('kills of answers')), talkingKills, talking.places)) {
        figures.kills += await killedWhileTalking({ folder: folder.path, data, place, who, acknowledged }, `${figures.kills}.`)
        await using again = await ServerProcess.start({ data, limits: laneLimits })
        const arrived = await inboxOf(again, who)
        expect([place, compare(acknowledged, arrived).slice(0, 3)]).toEqual([place, []])
        Object.assign(figures, { acknowledged: acknowledged.length, arrived: arrived.length })
      }
      console.log('kills of answers:', JSON.stringify(figures))
      expect(figures.kills).toBe(talkingKills)
      expect(figures.acknowledged).toBeGreaterThan(talkingKills)
    },
    talkingKills * 60_000,
  )
})

interface Talked {
  readonly folder: string
  readonly data: string
  readonly place: number
  readonly who: Talking
  readonly acknowledged: string[]
}

/** 1, when it was killed as it should. */
async function killedWhileTalking({ folder, data, place, who, acknowledged }: Talked, name: string): Promise<number> {
  await using server = ServerProcess.spawn({ data, limits: laneLimits, runtime: tracedRuntime(folder, talking.calls, kill(place)) })
  await until('it listens, or has ended', startMsMax, () => server.stdout.includes('fingerprint') || !server.isRunning)
  // The end of the server is the end of the talk, wherever that is, and may be before it.
  await talk(server, who, name, acknowledged).catch(() => {})
  const { signal } = await server.exited
  expect([place, signal, readFileSync(tracePath(folder), 'utf8').includes('SIGKILL')]).toEqual([place, 'SIGKILL', true])
  return 1
}

async function prepared(data: string): Promise<Talking> {
  await using server = await ServerProcess.start({ data, limits: laneLimits })
  const who = await introduce(server)
  await server.stop()
  return who
}

/** It is killed by itself, or when it listens and nothing comes any more. */
async function ended(server: ServerProcess) {
  const late = setTimeout(() => server.signal('SIGKILL'), listeningMsMax)
  try {
    return await server.exited
  } finally {
    clearTimeout(late)
  }
}

function kill(place: number): string {
  return `signal=SIGKILL:when=${place}`
}

/** One in each part of them: a thread makes its first calls at its start, and its last ones at work. */
function chosen(random: Random, count: number, places: number): readonly number[] {
  const part = places / count
  return Array.from({ length: count }, (_, at) => 1 + Math.floor(at * part) + below(random, Math.floor(part)))
}

const listeningMsMax = 10_000
const startMsMax = 60_000
