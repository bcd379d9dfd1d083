import { describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isMissing, nodeBinary } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

describe('connectWeb', () => {
  test('makes a device where certificates are optional', async () => {
    await using server = await startServer('optional')
    expect(await run(process.execPath, server)).toEqual({ refusal: 'taken', name: 'Alice', isItself: true, right: 500, people: 0 })
  }, 120_000)

  test('makes one where they are required: it joins, and is whole by its proof', async () => {
    await using server = await startServer('required')
    expect(await run(process.execPath, server)).toEqual({ refusal: 'joining_only', name: 'Alice', isItself: true, right: 500, people: 0 })
  }, 120_000)

  test.skipIf(isMissing('SEALWIRE_NODE'))(
    'does the same on Node, against a server on Node',
    async () => {
      await using server = await startServer('required', nodeBinary)
      expect(await run(nodeBinary, server)).toEqual({ refusal: 'joining_only', name: 'Alice', isItself: true, right: 500, people: 0 })
    },
    120_000,
  )
})

function startServer(mode: string, runtime = process.execPath): Promise<ServerProcess> {
  return ServerProcess.start({ limits: liftedRates, flags: ['--mutual-tls', mode, '--web', '127.0.0.1:0'], runtime })
}

/** What the program says against the web address of a server. */
async function run(runtime: string, server: ServerProcess): Promise<unknown> {
  const url = /^web {9}(wss:\S+)$/m.exec(server.stdout)?.[1] ?? ''
  const program = fileURLToPath(new URL('web-program.ts', import.meta.url))
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.authority }
  const child = spawn(runtime, [program, url, 'Alice'], { stdio: ['ignore', 'pipe', 'pipe'], env })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  process.off('exit', kill)
  expect([code, errors.replace(/^.*(Warning|node --trace).*\n/gm, '')]).toEqual([0, ''])
  return JSON.parse(output)
}
