import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EchoArguments, resolveEchoConfig } from '../../src/cli/echo.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { RunningEcho } from './echo/support.ts'
import { refusal } from '../support/refusal.ts'

const identity = await testIdentity()
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-echo-'))
const [authority, certificate, key] = ['ca.crt', 'server.crt', 'server.key'].map((name) => join(scratch, name)) as [string, string, string]
let server: RunningEcho
beforeAll(async () => {
  writeFileSync(authority, identity.roots)
  writeFileSync(certificate, identity.identity.certificateChain)
  writeFileSync(key, identity.identity.key, { mode: 0o600 })
  server = await RunningEcho.start({ kind: 'files', certificate, key, named: true })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(scratch, { recursive: true })
})

describe('resolveEchoConfig', () => {
  test('greets, checks the certificate and waits 10 s, unless it is told otherwise', () => {
    expect(resolveEchoConfig({ host: 'localhost', port: '12345' })).toEqual({
      server: { host: 'localhost', port: 12_345 },
      authority: undefined,
      interactive: false,
      timeoutMs: 10_000,
      dangerouslySkipVerification: false,
    })
    expect(resolveEchoConfig({ host: 'localhost', port: '1', authority: 'ca.crt', interactive: true, timeout: '0.5' })).toMatchObject({
      authority: 'ca.crt',
      interactive: true,
      timeoutMs: 500,
    })
  })

  test.each(['::1', '[::1]'])('takes the address %s', (host) => {
    expect(resolveEchoConfig({ host, port: '1' }).server).toEqual({ host: '::1', port: 1 })
  })

  test.each<[EchoArguments, string]>([
    [{ host: 'localhost', port: '70000' }, 'PORT "70000" is not a port from 0 to 65535'],
    [{ host: 'localhost', port: '0' }, 'PORT "0" is no port to dial'],
    [{ host: 'localhost:1', port: '1' }, 'HOST "localhost:1" is neither a name nor an address'],
    [{ host: '', port: '1' }, 'HOST "" is neither a name nor an address'],
    [{ host: 'a', port: '1', timeout: '0' }, '--timeout "0" is not a number of seconds from 0.1 to 600'],
    [{ host: 'a', port: '1', timeout: 'soon' }, '--timeout "soon" is not a number of seconds from 0.1 to 600'],
    [
      { host: 'a', port: '1', authority: 'ca.crt', dangerouslySkipVerification: true },
      'CA and --dangerously-skip-verification contradict each other',
    ],
  ])('refuses %j', (said, sentence) => {
    expect(refusal(() => resolveEchoConfig(said))).toEqual(['usage', sentence])
  })
})

describe('sealwire echo', () => {
  test('greets a server and exits with 0', async () => {
    const ended = await runCli(['echo', 'localhost', String(server.port), authority])
    expect(ended).toEqual({
      exitCode: 0,
      stdout: [
        `Connected to localhost:${server.port}`,
        'SSL Handshake successful.',
        'Sending: Hello from SSL client!',
        'Echo: Hello from SSL client!',
        'Connection closed.',
        '',
      ].join('\n'),
      stderr: '',
    })
  })

  test('takes the whole chain of the server as CA too', async () => {
    expect(await runCli(['echo', 'localhost', String(server.port), certificate])).toMatchObject({ exitCode: 0 })
  })

  test('refuses a server that it has no reason to trust, and says what to do', async () => {
    const ended = await runCli(['echo', 'localhost', String(server.port)])
    expect(ended).toMatchObject({ exitCode: 5, stdout: `Connected to localhost:${server.port}\n` })
    expect(ended.stderr).toMatch(/^sealwire: localhost:\d+ has a certificate of an? [^\n]+\. give [^\n]*CA file[^\n]*\.\n$/)
  })

  test('talks to it all the same with --dangerously-skip-verification, and warns', async () => {
    const ended = await runCli(['echo', 'localhost', String(server.port), '--dangerously-skip-verification'])
    expect(ended.exitCode).toBe(0)
    expect(ended.stderr).toMatch(/^sealwire: warning: the certificate is not checked [^\n]+\n$/)
  })

  test('sends the lines of a pipe with -i, without a prompt', async () => {
    await using cli = new CliProcess(['echo', 'localhost', String(server.port), authority, '-i'])
    for (const line of ['one', 'two']) {
      cli.child.stdin.write(`${line}\n`)
      await cli.printed(new RegExp(`Echo: ${line}\n`))
    }
    cli.child.stdin.end()
    expect(await cli.ended()).toBe(0)
    expect(cli.stdout.split('\n').slice(2)).toEqual(['Echo: one', 'Echo: two', 'Connection closed.', ''])
  })

  test('exits with 4 when nobody listens', async () => {
    const ended = await runCli(['echo', '127.0.0.1', '1', authority])
    expect(ended).toEqual({
      exitCode: 4,
      stdout: '',
      stderr: 'sealwire: 127.0.0.1:1 refused the connection. start the server, or check the port.\n',
    })
  })

  test('exits with 4 as soon as the server goes away, though its input is still open', async () => {
    using listener = await TestListener.start(identity)
    await using cli = new CliProcess(['echo', 'localhost', String(listener.port), authority, '-i'])
    const { link } = await listener.first()
    await cli.printed(/successful/)
    link.close()
    expect(await cli.ended()).toBe(4)
    expect(cli.stdout).toEndWith('SSL Handshake successful.\nServer disconnected (EOF).\n')
    expect(cli.stderr).toBe('sealwire: the server ended the connection. check that it is an echo server, and see what it printed.\n')
  })

  test('ends when whoever reads its output is gone', async () => {
    await using cli = new CliProcess(['echo', 'localhost', String(server.port), authority, '-i'])
    cli.child.stdin.on('error', () => {})
    cli.child.stdin.write('one\n')
    await cli.printed(/Echo: one\n/)
    cli.child.stdout.destroy()
    cli.child.stdin.write('two\nthree\n')
    expect(await cli.ended()).toBe(0)
  })
})
