// What a server tells of itself, asked and read by programs that share no code with it.

import { describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { isMissing, nodeBinary, runPython } from '../support/python.ts'
import { ServerProcess, type ServerProcessOptions } from '../support/server-process.ts'

const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const runtimes = [process.execPath, ...(isMissing('SEALWIRE_NODE') ? [] : [nodeBinary])]
const roomy = { loginMsMax: 5000, connectionsBurstPerAddressMax: 1000, connectionsPerSecondPerAddressMax: 1000 }

describe.skipIf(isMissing('python3', '/proc'))('metrics', () => {
  test.each(runtimes)(
    'move as they should, tell of nobody, and cost the server nothing: %s',
    async (runtime) => {
      await using server = await ServerProcess.start({ runtime, limits: roomy, flags: ['--metrics', '127.0.0.1:0'] })
      const place = ['--port', `${server.port}`, '--authority', server.authority, '--pid', `${server.pid}`]
      const { code, output } = await runPython('metrics.py', ['--metrics', `${metricsPort(server)}`, ...place])
      if (code !== 0 || verbose) console.error(output)
      expect(code).toBe(0)
      expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
      expect(await server.stop()).toEqual({ code: 0, signal: null })
    },
    120_000,
  )
})

describe('the address of the metrics', () => {
  test.each(['0.0.0.0:0', '192.0.2.1:9464', '[::]:0', 'localhost:0', 'chat.example:9464', '[::ffff:127.0.0.1]:0'])(
    'is none but this machine’s own: %s ends the start, and says what to do',
    async (address) => {
      await using server = spawn({ flags: ['--metrics', address] })
      expect(await server.exited).toEqual({ code: 2, signal: null })
      expect(server.stdout).toBe('')
      expect(server.stderr).toContain(`metrics are for loopback addresses only, and ${address} is none`)
      expect(server.stderr).toContain('use --metrics 127.0.0.1:')
    },
  )

  test('that is in use ends the start', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await using server = spawn({ flags: ['--metrics', `127.0.0.1:${port}`] })
    expect(await server.exited).toEqual({ code: 4, signal: null })
    expect(server.stderr).toContain(`cannot listen on 127.0.0.1:${port}: the port is in use`)
    other.close()
  })

  test('is nowhere unless it was asked for', async () => {
    await using server = await ServerProcess.start()
    expect(server.stdout).not.toContain('metrics')
  })
})

describe('/ready', () => {
  test('says that nothing more is stored when the disk is nearly full, and that payments are refused', async () => {
    await using first = await ServerProcess.start()
    await first.stop()
    const limits = { diskBytesFreeMin: 1_048_576 * 1024 ** 2 }
    await using server = await ServerProcess.start({ data: first.data, flags: ['--metrics', '[::1]:0'], limits })
    const answer = await fetch(`http://[::1]:${metricsPort(server)}/ready`)
    expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([
      503,
      'application/json',
      {
        ready: false,
        phase: 'serving',
        listening: true,
        store: 'full',
        payments: 'refused',
        why: ['the disk is nearly full: nothing more is stored', 'payments are refused'],
      },
    ])
    const page = await (await fetch(`http://[::1]:${metricsPort(server)}/metrics`)).text()
    expect(page).toContain('\nsealwire_ready 0\n')
    expect(page).toContain('\nsealwire_payments{state="refused"} 1\n')
    expect((await fetch(`http://[::1]:${metricsPort(server)}/live`)).status).toBe(200)
  })
})

/** From the line that says where they are. */
function metricsPort({ stdout }: ServerProcess): number {
  return Number(/^metrics +http:\/\/.*:(\d+)\/metrics$/m.exec(stdout)?.[1])
}

function spawn(options: ServerProcessOptions): ServerProcess {
  return ServerProcess.spawn(options)
}
