// Files on the command line: sent and saved by real processes, some of which are killed.

import { afterAll, describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { progressText } from '../../src/cli/progress-line.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { Homes } from './member-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const homes = new Homes()
afterAll(async () => {
  homes[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})
const [alice, bob] = [await homes.join(server, 'alice'), await homes.join(server, 'bob')]
await runCli(['contacts', 'request', 'bob', '--home', alice])
await runCli(['contacts', 'accept', 'alice', '--home', bob])

describe('file', () => {
  test('arrives as it was sent, under a name that cannot lead anywhere', async () => {
    const sent = file('..sneaky.txt', 200_000)
    expect(await runCli(['file', 'send', 'bob', sent.path, '--home', alice])).toMatchObject({ exitCode: 0, stderr: '' })
    const { file: told } = JSON.parse((await runCli(['history', 'alice', '--max', '1', '--json', '--home', bob])).stdout) as { file: Told }
    expect(told).toMatchObject({ name: '..sneaky.txt', size: 200_000 })
    const target = homes.path('saved.bin')
    expect(await runCli(['file', 'get', told.id, target, '--home', bob])).toEqual({ exitCode: 0, stdout: `saved ${target}\n`, stderr: '' })
    expect(readFileSync(target).equals(sent.bytes)).toBe(true)
  })

  test('goes on where a killed sender and a killed reader have left it', async () => {
    const sent = file('large.bin', 60_000_000)
    const id = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a'
    const send = ['file', 'send', 'bob', sent.path, '--id', id, '--home', alice]
    await killedWhen(send, () => bytesIn(join(server.data, 'files')) > 2_000_000)
    expect(await runCli(send)).toEqual({ exitCode: 0, stdout: `sent ${id}\n`, stderr: '' })
    expect(await runCli(send)).toEqual({ exitCode: 0, stdout: `sent ${id}\n`, stderr: '' })
    const folder = homes.path('bob')
    const target = join(folder, 'large.bin')
    const get = ['file', 'get', id, target, '--home', bob]
    await killedWhen(get, () =>
      readdirSync(folder).some((name) => name.includes('large.bin') && statSync(join(folder, name)).size > 2_000_000),
    )
    expect((await runCli(get)).exitCode).toBe(0)
    expect(readFileSync(target).equals(sent.bytes)).toBe(true)
    expect((await runCli(['history', 'alice', '--home', bob])).stdout.match(/ sends a file: large\.bin /g)).toHaveLength(1)
  })

  test('goes with its message, and is nobody else’s', async () => {
    const eve = await homes.join(server, 'eve')
    const sent = file('secret.bin', 1_000)
    const id = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5b'
    await runCli(['file', 'send', 'bob', sent.path, '--id', id, '--home', alice])
    expect(await runCli(['file', 'get', id, homes.path('stolen'), '--home', eve])).toMatchObject({ exitCode: 6, stdout: '' })
    expect(existsSync(homes.path('stolen'))).toBe(false)
  })

  test('says what cannot be', async () => {
    expect(await runCli(['file', 'send', 'bob', homes.path('no-such-file'), '--home', alice])).toMatchObject({ stdout: '' })
    expect(await runCli(['file', 'get', 'xyz', '--home', bob])).toMatchObject({ exitCode: 2, stdout: '' })
  })
})

test('a line of progress tells how far it is', () => {
  expect(progressText('sending a.bin', { done: 5_000_000, size: 20_000_000, perSecond: 2_500_000 })).toBe(
    'sending a.bin [#####---------------] 25 % of 20.0 MB, 2.5 MB/s, 6 s left',
  )
})

interface Told {
  readonly id: string
}

function file(name: string, size: number): { readonly path: string; readonly bytes: Buffer } {
  const path = homes.path(name)
  const bytes = randomBytes(size)
  writeFileSync(path, bytes)
  return { path, bytes }
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

/** Runs a command and kills it as soon as `condition` holds; one that is done before is as good. */
async function killedWhen(args: readonly string[], condition: () => boolean): Promise<void> {
  await using cli = new CliProcess(args)
  let isOver = false
  const ended = cli.ended().then(() => (isOver = true))
  while (!isOver && !condition()) await Bun.sleep(2)
  cli.child.kill('SIGKILL')
  await ended
}
