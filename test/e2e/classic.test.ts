// Every row of the classic table, played by a client in another language against the real server.

import { afterAll, expect, test } from 'bun:test'
import { isMissing, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const skipped = isMissing('python3')
const servers = skipped ? {} : await startServers()
afterAll(() => Promise.all(Object.values(servers).map((server) => server[Symbol.asyncDispose]())))

test.skipIf(skipped)(
  'every row of the classic table holds, whole, byte by byte and gathered',
  () => Promise.all(['whole', 'bytes', 'gathered'].map((way) => play('classic_table.py', '--way', way))),
  120_000,
)

test.skipIf(skipped)('nobody is in a chat without having agreed, and hanging up blocks nobody', () => play('classic_consent.py'), 60_000)

test.skipIf(skipped)('thousands of frames in one write do what the specification says', () => play('classic_volume.py'), 60_000)

async function play(script: string, ...flags: readonly string[]): Promise<void> {
  const targets = Object.entries(servers).map(([name, { port, authority }]) => `${name}=127.0.0.1:${port}:${authority}`)
  const { code, output } = await runPython(script, [...flags, ...targets])
  if (code !== 0 || verbose) console.error(output)
  for (const server of Object.values(servers)) expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  expect(code).toBe(0)
}

/** Servers by the name that the scripts know them by. */
async function startServers(): Promise<Readonly<Record<string, ServerProcess>>> {
  const slowHashes = {
    passwordHashMemoryKiB: 65_536,
    passwordHashPasses: 3,
    passwordHashConcurrencyMax: 1,
    passwordHashQueueMax: 1,
    loginMsMax: 60_000,
  }
  const lowRates = { messagesPerSecondPerAccountMax: 5, messagesBurstPerAccountMax: 10, messageDelayMsMax: 1000, chatRequestMsMax: 1000 }
  const lots = 64 * 1024 * 1024
  const roomy = { outputBytesHigh: lots, outputBytesMax: lots, outputStallMsMax: 60_000, messagesBurstPerAccountMax: 1_000_000 }
  const [main, invite, closed, hashes, tight, spacious] = await Promise.all([
    ServerProcess.start({ limits: { ...liftedRates, messageDelayMsMax: 1000 } }),
    ServerProcess.start({ limits: liftedRates, registration: 'invite' }),
    ServerProcess.start({ limits: liftedRates, registration: 'closed' }),
    ServerProcess.start({ limits: { ...liftedRates, ...slowHashes } }),
    ServerProcess.start({ limits: { ...liftedRates, ...lowRates } }),
    ServerProcess.start({ limits: { ...liftedRates, ...roomy } }),
  ])
  return { main, invite, closed, hashes, tight, roomy: spacious }
}
