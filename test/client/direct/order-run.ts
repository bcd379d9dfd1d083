// One run of the world of order-world.ts, and what has to be true behind it whatever chance did.

import { resolveLimits } from '../../../src/protocol/index.ts'
import { below, type Random, randomOf } from '../../faults/random.ts'
import { type Device, type Got, type Process, World } from './order-world.ts'

/** What a run came to. */
export interface Outcome {
  /** What was not as it has to be. */
  readonly problems: readonly string[]
  readonly direct: number
  readonly relayed: number
  readonly refusals: ReadonlyMap<string, number>
}

export async function run(seed: number, steps = 140): Promise<Outcome> {
  const random = randomOf(seed)
  const choose = <T>(...values: readonly [T, ...T[]]): T => values[below(random, values.length)] ?? values[0]
  const world = new World(
    random,
    resolveLimits({
      directSaysMax: choose(64, 64, 2),
      directHeldMax: choose(128, 128, 1),
      directHeardMax: choose(10_000, 10_000, 2),
      clientInboxEntriesMax: choose(10_000, 10_000, 4),
    }),
  )
  world.diskFull = choose(0, 0, 0, 0.3)
  const faults = choose(0, 0.02, 0.05, 0.1)
  const away = choose(0, 0.5, 0.9)
  const slow = choose(undefined, ...world.devices)
  await begin(world, random)
  for (let step = 0; step < steps; step++) {
    act(world, random, { faults, away, slow })
    await turns(4)
  }
  world.diskFull = 0
  const isOver = await finish(world)
  const problems = [...(isOver ? [] : ['it never came to rest']), ...world.devices.flatMap((device) => problemsOf(world, device))]
  const all = world.devices.flatMap(({ gotten }) => gotten)
  const direct = all.filter(({ way }) => way === 'direct').length
  return { problems, direct, relayed: all.length - direct, refusals: world.refusals }
}

