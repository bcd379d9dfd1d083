// More connections than the server wants: from one address, from many, with handshakes, idle, and more than it has
// descriptors for. Each program of this folder makes its load in a process of its own and says what it measured.
// SEALWIRE_LONG=1 plays them at full size.

import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMissing, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

const long = process.env['SEALWIRE_LONG'] === '1'
const verbose = long || process.env['SEALWIRE_VERBOSE'] === '1'
const skipped = isMissing('python3', '/proc', '127.0.0.2')
const timeoutMs = long ? 600_000 : 60_000

describe('more connections than the server wants', () => {
  const { handshakesPerSecondMax: _, ...liftedAddresses } = liftedRates
  const patient = { ...liftedRates, loginMsMax: 600_000, passwordHashQueueMax: 1_000_000, sessionsPerAccountMax: 1_000_000 }

  play('an address that keeps connecting holds 20 places, and everybody else logs in within a second', {}, 'greedy_address.py', {
    usual: ['--rate', '400', '--tries', '25'],
    long: ['--rate', '2000', '--tries', '200'],
  })

  const places = long ? 500 : 60
  play(
    'strangers from many addresses take every place without a login, and those who are logged in notice nothing',
    { connectionsUnauthenticatedMax: places, handshakeMsMax: 60_000 },
    'full_house.py',
    { usual: ['--places', `${places}`], long: ['--places', `${places}`] },
  )

  play(
    'handshakes beyond the budget are dropped before TLS, and messages arrive meanwhile',
    { ...liftedAddresses, handshakesPerSecondMax: 50 },
    'handshake_flood.py',
    { usual: ['--budget', '50', '--rate', '500', '--seconds', '2'], long: ['--budget', '50', '--rate', '500', '--seconds', '10'] },
  )

  if (long) {
    play('a thousand handshakes a second are left to strangers who never finish one', liftedAddresses, 'handshake_flood.py', {
      usual: [],
      long: ['--budget', '1000', '--rate', '5000', '--seconds', '10', '--way', 'snub'],
    })
  }

  play('an idle connection costs at most 20 KiB, and who comes later uses what others left', patient, 'idle_memory.py', {
    usual: ['--count', '500', '--noise-mib', '8'],
    long: ['--count', '10000', '--noise-mib', '4'],
  })

  play('so does one that is logged in', patient, 'idle_memory.py', {
    usual: ['--logged-in', '1', '--count', '40', '--noise-mib', '4'],
    long: ['--logged-in', '1', '--count', '1000', '--noise-mib', '16'],
  })

  test.skipIf(skipped)(
    'a server with 256 descriptors keeps its reserve, rests while it is full, writes meanwhile, and serves again',
    async () => {
      const data = mkdtempSync(join(tmpdir(), 'sealwire-e2e-'))
      try {
        const limits = { ...patient, descriptorsReserved: 64, passwordHashMemoryKiB: 19_456, passwordHashPasses: 2 }
        const flags = Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`])
        const serve = [process.execPath, program, 'serve', '--classic', '--registration', 'open', '--data', data, '--listen', '127.0.0.1:0']
        await succeed('few_descriptors.py', ['--descriptors', '256', '--reserve', '64', data, ...serve, ...flags])
      } finally {
        rmSync(data, { recursive: true, force: true })
      }
    },
    timeoutMs,
  )
})

/** Runs a program against a server with these limits. */
function play(
  what: string,
  limits: ServerProcessOptions['limits'] & {},
  script: string,
  sizes: Readonly<Record<'usual' | 'long', readonly string[]>>,
): void {
  test.skipIf(skipped)(
    what,
    async () => {
      await using server = await ServerProcess.start({ limits })
      const flags = sizes[long ? 'long' : 'usual']
      await succeed(script, [...flags, '--pid', `${server.pid}`, `127.0.0.1:${server.port}:${server.authority}`])
      expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
      expect(server.isRunning).toBe(true)
    },
    timeoutMs,
  )
}

async function succeed(script: string, args: readonly string[]): Promise<void> {
  const { code, output } = await runPython(script, args)
  if (code !== 0 || verbose) console.error(output)
  expect(code).toBe(0)
}

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
