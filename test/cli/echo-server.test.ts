import { afterAll, describe, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EchoServerArguments, resolveEchoServerConfig } from '../../src/cli/echo-server.ts'
import { systemClock } from '../../src/domain/index.ts'
import { dialTls, Flusher } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { Recorder } from '../compliance/link.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { refusal } from '../support/refusal.ts'

const { identity, roots } = await testIdentity()
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-echo-'))
const [certificate, key] = [join(scratch, 'server.crt'), join(scratch, 'server.key')]
writeFileSync(certificate, identity.certificateChain)
writeFileSync(key, identity.key, { mode: 0o600 })
afterAll(() => rmSync(scratch, { recursive: true }))
const empty = join(scratch, 'nothing-here')

describe('resolveEchoServerConfig', () => {
  test('has the defaults of the first seed, but listens to this machine alone', () => {
    const config = resolveEchoServerConfig({}, scratch)
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 12_345 })
    expect(config.identity).toEqual({ kind: 'files', certificate, key, named: false })
  })

  test('takes the data folder sealwire-data when the folder has no certificate with its key', () => {
    expect(resolveEchoServerConfig({}, empty).identity).toEqual({ kind: 'data', folder: join(empty, 'sealwire-data') })
  })

  test('takes what it is told instead', () => {
    expect(resolveEchoServerConfig({ port: '0', certificate: 'a', key: 'b' }, scratch)).toMatchObject({
      listen: { host: '127.0.0.1', port: 0 },
      identity: { kind: 'files', certificate: 'a', key: 'b', named: true },
    })
    expect(resolveEchoServerConfig({ data: '/srv/data' }, scratch).identity).toEqual({ kind: 'data', folder: '/srv/data' })
    expect(resolveEchoServerConfig({ listen: '[::1]:7' }).listen).toEqual({ host: '::1', port: 7 })
    expect(resolveEchoServerConfig({ listen: '0.0.0.0:7', port: '7' }).listen).toEqual({ host: '0.0.0.0', port: 7 })
  })

  test('lifts the rates of connections unless it is told not to', () => {
    const { limits } = resolveEchoServerConfig({ limit: ['handshakesPerSecondMax=5', 'echoIdleMsMax=1000'] })
    expect(limits).toMatchObject({ connectionsPerSecondPerAddressMax: 1e9, handshakesPerSecondMax: 5, echoIdleMsMax: 1000 })
    expect(limits.echoConnectionsMax).toBe(resolveLimits().echoConnectionsMax)
  })

  test.each<[EchoServerArguments, string]>([
    [{ port: '70000' }, 'PORT "70000" is not a port from 0 to 65535'],
    [{ certificate: 'a' }, 'CERT needs its KEY'],
    [{ certificate: 'a', key: 'b', data: 'c' }, 'CERT KEY and --data both name a certificate'],
    [{ port: '1', listen: '127.0.0.1:2' }, 'PORT 1 and --listen 127.0.0.1:2 contradict each other'],
    [{ listen: '12345' }, '--listen "12345" has no port'],
    [{ limit: ['echoLinesPerSecondMax=0'] }, '--limit "echoLinesPerSecondMax=0" is not a whole number from 1 to 10000 lines/s'],
  ])('refuses %j', (said, sentence) => {
    expect(refusal(() => resolveEchoServerConfig(said))).toEqual(['usage', sentence])
  })
})

describe('sealwire echo-server', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('serves, and ends in order at %s', async (signal) => {
    await using server = new CliProcess(['echo-server', '0', certificate, key])
    const port = await portOf(server)
    const { link, recorder } = await dial(port)
    link.send(Buffer.from('Hello from SSL client!\n'))
    await recorder.until(() => recorder.text === 'Hello from SSL client!\n')
    server.child.kill(signal)
    expect(await server.ended()).toBe(0)
    expect(server.stdout.replace(/(?<=connection from 127\.0\.0\.1:)\d+/, '54321')).toBe(
      [
        `SSL Server is running on 127.0.0.1:${port}`,
        'Accepted SSL connection from 127.0.0.1:54321',
        'Received: Hello from SSL client!',
        '',
        'Signal received, shutting down server...',
        'Client disconnected.',
        '',
      ].join('\n'),
    )
    expect(server.stderr).toBe('')
    expect(recorder.ends).toEqual(['ended'])
  })

  test('makes a certificate on first start, which the client that it tells of trusts', async () => {
    await using server = new CliProcess(['echo-server', '0', '--data', join(scratch, 'data')])
    await portOf(server)
    // It is written before the port, but into another pipe, which may be read later.
    await server.printed(hint, 'stderr')
    const [, command = ''] = hint.exec(server.stderr) ?? []
    expect(await runCli(command.split(' '))).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test.each([
    ['a busy port', async (port: number) => [String(port), certificate, key], 4, /cannot listen on/],
    ['a key that is none', async () => ['0', certificate, certificate], 3, /cannot be read as a private key/],
    ['a certificate that is not there', async () => ['0', join(scratch, 'none.crt'), key], 5, /does not exist/],
    ['a certificate without a key', async () => ['0', certificate], 2, /CERT needs its KEY/],
    ['a wrong flag', async () => ['--prot', '0'], 2, /unknown option '--prot'/],
  ] as const)('ends with one line and an exit code for %s', async (_what, args, exitCode, line) => {
    await using other = new CliProcess(['echo-server', '0', certificate, key])
    const ended = await runCli(['echo-server', ...(await args(await portOf(other)))])
    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(ended.stderr).toMatch(/^sealwire: [^\n]+\.\n$/)
    expect(ended.stderr).toMatch(line)
  })

  test('goes on echoing, and ends in order, when nobody takes what it prints', async () => {
    const args = ['echo-server', '0', certificate, key, '--limit', 'echoLinesPerSecondMax=10000', '--limit', 'echoOutputBytesMax=65536']
    // Its first line is read, and nothing after that.
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    try {
      const [first] = (await once(child.stdout, 'data')) as [Buffer]
      child.stdout.pause()
      const { link, recorder } = await dial(Number(/:(\d+)\n/.exec(first.toString())?.[1]))
      const line = Buffer.alloc(1000, 'x')
      for (let echoes = 1; echoes <= 1500; echoes++) {
        link.send(line)
        await recorder.until(() => recorder.bytesTotal === echoes * line.length)
      }
      child.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    } finally {
      child.kill('SIGKILL')
    }
  }, 60_000)

  test('goes on echoing when whoever took what it prints is gone', async () => {
    await using server = new CliProcess(['echo-server', '0', certificate, key])
    const port = await portOf(server)
    server.child.stdout.destroy()
    for (let client = 1; client <= 2; client++) {
      const { link, recorder } = await dial(port)
      link.send(Buffer.from('x'))
      await recorder.until(() => recorder.text === 'x')
    }
    server.child.kill('SIGTERM')
    expect(await server.ended()).toBe(0)
  })
})

const hint = /^ {2}sealwire (.*)\n/m

async function portOf(server: CliProcess): Promise<number> {
  await server.printed(/SSL Server is running on .*:\d+\n/)
  return Number(/:(\d+)\n/.exec(server.stdout)?.[1])
}

async function dial(port: number) {
  const limits = resolveLimits()
  const context = { limits, flusher: new Flusher(limits, systemClock) }
  const link = await dialTls({ host: '127.0.0.1', port, roots, timeoutMs: 5000 }, context)
  const recorder = new Recorder()
  link.attach(recorder)
  return { link, recorder }
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
