// Two programs of the SDK on machines of their own, while the network between them and the server is slow, loses packets, lets them
// pass one way, resets connections, or is not there: what they say and pay is said and paid once, and they get on when it is mended.

import { describe, expect, test } from 'bun:test'
import { isMissing, NamespaceNetwork, whyNoNamespaces } from '../support/network-namespaces.ts'
import { liftedRates } from '../support/server-process.ts'
import { skipWithout } from '../support/store-contents.ts'
import { isProved, mend, networkFaults, spoil } from './bad-network.ts'
import { form } from './form.ts'
import { Pair } from './pair.ts'
import { unexplained } from './server-log.ts'

const hosts = ['left', 'right'] as const
const why = whyNoNamespaces()
// What the kernel does not allow, nobody can install.
const skip = skipWithout(`namespaces (${why})`, why === undefined, { skippable: why?.endsWith(isMissing) === false })
/** Where something passes, so much is said meanwhile; where nothing does, it takes so long. The SDK finds that out after 40 s. */
const { passing, cutMs, rounds } = form({ passing: 8, cutMs: 1_500, rounds: 1 }, { passing: 100, cutMs: 50_000, rounds: 3 })
const msMax = 240_000

describe.skipIf(skip)('networks', () => {
  test(
    'that are slow, lossy, cut or reset lose and double nothing that was said or paid',
    async () => {
      await using network = await NamespaceNetwork.start(hosts, { limits: liftedRates })
      const { server } = network
      const places = [network.host('left'), network.host('right')] as const
      await using pair = await Pair.start({ data: server.data, pin: server.fingerprint, places, paceMs: 50 })
      await pair.get(4, msMax)
      const told: Record<string, string> = {}
      for (let round = 0; round < rounds; round++) {
        for (const what of Object.keys(networkFaults)) told[what] = await endure(network, pair, what)
      }
      const { said, wrong } = await pair.finish(msMax)
      console.log('networks:', JSON.stringify({ said, ...told }))
      expect(wrong).toEqual([])
      expect(Math.min(...said)).toBeGreaterThan(rounds * passing)
      expect(unexplained(server, new Set(['handshakes failed']))).toEqual([])
    },
    20 * msMax * rounds,
  )
})

/** How many were said meanwhile, and how long it took. */
async function endure(network: NamespaceNetwork, pair: Pair, what: string): Promise<string> {
  const fault = networkFaults[what] ?? {}
  await spoil(network, hosts, fault)
  const [before, begun] = [pair.said, performance.now()]
  if (fault.proof === undefined) await Bun.sleep(cutMs)
  else await pair.get(passing, msMax)
  // What is said in a few packets may have had no share in it yet.
  for (let more = 0; more < moreMax && !(await isProved(network, hosts, fault)); more++) await pair.get(passing, msMax)
  const meanwhile = pair.said - before
  expect([what, await isProved(network, hosts, fault)]).toEqual([what, true])
  // What was on its way is answered yet.
  if (fault.proof === undefined) expect([what, meanwhile <= onTheWayMax]).toEqual([what, true])
  await mend(network, hosts)
  const mended = performance.now()
  await pair.get(4, msMax)
  return `${meanwhile} in ${(mended - begun).toFixed(0)} ms, again after ${(performance.now() - mended).toFixed(0)} ms`
}

/** What a cut must prevent are dozens; a report of what was said may be late on a machine that does much else. */
const onTheWayMax = 8
const moreMax = 20
