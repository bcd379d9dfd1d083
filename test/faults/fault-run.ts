// Programs that talk while the server, the programs and their connections are killed. When faults come is a matter of progress
// and not of time: the schedule says after how many acknowledgements of all clients together each of them happens, so that it is
// the same on a fast machine and on a slow one.

import { check, type Verdict } from './checker.ts'
import type { Cut } from './cutting-proxy.ts'
import { below, type Random } from './random.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

export type Fault =
  | { readonly after: number; readonly kind: 'server' }
  | { readonly after: number; readonly kind: 'client'; readonly who: number }
  | { readonly after: number; readonly kind: 'cut'; readonly who: number; readonly cut: Cut }

/** What happened. */
export interface Faults {
  serverKills: number
  clientKills: number
  cuts: number
}

export interface Ran extends Verdict {
  readonly faults: Faults
  /** Programs whose SDK gave up and that were started again. */
  readonly restarts: number
  readonly seconds: number
}

/** One in five kills the server, three in ten a client, the others cut a connection. */
export function schedule(random: Random, { count, messages, clients }: { count: number; messages: number; clients: number }): Fault[] {
  const moments = Array.from({ length: count }, () => 1 + below(random, messages * lastMoment)).toSorted((one, other) => one - other)
  const kinds = moments.map((_, index) => kindsInTen[index % kindsInTen.length] ?? 'cut')
  return moments.map((after) => {
    const [kind = 'cut'] = kinds.splice(below(random, kinds.length), 1)
    const who = below(random, clients)
    if (kind === 'server') return { after, kind }
    if (kind === 'client') return { after, kind, who }
    return { after, kind, who, cut: { up: random() < 0.5, bytes: below(random, cutBytesMax), reset: random() < 0.5 } }
  })
}

/** Starts the clients, lets everything of the schedule happen, waits until everything has arrived, and has it checked. */
export async function run(world: World, faults: readonly Fault[], { msMax }: { readonly msMax: number }): Promise<Ran> {
  const begun = performance.now()
  const left = (): number => Math.max(1_000, msMax - (performance.now() - begun))
  const { clients, proxies } = world
  for (const each of clients) each.start()
  const killed = await happen(world, faults, left)
  await until('everything is acknowledged', left(), () => alive(world) && clients.every(({ hasSent }) => hasSent))
  await sayMarks(world, left)
  for (const each of clients) each.say('finish')
  await until('everybody has finished', left(), () => alive(world) && clients.every(({ hasFinished }) => hasFinished))
  const cuts = proxies.reduce((sum, each) => sum + each.cuts, 0)
  const restarts = clients.reduce((sum, each) => sum + each.restarts, 0)
  return { ...(await check(world.path)), faults: { ...killed, cuts }, restarts, seconds: Math.round((performance.now() - begun) / 1000) }
}

async function happen(world: World, faults: readonly Fault[], left: () => number): Promise<Omit<Faults, 'cuts'>> {
  const { clients, proxies } = world
  const killed = { serverKills: 0, clientKills: 0 }
  const under = new Map<'server' | number, Promise<void>>()
  // What is being started again is killed again only when it is there.
  const next = async (what: 'server' | number, act: () => Promise<void>): Promise<void> => {
    await under.get(what)
    under.set(what, act())
  }
  try {
    for (const fault of faults) {
      const acked = (): number => clients.reduce((sum, each) => sum + each.acked, 0)
      await until(`${fault.after} acknowledgements (${acked()} now)`, left(), () => alive(world) && acked() >= fault.after)
      if (fault.kind === 'cut') proxies[fault.who]?.cut(fault.cut)
      else if (fault.kind === 'server') await next('server', () => world.restartServer())
      else await next(fault.who, async () => clients[fault.who]?.restart())
      if (fault.kind === 'server') killed.serverKills++
      if (fault.kind === 'client') killed.clientKills++
    }
  } finally {
    // What is being started would outlive whoever gives up.
    await Promise.allSettled(under.values())
  }
  await Promise.all(under.values())
  return killed
}

/** Two of different clients say that nothing more comes, in a room where everybody is: who has both has everything. */
async function sayMarks({ clients, conversations }: World, left: () => number): Promise<void> {
  const room = conversations.find(({ kind }) => kind === 'room')
  if (room === undefined) return
  const speakers = [...clients.keys()].filter((index) => index < marks)
  for (const index of speakers) clients[index]?.say(`mark ${index} ${room.conversation}`)
  await until('everybody has everything', left(), () => clients.every((each) => each.marks >= speakers.length))
}

/** @throws when a program has ended by itself, or was refused something: it would never get any further. */
function alive({ clients, server }: World): boolean {
  if (clients.some(({ refused }) => refused > 0)) throw new Error(`a message was refused: ${server.stderr.slice(-errorCharacters)}`)
  for (const [index, { hasFailed, errors }] of clients.entries()) if (hasFailed) throw new Error(`client ${index} has failed: ${errors}`)
  return true
}

const kindsInTen = ['server', 'cut', 'client', 'cut', 'client', 'cut', 'server', 'cut', 'client', 'cut'] as const
/** The part of all messages after which no fault comes. */
const lastMoment = 0.95
const cutBytesMax = 2_000
const marks = 2
/** What is shown of a log. */
const errorCharacters = 2_000
