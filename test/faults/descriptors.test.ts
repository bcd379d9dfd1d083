// A server that may open 256 files, and strangers on all its ports who want far more: it never comes near its last descriptor, those
// who are there are answered, every port still lets somebody in, the operator is heard, and when the strangers go there is room again.

import { describe, expect, test } from 'bun:test'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askServer } from '../../src/cli/operator/connection.ts'
import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'
import { Crowd, isWithoutCrowds } from './crowd.ts'
import { form } from './form.ts'
import { unexplained } from './server-log.ts'
import { until } from './until.ts'
import { allDoors, doorsOf, letIn, type Visitor } from './visitors.ts'

const [descriptorsMax, reserved, echoes] = [256, 64, 40]
const places = descriptorsMax - reserved
const fullMs = form(2_000, 60_000)
const msMax = 120_000

describe.skipIf(isWithoutCrowds())('a server without descriptors', () => {
  test(
    'answers on every port, drops nobody whom it knows, and recovers',
    async () => {
      using folder = new StoreFolder()
      // Nobody is let in by anything but descriptors; a login has a second, so that places come free while we watch.
      const limits = { descriptorsReserved: reserved, connectionsUnauthenticatedMax: 10_000, echoConnectionsMax: echoes, loginMsMax: 1_000 }
      await using server = await ServerProcess.start({ runtime: confined(folder.path), flags: allDoors, limits })
      const doors = doorsOf(server)
      const enter = (): Promise<Visitor[]> => Promise.all(Object.values(doors).map((door) => door.enter()))
      const known = await enter()
      const base = server.descriptors
      const { strangers, highest, tries } = await crowded(server, doors, known, base)
      await until('the descriptors are back', msMax, () => server.descriptors <= base + spare)
      const later = await enter()
      for (const visitor of [...known, ...later]) await visitor.ask()
      for (const visitor of [...known, ...later]) visitor.close()
      console.log('descriptors:', JSON.stringify({ base, highest, tries, strangers }))
      expect(highest).toBeLessThan(descriptorsMax - reserved / 2)
      expect(Object.values(strangers).every(({ inside, sent_away: away }) => inside > 0 && away > 0)).toBe(true)
      expect(unexplained(server, expected)).toEqual([])
    },
    2 * msMax,
  )
})

/** What is logged of strangers, and rightly. */
const expected: ReadonlySet<string> = new Set(['handshakes failed', 'connections refused', 'connections bounded by descriptors'])

interface Strangers {
  readonly inside: number
  readonly sent_away: number
}

/** While strangers want every place: what they saw, the most descriptors there were, and how often one has to knock at each door. */
async function crowded(server: ServerProcess, doors: ReturnType<typeof doorsOf>, known: readonly Visitor[], base: number) {
  const ports = Object.entries(doors).map(([name, { port }]) => `${name}=${port}:${name === 'sealed' ? '' : server.authority}`)
  await using crowd = new Crowd('few_places.py', ports)
  await until('every place is taken', msMax, () => server.descriptors >= base + places - known.length - echoes)
  let highest = 0
  const tries: Record<string, number> = {}
  const begun = performance.now()
  const look = async (): Promise<void> => {
    highest = Math.max(highest, server.descriptors)
    for (const visitor of known) await visitor.ask()
    await askServer(server.data, 'server.status', {}, { clock: systemClock, limits: resolveLimits() })
  }
  // Who is at the echo stays as long as they like: there the strangers have every place.
  const { echo: _, ...others } = doors
  for (const [name, door] of Object.entries(others)) {
    const { visitor, tries: knocks } = await letIn(door, msMax)
    tries[name] = knocks
    await look()
    visitor.close()
  }
  while (performance.now() - begun < fullMs) await look()
  crowd.goOn()
  const strangers = JSON.parse(await crowd.line(msMax)) as Record<string, Strangers>
  return { strangers, highest, tries }
}

/** A program that runs the server as the same process, with so few descriptors. */
function confined(folder: string): string {
  const path = join(folder, 'runtime')
  writeFileSync(path, `#!/bin/sh\nulimit -n ${descriptorsMax}\nexec '${process.execPath}' "$@"\n`)
  chmodSync(path, 0o700)
  return path
}

const spare = 5
