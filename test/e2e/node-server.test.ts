// The same server on Node: clients cannot tell.

import { describe, expect, test } from 'bun:test'
import { lastingPort } from '../support/lasting-port.ts'
import { isMissing, nodeBinary, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const skipped = isMissing('SEALWIRE_NODE', 'python3')

describe.skipIf(skipped)('a server on Node', () => {
  test.each(['classic_consent.py', 'classic_volume.py'])(
    'answers %s as the specification says',
    async (script) => {
      await using main = await start({ limits: { ...liftedRates, messageDelayMsMax: 1000 } })
      await using spacious = await start({ limits: { ...liftedRates, ...roomy } })
      const targets = [target(main), target(spacious).replace('main', 'roomy')]
      await python(script, ['--way', 'whole', ...targets])
      for (const { stderr } of [main, spacious]) expect(stderr.match(/^.*"level":"error".*$/m)).toBeNull()
    },
    60_000,
  )

  test('ends in order, and what it acknowledged is there when Bun opens the same data', async () => {
    await using first = await start({ limits: liftedRates })
    const output = await python('shutdown.py', ['--pid', `main=${first.pid}`, target(first), 'SIGTERM'])
    expect(await first.exited).toEqual({ code: 0, signal: null })
    await using again = await ServerProcess.start({ data: first.data, limits: liftedRates })
    await python('registrations.py', ['verify', target(again)], output)
  }, 60_000)

  test('listens again on the port that it had, and says it when the port is taken', async () => {
    await using server = await start({ port: await lastingPort() })
    await using second = ServerProcess.spawn({ runtime: nodeBinary, port: server.port })
    expect(await second.exited).toEqual({ code: 4, signal: null })
    expect(second.stderr).toContain(`127.0.0.1:${server.port}: the port is in use`)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    await using again = await start({ port: server.port })
    expect(again.port).toBe(server.port)
  }, 60_000)
})

const lots = 64 * 1024 * 1024
const roomy = { outputBytesHigh: lots, outputBytesMax: lots, outputStallMsMax: 60_000, messagesBurstPerAccountMax: 1_000_000 }

function start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  return ServerProcess.start({ ...options, runtime: nodeBinary })
}

function target({ port, authority }: ServerProcess): string {
  return `main=127.0.0.1:${port}:${authority}`
}

async function python(script: string, args: readonly string[], input = ''): Promise<string> {
  const { code, output } = await runPython(script, args, input)
  if (code !== 0 || verbose) console.error(output)
  expect([script, code]).toEqual([script, 0])
  return output
}
