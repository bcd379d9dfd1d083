// A peer in Python that misbehaves in more than three hundred ways (misbehaviours.py), twice each, against real servers. After each
// the server is the same process, others are answered, somebody new gets in, and its descriptors are back; after all of them twice
// it has little more memory than after once, no session is left, and its log has nothing that cannot be explained.

import { expect, test } from 'bun:test'
import { until } from '../faults/until.ts'
import { isMissing, pythonWith, startPython } from '../support/python.ts'
import { openSessions, unexplained } from './explained-log.ts'
import { placesOf, startHostileServers } from './hostile-servers.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const rounds = 2

test.skipIf(isMissing('python3-cryptography', '/proc'))(
  'whoever breaks the rules gets the word for it, and nobody else notices',
  async () => {
    await using servers = await startHostileServers()
    await using peer = startPython(program, ['--rounds', `${rounds}`], placesOf(servers), pythonWith('cryptography'))
    const { code, output } = await peer.finished
    if (code !== 0 || verbose) console.error(verbose ? output : failuresOf(output))
    console.log(output.trimEnd().split('\n').at(-1))
    expect(code).toBe(0)
    for (const server of servers.values()) {
      await until('no session is left', 30_000, () => openSessions(server.stderr) === 0)
      expect(server.isRunning).toBe(true)
      expect(unexplained(server.stderr)).toEqual([])
    }
  },
  900_000,
)

/** Below test/e2e, where `startPython` looks. */
const program = '../hostile/hostile_peer.py'

function failuresOf(output: string): string {
  return output
    .split('\n')
    .filter((line) => !line.startsWith('ok '))
    .join('\n')
}
