// A long past is read: by a device that has just joined its account, from history, and by one that was away, from its inbox. A real
// server process with the limits that it has by default, on a database that was filled before it started; the SDK reads.

import { expect, test } from 'bun:test'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { Home } from '../../src/client/home/home.ts'
import { profileWith, readProfile, writeProfile } from '../../src/client/home/profile.ts'
import { connect, type Sealwire } from '../../src/index.ts'
import { formatInviteLink } from '../../src/pki/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { openInProcessStore } from '../../src/store/index.ts'
import { ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { fillPast, type Said } from './catch-up-filling.ts'
import { form } from './form.ts'

const messages = form(3_000, 100_000)
/** The long form is for a machine that does nothing else. */
const secondsMax = form(150, 30)

test(
  `a new device, and one that was away, read ${messages} messages in under ${secondsMax} s each`,
  async () => {
    using folder = new StoreFolder()
    const data = join(folder.path, 'data')
    const [awayHome, newHome] = [join(folder.path, 'away'), join(folder.path, 'new')]
    const device = await joinAndLeave(data, awayHome)
    const said = fillPast(data, { account: 'alice', device, messages })
    {
      await using server = await ServerProcess.start({ data })
      moveTo(server, awayHome)
      await using away = await connect(awayHome)
      const link = await deviceLink(away, server)
      const history = await timed('a new device reads history', said.length, () => readHistory(link, newHome))
      expectHistory(history, said)
      const inbox = await timed('a device that was away reads its inbox', messages, () => readInbox(away, messages))
      expectInbox(inbox, said)
    }
    expectEmptyInbox(data, device)
  },
  form(300_000, 600_000),
)

/** Opens an inbox that nobody reads from then on. Answers the device that has it. */
async function joinAndLeave(data: string, home: string): Promise<string> {
  await using server = await ServerProcess.start({ data })
  await using me = await connect(server.invite, { name: 'alice', home })
  await me.call('inbox.open', {})
  const { devices } = await me.call('device.list', {})
  await me.close()
  await server.stop()
  return devices.find(({ here }) => here)?.device ?? ''
}

/** The server that was there has another port now. */
function moveTo({ port }: ServerProcess, path: string): void {
  const home = new Home(path)
  const profile = readProfile(home)
  writeProfile(home, profileWith(profile, { server: { ...profile.server, port } }))
}

/** As `sealwire devices add` makes it. */
async function deviceLink(me: Sealwire, { port, fingerprint }: ServerProcess): Promise<string> {
  const { secret } = await me.call('device.link', {})
  return formatInviteLink({ host: '127.0.0.1', port, pin: fingerprint, makes: 'device', invitation: secret })
}

interface Read {
  readonly text: string | undefined
  /** In its conversation, or in the inbox. */
  readonly place: number
}

/** Joins as a device, and reads whatever there is: rooms from their beginning, direct conversations from their end. */
async function readHistory(link: string, home: string): Promise<ReadonlyMap<number, readonly Read[]>> {
  await using me = await connect(link, { home })
  // What is said meanwhile comes here.
  await me.call('inbox.open', {})
  const all = new Map<number, readonly Read[]>()
  for await (const { conversation: number, kind } of me.conversations()) {
    const conversation = await me.conversation(number)
    const read: Read[] = []
    for await (const { kind: what, text, seq } of conversation.history(kind === 'room' ? { after: 0 } : {}))
      if (what === 'message') read.push({ text, place: seq })
    all.set(number, kind === 'room' ? read : read.toReversed())
  }
  return all
}

/** Asking for the next one acknowledges the one before. */
async function readInbox(me: Sealwire, count: number): Promise<readonly Read[]> {
  const read: Read[] = []
  for await (const item of me.inbox({ lost: (position) => expect(position).toBe(0) })) {
    read.push({ text: item.text, place: item.position })
    item.done()
    if (read.length === count) break
  }
  await me.close()
  return read
}

async function timed<T>(what: string, entries: number, act: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await act()
  const seconds = (performance.now() - began) / 1000
  const load = loadavg()[0]?.toFixed(1)
  console.log(`${what}: ${entries} messages in ${seconds.toFixed(2)} s, ${Math.round(entries / seconds)} a second, load ${load}`)
  expect(seconds).toBeLessThan(secondsMax)
  return result
}

function expectHistory(history: ReadonlyMap<number, readonly Read[]>, said: readonly Said[]): void {
  const expected = Map.groupBy(said, ({ conversation }) => conversation)
  expect([...history.keys()]).toEqual([...expected.keys()].toSorted((one, other) => one - other))
  for (const [conversation, read] of history) {
    expectTexts(read, expected.get(conversation) ?? [])
    expectNoGaps(read)
  }
}

function expectInbox(inbox: readonly Read[], said: readonly Said[]): void {
  expectTexts(
    inbox,
    said.filter(({ isOwn }) => !isOwn),
  )
  expectNoGaps(inbox)
}

/** The first that is another one says more than all of them. */
function expectTexts(read: readonly Read[], expected: readonly Said[]): void {
  const at = expected.findIndex(({ text }, index) => text !== read[index]?.text)
  expect([at, read[at], read.length]).toEqual([-1, undefined, expected.length])
}

function expectNoGaps(read: readonly Read[]): void {
  const first = read[0]?.place ?? 0
  expect(read.findIndex(({ place }, index) => place !== first + index)).toBe(-1)
}

/** Every device has everything, and the server knows it. */
function expectEmptyInbox(data: string, device: string): void {
  using store = openInProcessStore(data, { ...resolveLimits(), diskBytesFreeMin: 0 })
  const accountId = store.run('account.find', { key: 'alice' })?.id ?? 0n
  const { lastSeq, ackedSeq } = store.run('inbox.open', { accountId, device, at: 0n })
  expect([lastSeq, ackedSeq]).toEqual([BigInt(messages), BigInt(messages)])
  expect(store.run('inbox.read', { accountId, after: 0n, max: 1n, bytesMax: 1n }).entries).toEqual([])
}
