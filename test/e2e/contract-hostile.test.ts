// A peer of the contract in another language, and peers that break its rules, against the real server.

import { expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { isMissing, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 2 ** 31)
const vectors = fileURLToPath(new URL('../../vectors/contract', import.meta.url))

test.skipIf(isMissing('python3', '/proc'))(
  'the contract is what its page says, and nobody else notices whoever breaks it',
  async () => {
    await using main = await ServerProcess.start({ limits: liftedRates })
    await using plain = await ServerProcess.start({ limits: liftedRates, flags: ['--no-classic'] })
    const servers = { main, plain }
    const targets = Object.entries(servers).map(([name, { port, authority }]) => `${name}=127.0.0.1:${port}:${authority}`)
    const flags = ['--pid', `main=${main.pid}`, '--vectors', vectors, '--seed', `${seed}`]
    const { code, output } = await runPython('contract_hostile.py', [...flags, ...targets])
    if (code !== 0 || verbose) console.error(output)
    for (const server of Object.values(servers)) expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
    expect(code).toBe(0)
  },
  120_000,
)
