// The first seed's own C++ programs, compiled from its text, against ours. They need g++, Boost and openssl, and the
// text; where one is missing these tests are skipped and say so, but never in CI.

import { describe, expect, test } from 'bun:test'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lastingPort } from '../../support/lasting-port.ts'
import { CliProcess, runCli } from '../cli-process.ts'

const execute = promisify(execFile)
const peers = await seedPeers()
const file = (name: string): string => join(peers ?? '', name)

const transcript = (port: number) =>
  [
    `Connected to localhost:${port}`,
    'SSL Handshake successful.',
    'Sending: Hello from SSL client!',
    'Echo: Hello from SSL client!',
    'Connection closed.',
    '',
  ].join('\n')

describe.skipIf(peers === undefined)('the first seed', () => {
  for (const kind of ['rsa', 'ec'] as const) {
    test(`its client talks to echo-server, with and without the certificate (${kind})`, async () => {
      await using server = new CliProcess(['echo-server', '0', file(`${kind}.crt`), file(`${kind}.key`)])
      await server.printed(/running on 127\.0\.0\.1:\d+\n/)
      const port = Number(/:(\d+)\n/.exec(server.stdout)?.[1])
      for (const [index, args] of [[], [file(`${kind}.crt`)]].entries()) {
        const { stdout, stderr } = await execute(file('seed_client'), ['localhost', String(port), ...args], { timeout: 20_000 })
        expect({ stdout, stderr }).toEqual({ stdout: transcript(port), stderr: '' })
        await server.printed(new RegExp(`(Client disconnected\\.\\n[^]*){${index + 1}}`))
      }
      server.child.kill('SIGINT')
      expect(await server.ended()).toBe(0)
      const session = ['Accepted SSL connection from 127.0.0.1:54321', 'Received: Hello from SSL client!', 'Client disconnected.']
      expect(server.stdout.replaceAll(/(?<=connection from 127\.0\.0\.1:)\d+/g, '54321')).toBe(
        [`SSL Server is running on 127.0.0.1:${port}`, ...session, ...session, '', 'Signal received, shutting down server...', ''].join(
          '\n',
        ),
      )
      expect(server.stderr).toBe('')
    }, 60_000)

    test(`echo talks to its server (${kind})`, async () => {
      const port = await lastingPort()
      const server = spawn(file('seed_server'), [String(port), file(`${kind}.crt`), file(`${kind}.key`)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      try {
        await once(server.stdout, 'data')
        expect(await runCli(['echo', 'localhost', String(port), file(`${kind}.crt`)])).toEqual({
          exitCode: 0,
          stdout: transcript(port),
          stderr: '',
        })
        await using cli = new CliProcess(['echo', 'localhost', String(port), file(`${kind}.crt`), '-i'])
        cli.child.stdin.end('one\ntwo\n')
        expect(await cli.ended()).toBe(0)
        expect(cli.stdout).toEndWith('SSL Handshake successful.\nEcho: one\nEcho: two\nConnection closed.\n')
        // Its certificate is its own: without the file it is not trusted.
        expect(await runCli(['echo', 'localhost', String(port)])).toMatchObject({ exitCode: 5 })
      } finally {
        await end(server)
      }
    }, 60_000)
  }

  test('echo tells when its server goes away', async () => {
    const port = await lastingPort()
    const server = spawn(file('seed_server'), [String(port), file('ec.crt'), file('ec.key')], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await once(server.stdout, 'data')
      await using cli = new CliProcess(['echo', 'localhost', String(port), file('ec.crt'), '-i'])
      await cli.printed(/successful/)
      cli.child.stdin.write('one\n')
      await cli.printed(/Echo: one\n/)
      server.kill('SIGTERM')
      expect(await cli.ended()).toBe(4)
      expect(cli.stdout).toEndWith('Echo: one\nServer disconnected (EOF).\n')
    } finally {
      await end(server)
    }
  }, 60_000)
})

/** The folder with the seed's programs and test certificates, compiled once a machine; `undefined` where that cannot be. */
async function seedPeers(): Promise<string | undefined> {
  const made = join(tmpdir(), 'sealwire-seed', 'peers')
  if (existsSync(made)) return made
  const script = join(import.meta.dir, '../../../../shared/bench/peers.sh')
  mkdirSync(join(tmpdir(), 'sealwire-seed'), { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-seed', 'making-'))
  try {
    await execute(script, [folder], { timeout: 600_000 })
    // Another run of these tests may have been as quick.
    if (!existsSync(made)) renameSync(folder, made)
    return made
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true })
    if (process.env['CI'] === 'true') throw cause
    const why = cause instanceof Error && 'stderr' in cause && cause.stderr !== '' ? cause.stderr : cause
    console.warn(`SKIPPED: the seed's own programs cannot be compiled here: ${String(why).trim()}`)
    return undefined
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}
