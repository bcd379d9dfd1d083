// Peers that do not read, against the real server.

import { expect, test } from 'bun:test'
import { isMissing, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'

test.skipIf(isMissing('python3', '/proc'))(
  'a peer that stops reading costs at most 4 MiB and is dropped, and nobody else waits for it',
  async () => {
    const limits = {
      ...liftedRates,
      outputStallMsMax: 1000,
      messagesPerSecondPerAccountMax: 1_000_000,
      messagesBurstPerAccountMax: 1_000_000,
    }
    await using server = await ServerProcess.start({ limits })
    const { code, output } = await runPython('slow_consumer.py', [
      '--pid',
      `main=${server.pid}`,
      `main=127.0.0.1:${server.port}:${server.authority}`,
    ])
    if (code !== 0 || verbose) console.error(output)
    expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
    expect(code).toBe(0)
  },
  60_000,
)
