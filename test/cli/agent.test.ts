import { afterAll, describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { linesOf, objectOf, resolveAgentConfig } from '../../src/cli/agent.ts'
import { refusal } from '../support/refusal.ts'
import { SealedEcho } from './agent/support.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { onUnix } from './home-support.ts'

const server = await SealedEcho.start()
afterAll(() => server[Symbol.dispose]())
const address = `127.0.0.1:${server.server.port}`
const pin = 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

describe('the command line of the agent', () => {
  test('asks for five messages, a second apart, over v2', () => {
    expect(resolveAgentConfig('[::1]:1337', {}, true)).toEqual({
      server: { host: '::1', port: 1337 },
      version: 2,
      pin: undefined,
      json: false,
      count: 5,
      intervalMs: 1000,
    })
  })

  test.each([
    ['0ms', 0],
    ['250ms', 250],
    ['2s', 2000],
    ['60m', 3_600_000],
  ])('takes an interval of %s', (interval, intervalMs) => {
    expect(resolveAgentConfig('localhost:1337', { v1: true, interval, count: '1000000' }, false)).toMatchObject({
      intervalMs,
      count: 1_000_000,
    })
  })

  test.each([
    ['an address without a port', 'localhost', {}, 'HOST:PORT "localhost" has no port'],
    ['port 0', 'localhost:0', {}, 'HOST:PORT "localhost:0" has no port to dial'],
    ['a pin with v1', 'localhost:1', { v1: true, pin }, 'version 1 has no key that --pin could check'],
    ['a pin that is none', 'localhost:1', { pin: 'SHA256:abc' }, '--pin "SHA256:abc" is not a fingerprint'],
    ['no messages', 'localhost:1', { pin, count: '0' }, '--count "0" is not a whole number from 1 to 1000000'],
    ['half a message', 'localhost:1', { pin, count: '1.5' }, '--count "1.5" is not a whole number from 1 to 1000000'],
    ['an interval without a unit', 'localhost:1', { pin, interval: '1' }, '--interval "1" is not a duration up to 60m'],
    ['an interval of more than an hour', 'localhost:1', { pin, interval: '61m' }, '--interval "61m" is not a duration up to 60m'],
    ['no pin where nobody can look', 'localhost:1', {}, 'without a terminal the fingerprint of the server is needed'],
  ] as const)('refuses %s', (_what, text, flags, sentence) => {
    expect(refusal(() => resolveAgentConfig(text, flags, false))).toEqual(['usage', sentence])
  })

  test('does not let what comes back control a terminal or a program', () => {
    const config = resolveAgentConfig('localhost:1337', { pin }, false)
    const news = { event: 'echoed', number: 1, text: 'a\u001b[2Jb\n', ms: 3 } as const
    expect(linesOf(news, config)).toEqual({ out: 'received from server: a\\u001b[2Jb\\n (1 of 5, 3 ms)\n' })
    expect(objectOf(news, config)).toEqual(news)
  })
})

describe('the agent as a process', () => {
  test('prints five messages as they come back and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await runCli(['agent', address, '--pin', server.pin, '--interval', '1ms'])
    const lines = [1, 2, 3, 4, 5].map((number) => `received from server: Hello from client! ${number} (${number} of 5, N ms)`)
    const expected = [`connected to ${address}, version 2, fingerprint ${server.pin}`, ...lines, '5 of 5 came back', '']
    expect([exitCode, stderr, stdout.replace(/\d+ ms/g, 'N ms').split('\n')]).toEqual([0, '', expected])
  })

  test('prints objects for programs', async () => {
    const { exitCode, stdout } = await runCli(['agent', address, '--pin', server.pin, '--count', '1', '--json'])
    const [connected, echoed, done] = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(connected).toEqual({ event: 'connected', pin: server.pin, server: address, version: 2, verified: true })
    expect(echoed).toMatchObject({ event: 'echoed', number: 1, text: 'Hello from client! 1' })
    expect([exitCode, done]).toEqual([0, { event: 'done', messages: 1 }])
  })

  test('says of v1 that it proves nothing', async () => {
    const { exitCode, stdout, stderr } = await runCli(['agent', address, '--v1', '--count', '2', '--interval', '0ms'])
    expect([exitCode, stdout.split('\n').length]).toEqual([0, 5])
    expect(stdout).toStartWith(`connected to ${address}, version 1\n`)
    expect(stderr).toContain('warning: version 1 proves nothing about who answers: a man in the middle reads everything')
  })

  test('ends with 5 before another key, with 2 before it dials where it may not', async () => {
    const untrusted = await runCli(['agent', address, '--pin', pin])
    expect([untrusted.exitCode, untrusted.stdout]).toEqual([5, ''])
    expect(untrusted.stderr).toContain(server.pin)
    expect((await runCli(['agent', address])).exitCode).toBe(2)
  })

  test('is ended in order by Ctrl-C, between two messages and between two connections', async () => {
    await using talking = new CliProcess(['agent', address, '--pin', server.pin, '--interval', '60m'])
    await talking.printed(/1 of 5/)
    talking.child.kill('SIGINT')
    expect([await talking.ended(), talking.stdout.endsWith('1 of 5 came back\n'), talking.stderr]).toEqual([0, true, ''])

    await using waiting = new CliProcess(['agent', '127.0.0.1:1', '--pin', server.pin])
    await waiting.printed(/\. \w.*\. trying again in [01]\.\d s/, 'stderr')
    waiting.child.kill('SIGINT')
    expect([await waiting.ended(), waiting.stdout]).toEqual([0, '0 of 5 came back\n'])
  })

  test.skipIf(!onUnix)('shows the fingerprint to a person at a terminal, and goes on', async () => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    let screen = ''
    const gone = Promise.withResolvers<void>()
    const terminal = {
      cols: 200,
      rows: 24,
      data: (_: unknown, bytes: Uint8Array) => void (screen += Buffer.from(bytes).toString()),
      exit: () => gone.resolve(),
    }
    const child = Bun.spawn([process.execPath, main, 'agent', address, '--count', '2', '--interval', '0ms'], { terminal })
    await gone.promise
    expect(await child.exited).toBe(0)
    expect(screen).toContain(`connected to ${address}, version 2, fingerprint ${server.pin}`)
    expect(screen).toContain(`this is what ${address} shows, and it is not verified. compare it with what the operator says`)
    expect(screen).toContain('2 of 2 came back')
  })
})
