// How a server ends when it is asked to.

import { expect, test } from 'bun:test'
import { isMissing, runPython } from '../support/python.ts'
import { liftedRates, ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'

const skipped = isMissing('python3')
const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const long = process.env['SEALWIRE_LONG'] === '1'
const seconds = 1000

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test.concurrent.skipIf(skipped)(
    `${signal}: every session is told STOP, what was under way is whole, and the exit code is 0`,
    async () => {
      using folder = new StoreFolder()
      const { output, tookMs } = await stopInTheMiddle({ data: folder.path }, [signal])
      expect(tookMs).toBeLessThan(10 * seconds)
      await using again = await ServerProcess.start({ data: folder.path, limits: liftedRates })
      await python('registrations.py', ['verify', target(again)], output)
    },
    90 * seconds,
  )
}

test.concurrent.skipIf(skipped || isMissing('/proc'))(
  'peers that ignore the end are waited for as long as drainMsMax, and the exit code is 0 all the same',
  async () => {
    // Long enough for the registrations that are under way, also where others use the processors.
    const drainMsMax = long ? 10 * seconds : 4 * seconds
    const { tookMs } = await stopInTheMiddle({ limits: { drainMsMax } }, ['--ignore', 'SIGTERM'])
    expect(tookMs).toBeGreaterThan(drainMsMax * 0.9)
    expect(tookMs).toBeLessThan(drainMsMax + 5.5 * seconds) // The default would be 10 s.
  },
  90 * seconds,
)

async function stopInTheMiddle(options: ServerProcessOptions, args: readonly string[]): Promise<{ output: string; tookMs: number }> {
  await using server = await ServerProcess.start({ ...options, limits: { ...liftedRates, ...options.limits } })
  const flags = args.slice(0, -1)
  const output = await python('shutdown.py', ['--pid', `main=${server.pid}`, ...flags, target(server), ...args.slice(-1)])
  expect(await server.exited).toEqual({ code: 0, signal: null })
  const tookMs = Date.now() - Number(/^signalled (\S+)$/m.exec(output)?.[1]) * 1000
  expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  if (verbose) console.log(`ended after ${tookMs} ms`)
  return { output, tookMs }
}

async function python(script: string, args: readonly string[], input = ''): Promise<string> {
  const { code, output } = await runPython(script, args, input)
  if (code !== 0 || verbose) console.error(output)
  expect(code).toBe(0)
  return output
}

function target({ port, authority }: ServerProcess): string {
  return `main=127.0.0.1:${port}:${authority}`
}
