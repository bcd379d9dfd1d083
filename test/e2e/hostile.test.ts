// Peers that break the rules, and peers that do not read, against the real server.

import { expect, test } from 'bun:test'
import { isMissing, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const skipped = isMissing('python3', '/proc')
const long = process.env['SEALWIRE_LONG'] === '1'

test.concurrent.skipIf(skipped)(
  'whoever breaks the rules gets the word for it, and nobody else notices',
  async () => {
    await using main = await ServerProcess.start({ limits: liftedRates })
    await using plain = await ServerProcess.start({ limits: { ...liftedRates, outputStallMsMax: 1000 }, flags: ['--no-classic'] })
    await using impatient = await ServerProcess.start({
      limits: { ...liftedRates, frameMsMax: 1000, loginMsMax: 4000 },
    })
    const servers = { main, impatient, plain }
    const targets = Object.entries(servers).map(([name, { port, authority }]) => `${name}=127.0.0.1:${port}:${authority}`)
    const pids = Object.entries(servers).flatMap(([name, { pid }]) => ['--pid', `${name}=${pid}`])
    const { code, output } = await runPython('hostile.py', [...(long ? ['--long'] : []), ...pids, ...targets])
    if (code !== 0 || verbose) console.error(output)
    for (const server of Object.values(servers)) expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
    expect(code).toBe(0)
  },
  120_000,
)

test.concurrent.skipIf(skipped)(
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
