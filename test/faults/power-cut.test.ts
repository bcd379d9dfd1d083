// The power goes while somebody talks to a real server: a copy of the image of its disk, taken while it stands still, holds only
// what the file system had handed to the disk. A server that starts on the copy brings everything that was acknowledged before.
// The mutant shows that such cuts find what they should find.

import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from '../../src/client/node.ts'
import { messageId } from '../support/device-client.ts'
import { MountedImage } from '../support/mounted-image.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { mayMount, skipWithout } from '../support/store-contents.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { form, isLong } from './form.ts'
import { Mutant } from './mutant.ts'
import { dial } from './plain-client.ts'
import { randomOf, seedOf } from './random.ts'
import { until } from './until.ts'

const skip = skipWithout('the right to mount an image', mayMount(), { skippable: true })
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
        results.push(await cutPower(random(), mutant.program))
      }
      console.log('NORMAL', JSON.stringify(results))
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

async function cutPower(moment: number, program?: string): Promise<Cut> {
  using folder = new StoreFolder()
  const [disk, copy] = [join(folder.path, 'disk'), join(folder.path, 'copy')]
  MountedImage.make(disk, '96M')
  const before = await talkUntilCut({ disk, copy, moment, program })
  using mounted = new MountedImage(copy)
  await using server = await start(mounted.path, program)
  const arrived = await inboxOf(server, before.token)
  return { acknowledged: before.acknowledged.length, arrived: arrived.length, wrong: compare(before.acknowledged, arrived).slice(0, 3) }
}

interface Talked {
  /** In the order in which they were acknowledged. */
  readonly acknowledged: readonly string[]
  /** Of who was to get it. */
  readonly token: Uint8Array
}

/** Talks for a while and copies the disk as it is at one moment; tells what was acknowledged before. */
async function talkUntilCut(at: { disk: string; copy: string; moment: number; program: string | undefined }): Promise<Talked> {
  using mounted = new MountedImage(at.disk)
  await using server = await start(mounted.path, at.program)
  const [alice, bob] = [await dial(server), await dial(server)]
  const { token: own } = await alice.request('account.register', { name: 'alice' })
  const { token } = await bob.request('account.register', { name: 'bob' })
  await bob.request('inbox.open', {})
  await alice.request('contact.request', { name: 'bob', id: messageId() })
  await bob.request('contact.accept', { name: 'alice' })
  for (const client of [alice, bob]) client.close()
  const acknowledged: string[] = []
  // A connection has one request under way at a time; with several of them a commit has several messages.
  const talking = Promise.all(Array.from({ length: lanes }, async (_, lane) => talk(await resume(server, own), lane, acknowledged)))
  await until('the talk has begun', 20_000, () => acknowledged.length >= lanes)
  // Any moment will do, but the first seconds show little: the file system has not yet much to forget.
  await wait(1_500 + at.moment * 1_500)
  server.signal('SIGSTOP')
  await stopped(server)
  const before = [...acknowledged]
  copyFileSync(at.disk, at.copy)
  await server.kill()
  await talking
  return { acknowledged: before, token }
}

async function resume(server: ServerProcess, token: Uint8Array): Promise<Client> {
  const client = await dial(server)
  await client.request('account.resume', { token })
  return client
}

async function talk(client: Client, lane: number, acknowledged: string[]): Promise<void> {
  for (let index = 0; index < perLaneMax; index++) {
    const text = `${lane} ${index}`
    const answer = client.request('message.send', { to: 'bob', id: messageId(), body: Buffer.from(text) })
    if (
      !(await answer.then(
        () => true,
        () => false,
      ))
    )
      return
    acknowledged.push(text)
  }
}

/** A signal takes effect in its own time. */
async function stopped({ pid }: ServerProcess): Promise<void> {
  while (!/^State:\s+T/m.test(await Bun.file(`/proc/${pid}/status`).text())) await wait(1)
}

/** What bob has still to store. */
async function inboxOf(server: ServerProcess, token: Uint8Array): Promise<string[]> {
  const bob = await resume(server, token)
  const events = bob.events()
  const { lastSeq } = await bob.request('inbox.open', {})
  const texts: string[] = []
  for (let seq = 0; seq < lastSeq; ) {
    const { value } = await events.next()
    if (value?.event !== 'inbox.entry') continue
    seq = value.data.seq
    if (value.data.entry.kind === 'message') texts.push(Buffer.from(value.data.entry.body ?? []).toString())
  }
  bob.close()
  return texts
}

/** What was acknowledged and is not there, or twice, or not in its sender's order. */
function compare(acknowledged: readonly string[], arrived: readonly string[]): readonly string[] {
  const there = new Set(arrived)
  const lost = acknowledged.filter((text) => !there.has(text)).map((text) => `lost: ${text}`)
  const twice = arrived.length === there.size ? [] : ['something is there twice']
  const newest = new Map<string, number>()
  const late = arrived.filter((text) => {
    const [lane = '', index] = text.split(' ')
    const isLate = Number(index) !== (newest.get(lane) ?? -1) + 1
    newest.set(lane, Number(index))
    return isLate
  })
  return [...lost, ...twice, ...late.map((text) => `not in its place: ${text}`)]
}

function start(folder: string, program: string | undefined): Promise<ServerProcess> {
  const limits = { ...liftedRates, messagesPerSecondPerAccountMax: 1_000_000, inboxEntriesPerSenderMax: 1_000_000, diskBytesFreeMin: 0 }
  return ServerProcess.start({ data: join(folder, 'data'), limits, ...(program !== undefined && { program }) })
}

const lanes = 8
const perLaneMax = 100_000
