// Floods of connections that never finish their handshake.

import { describe, expect, test } from 'bun:test'
import { isMissing, nodeBinary, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'

// Each waits five seconds for the server's deadline, on a server of its own.
describe.concurrent('2,000 half-open handshakes are gone after 6 s, and a good client logs in within 1 s', () => {
  flood('from one address, with the default limits', {}, ['--one-address'])
  // They take every place of the strangers; the oldest of them makes room for the good client.
  flood('from 2,000 addresses, with the default limits', {}, [])
  flood('from 2,000 addresses, all at once', { limits: liftedRates }, ['--all-at-once'])
  flood('from one address, all at once', { limits: liftedRates }, ['--all-at-once', '--one-address'])
})

describe.skipIf(isMissing('SEALWIRE_NODE'))('the same on Node', () => {
  flood('from 2,000 addresses, all at once', { limits: liftedRates, runtime: nodeBinary }, ['--all-at-once'])
})

function flood(how: string, options: ServerProcessOptions, flags: readonly string[]): void {
  test.skipIf(isMissing('python3', '/proc', '127.0.0.2'))(
    how,
    async () => {
      await using server = await ServerProcess.start(options)
      const target = `main=127.0.0.1:${server.port}:${server.authority}`
      const { code, output } = await runPython('flood.py', [...flags, '--pid', `main=${server.pid}`, target])
      if (code !== 0 || verbose) console.error(output)
      expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
      expect(code).toBe(0)
    },
    120_000,
  )
}
