// Members of a real server: homes in temporary folders, and the command line in processes of its own.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Home } from '../../src/client/home/home.ts'
import { profileWith, readProfile, writeProfile } from '../../src/client/home/profile.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { CliProcess, runCli } from './cli-process.ts'

export class Homes implements Disposable {
  readonly parent = mkdtempSync(join(tmpdir(), 'sealwire-homes-'))

  path(name: string): string {
    return join(this.parent, name)
  }

  /** Joins a server with open registration under `name`, from a home of that name. */
  async join(server: Pick<ServerProcess, 'port' | 'fingerprint'>, name: string, flags: readonly string[] = []): Promise<string> {
    const address = `127.0.0.1:${server.port}`
    const { exitCode, stderr } = await runCli([
      'join',
      address,
      '--pin',
      server.fingerprint,
      '--name',
      name,
      '--home',
      this.path(name),
      ...flags,
    ])
    if (exitCode !== 0) throw new Error(`${name} did not join: ${stderr}`)
    return this.path(name)
  }

  /** A chat of somebody who has joined, when it is ready. */
  async chat(name: string, ...args: readonly string[]): Promise<CliProcess> {
    const chat = new CliProcess(['chat', '--home', this.path(name), ...args])
    await chat.printed(/^you are |"event":"ready"/m)
    return chat
  }

  /** The keys by which the home of `name` knows its server: that of its profile; today's and the one before of `known_servers`. */
  pinsOf(name: string): { readonly profile: string; readonly known: readonly (string | undefined)[] } {
    const profile = JSON.parse(readFileSync(join(this.path(name), 'profile.json'), 'utf8')) as { pin: string }
    const [, known, , before] = readFileSync(join(this.path(name), 'known_servers'), 'utf8')
      .trim()
      .split(' ')
    return { profile: profile.pin, known: [known, before] }
  }

  [Symbol.dispose](): void {
    rmSync(this.parent, { recursive: true, force: true })
  }
}

/** From now on a home takes a port for that of its server at which nobody listens, now or later. */
export function reachNobody(path: string): void {
  const home = new Home(path)
  writeProfile(home, profileWith(readProfile(home), { server: { host: '127.0.0.1', port: 1 } }))
}

/** A fresh invite link of a server. */
export async function inviteLink({ data }: Pick<ServerProcess, 'data'>, ...flags: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runCli(['invite', '--data', data, ...flags])
  if (stdout === '') throw new Error(stderr)
  return stdout.trim()
}

/** Runs a command with `input` on its standard input. */
export async function runWith(input: string | Uint8Array, args: readonly string[]) {
  await using cli = new CliProcess(args)
  cli.child.stdin.on('error', () => {}) // It may end without reading.
  cli.child.stdin.end(input)
  const exitCode = await cli.ended()
  return { exitCode, stdout: cli.stdout, stderr: cli.stderr }
}

export function type(chat: CliProcess, ...lines: readonly string[]): void {
  chat.child.stdin.write(lines.map((line) => `${line}\n`).join(''))
}
