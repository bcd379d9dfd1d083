// A race of real dials: the device is at one of the addresses, and at the others is what there may be.

import { afterAll, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { systemClock } from '../../../src/domain/index.ts'
import { type Candidate, parseCandidate } from '../../../src/client/direct/candidates.ts'
import { race } from '../../../src/client/direct/race.ts'
import { type DialledLink, Flusher } from '../../../src/link/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Recorder } from '../../compliance/link.ts'
import { deviceOf } from '../../support/client-certificates.ts'
import { Impostor } from '../../support/impostors.ts'
import { dialBob, makePeers, openSockets, refusalOf, shownBy, TestPeer, untilSockets } from '../../support/peers.ts'

const peers = await makePeers()
const limits = resolveLimits({})
const context = { limits, flusher: new Flusher(limits, systemClock) }
const open: Disposable[] = []
afterAll(() => open.forEach((each) => each[Symbol.dispose]()))

const silent = await Impostor.ofTcp(() => {})
const stranger = await Impostor.ofTls(shownBy(await deviceOf(peers.authority)))
open.push(silent, stranger)

/** A link that counts: the other side has said something. */
async function dial({ host, port }: Candidate, { signal }: { readonly signal: AbortSignal }): Promise<DialledLink> {
  const link = await dialBob(peers, port, context, { host, signal })
  const recorder = new Recorder()
  link.attach(recorder)
  signal.addEventListener('abort', () => recorder.text === '' && link.terminate())
  await recorder.until(() => recorder.text !== '' || recorder.ends.length > 0)
  if (recorder.text === '') throw new Error('it was refused')
  return link
}

test('a race finds the device among those who are not there, are silent, or are somebody else, and leaves nothing behind', async () => {
  using bob = await TestPeer.start(peers)
  bob.greeting = 'hello'
  const before = openSockets()
  const link = await race(candidates(await nobody(), stranger.port, silent.port, bob.port), dial, {
    clock: systemClock,
    staggerMs: 20,
    totalMs,
  })
  expect(link.remote.port).toBe(bob.port)
  await untilSockets(before + 2) // Both ends of the one that has won.
  expect([link.open, bob.accepted.map((accepted) => accepted.link.open)]).toEqual([true, [true]])
  link.terminate()
  await untilSockets(before)
})

test('of two ways to one device a race keeps one', async () => {
  using bob = await TestPeer.start(peers, { host: '::' })
  bob.greeting = 'hello'
  const before = openSockets()
  const both = [{ host: '127.0.0.1', port: bob.port }, parseCandidate({ host: '::1', port: bob.port })]
  const link = await race(both, dial, { clock: systemClock, staggerMs: 0, totalMs })
  await untilSockets(before + 2)
  expect([link.open, bob.accepted.filter((accepted) => accepted.link.open).length]).toEqual([true, 1])
  link.terminate()
  await untilSockets(before)
})

test('a race against silence is over in time, and a device that refuses is none', async () => {
  const before = openSockets()
  const { clock } = context.flusher
  expect(await refusalOf(race(candidates(silent.port, await nobody()), dial, { clock, staggerMs: 20, totalMs: 300 }))).toBe(
    '[unreachable] nobody answered within 0.3 s',
  )
  using bob = await TestPeer.start(peers)
  bob.verify = () => {
    throw new Error('revoked')
  }
  expect(await refusalOf(race(candidates(bob.port), dial, { clock, totalMs }))).toBe(
    '[unreachable] no address of the other device leads there',
  )
  expect(await refusalOf(race(candidates(bob.port, stranger.port), dial, { clock, staggerMs: 0, totalMs }))).toMatch(/^\[untrusted\]/)
  bob[Symbol.dispose]()
  await untilSockets(before)
})

function candidates(...ports: readonly number[]): readonly Candidate[] {
  return ports.map((port) => ({ host: '127.0.0.1', port }))
}

/** A port where nobody is. */
async function nobody(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 1
}

/** More than enough for what takes a few milliseconds. */
const totalMs = 25_000