/** Everybody is there, and some are linked. */
async function begin(world: World, random: Random): Promise<void> {
  for (const device of world.devices) {
    device.start()
    device.process?.connect()
    device.process?.read()
    if (random() < 0.8) device.process?.reader?.next()
  }
  const isEarly = random() < 0.7
  for (const { process } of world.devices) if (process !== undefined && isEarly) meet(world, process, random)
  for (let round = below(random, 8); round > 0; round--) {
    for (const { process } of world.devices) for (const channel of process?.channels ?? []) channel.step()
    await turns(6)
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

interface Chances {
  /** How often something breaks. */
  readonly faults: number
  /** How often what would come from the server, or go there, does not. */
  readonly away: number
  /** To whom the server brings something seldom. */
  readonly slow: Device | undefined
}

/** One thing happens: mostly something arrives. */
function act(world: World, random: Random, { faults, ...chances }: Chances): void {
  const device = world.devices[below(random, world.devices.length)]
  if (device === undefined) return
  const { process } = device
  if (process === undefined) return device.start()
  if (random() < faults) return fail(process, random)
  const deed = below(random, 30)
  if (deed < 2) device.say()
  else if (deed < 8) read(process, random)
  else if (deed < 11) meet(world, process, random)
  else if (deed === 11 && process.session === undefined) process.connect()
  else arrive(world, random, chances)
}

function arrive({ devices }: World, random: Random, { away, slow }: Omit<Chances, 'faults'>): void {
  const isAway = random() < away
  const all = devices.flatMap(({ process }) => (isAway ? process?.channels.slice(0, -2) : process?.channels) ?? [])
  const channels = all.filter(({ isEmpty }) => !isEmpty)
  const channel = channels[below(random, channels.length)]
  if (channel !== slow?.process?.session?.down || random() < 0.1) channel?.step()
}

function read(process: Process, random: Random): void {
  if (process.inbox === undefined) process.read()
  else if (random() < 0.2) process.reader?.done()
  else process.reader?.next()
}

function fail(process: Process, random: Random): void {
  const deed = below(random, 9)
  if (deed === 0) process.crash()
  else if (deed < 4) process.stop()
  else if (deed < 6) process.cut()
  else for (const link of process.links) if (random() < 0.5) link.end()
}

function meet(world: World, process: Process, random: Random): void {
  const others = world.devices.filter(({ person, process: other }) => person !== process.device.person && other !== undefined)
  const other = others[below(random, others.length)]?.process
  if (other === undefined || process.session === undefined || other.session === undefined) return
  if ([...process.links].some(({ peer }) => peer.device === other.device.name)) return
  if ([...other.links].some(({ peer }) => peer.device === process.device.name)) return
  world.link(process, other)
}

/** Nothing breaks any more, everybody reads on: until nothing happens. */
async function finish(world: World): Promise<boolean> {
  for (let round = 0; round < 400; round++) {
    let isQuiet = true
    for (const device of world.devices) {
      if (device.process === undefined) device.start()
      const { process } = device
      if (process === undefined) continue
      if (process.session === undefined) process.connect()
      if (process.inbox === undefined) process.read()
      process.reader?.next()
      for (const channel of process.channels) {
        if (!channel.isEmpty) isQuiet = false
        channel.step()
      }
    }
    await turns(6)
    if (isQuiet && round > 10) return true
  }
  return false
}

/** What is wrong with what a device was handed. */
function problemsOf(world: World, device: Device): string[] {
  const { log } = world.server
  const places = new Map(log.map(({ id, seq }) => [Buffer.from(id).toString('hex'), seq]))
  const others = [...places.keys()].filter((id) => world.spoken.get(id)?.device !== device.name)
  const firsts = new Map<string, number>()
  for (const [at, { id }] of device.gotten.entries()) if (!firsts.has(id)) firsts.set(id, at)
  const problem = (what: string, id: string): string => `${device.name} ${what} ${world.spoken.get(id)?.device} ${places.get(id)}`
  return [
    ...others.filter((id) => !firsts.has(id)).map((id) => problem('never got', id)),
    ...[...firsts.keys()].filter((id) => !places.has(id)).map((id) => problem('got what the server never had:', id)),
    ...device.gotten.filter(({ wasKept }) => wasKept).map(({ id }) => problem('got what it had kept:', id)),
    ...device.gotten.filter(({ wasDone }) => wasDone).map(({ id }) => problem('got what it had done with:', id)),
    ...twice(device.gotten).map((id) => problem('got twice', id)),
    ...disordered(world, device, firsts, places).map(([one, id]) => `${problem('got', id)} before ${one}`),
    // What a crash has left behind is removed when it is old.
    ...(device.heard.size === 0 || device.runs > 1 ? [] : [`${device.name} remembers ${device.heard.size}`]),
    ...laneProblems(world, device, places),
  ]
}

/** Of one reader nothing comes twice. */
function twice(gotten: readonly Got[]): string[] {
  const seen = new Set<string>()
  return gotten.flatMap(({ id, run: life, reader }) => {
    const key = `${life} ${reader} ${id}`
    if (seen.has(key)) return [id]
    seen.add(key)
    return []
  })
}

/** Pairs in another order than that of the server, where the later one was said knowing the earlier one. */
function disordered(
  world: World,
  device: Device,
  firsts: ReadonlyMap<string, number>,
  places: ReadonlyMap<string, number>,
): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  for (const [id, at] of firsts) {
    for (const known of world.spoken.get(id)?.knowing ?? []) {
      if (world.spoken.get(known)?.device === device.name || (places.get(known) ?? Infinity) > (places.get(id) ?? 0)) continue
      if ((firsts.get(known) ?? Infinity) > at) pairs.push([`${world.spoken.get(known)?.device} ${places.get(known)}`, id])
    }
  }
  return pairs
}

/** What a device has said to the same address is in that order on the server. */
function laneProblems(world: World, device: Device, places: ReadonlyMap<string, number>): string[] {
  return ['name', 'number'].flatMap((lane) => {
    const said = [...world.spoken.values()].filter((one) => one.device === device.name && one.lane === lane)
    const seqs = said.flatMap(({ id }) => places.get(id) ?? [])
    return seqs.every((seq, at) => at === 0 || seq > (seqs[at - 1] ?? 0)) ? [] : [`${device.name} is out of order on the server`]
  })
}
