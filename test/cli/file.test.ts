// Files on the command line: sent and saved by real processes, some of which are killed.

import { afterAll, describe, expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { progressText } from '../../src/cli/terminal/progress-line.ts'
import { CuttingRelay } from '../support/cutting-relay.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { CliProcess, runCli } from './cli-process.ts'
import { onUnix } from './home-support.ts'
import { Homes, reachNobody } from './member-support.ts'

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
    const done = await runCli(['file', 'send', 'bob', sent.path, '--home', alice])
    expect(done.exitCode).toBe(0)
    expect(done.stdout).toMatch(/^sent [\da-f-]{36}\n$/)
    expect(done.stderr).toBe(`sending ..sneaky.txt under the id ${done.stdout.slice('sent '.length)}`)
    const { file: told } = JSON.parse((await runCli(['history', 'alice', '--max', '1', '--json', '--home', bob])).stdout) as { file: Told }
    expect(told).toMatchObject({ name: '..sneaky.txt', size: 200_000 })
    const target = homes.path('saved.bin')
    expect(await runCli(['file', 'get', told.id, target, '--home', bob])).toEqual({ exitCode: 0, stdout: `saved ${target}\n`, stderr: '' })
    expect(readFileSync(target).equals(sent.bytes)).toBe(true)
  })

  test('that was begun and is not wanted any more is forgotten, and counts no more', async () => {
    const begun = file('begun.bin', 60_000_000)
    const id = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5b'
    await killedWhen(
      ['file', 'send', 'bob', begun.path, '--id', id, '--home', alice],
      () => bytesIn(join(server.data, 'files')) > 2_000_000,
    )
    const before = readdirSync(join(server.data, 'files')).length
    expect(await runCli(['file', 'forget', id, '--home', alice])).toEqual({ exitCode: 0, stdout: `forgot ${id}\n`, stderr: '' })
    expect(readdirSync(join(server.data, 'files'))).toHaveLength(before - 1)
    expect(await runCli(['file', 'forget', id, '--home', alice])).toEqual({
      exitCode: 6,
      stdout: '',
      stderr: 'sealwire: no such file was begun. one that was sent goes with its message.\n',
    })
  })

  test('is sent to nobody but who has agreed to talk, and it is said how they do', async () => {
    const dan = await homes.join(server, 'dan')
    await runCli(['contacts', 'request', 'bob', '--home', dan])
    const { exitCode, stderr } = await runCli(['file', 'send', 'bob', file('for bob.txt', 10).path, '--home', dan])
    expect(exitCode).toBe(6)
    expect(stderr).toEndWith('\nsealwire: they have not agreed to talk. ask them first: sealwire contacts request NAME.\n')
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
    writeFileSync(`${target}.part`, 'mine')
    await killedWhen(get, () =>
      readdirSync(folder).some((name) => name.includes('large.bin') && statSync(join(folder, name)).size > 2_000_000),
    )
    expect((await runCli(get)).exitCode).toBe(0)
    expect(readFileSync(target).equals(sent.bytes)).toBe(true)
    // What was left has gone, and what is somebody's own has not.
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual(['large.bin.part'])
    expect(readFileSync(`${target}.part`, 'utf8')).toBe('mine')
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

  test('is never saved over what is there, whoever chose the name', async () => {
    const { id, bytes } = await sentTo('notes.txt')
    const folder = homes.path('here')
    mkdirSync(folder)
    const own = join(folder, 'notes.txt')
    writeFileSync(own, 'mine')
    const again = `say where to: sealwire file get ${id} PATH.`
    const here = await runCli(['file', 'get', id, '--home', bob], { cwd: folder })
    expect(here).toEqual({ exitCode: 2, stdout: '', stderr: `sealwire: there is notes.txt already. ${again}\n` })
    for (const path of [own, folder]) {
      const there = await runCli(['file', 'get', id, path, '--home', bob])
      expect(there).toEqual({ exitCode: 2, stdout: '', stderr: `sealwire: there is ${own} already. ${again}\n` })
    }
    expect([readFileSync(own, 'utf8'), readdirSync(folder)]).toEqual(['mine', ['notes.txt']])
    rmSync(own)
    expect(await runCli(['file', 'get', id, '--home', bob], { cwd: folder })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(readFileSync(own).equals(bytes)).toBe(true)
  })

  test('is saved into a folder under its cleaned name', async () => {
    const { id, bytes } = await sentTo('.hidden')
    const folder = homes.path('into')
    mkdirSync(folder)
    const target = join(folder, '_hidden')
    expect(await runCli(['file', 'get', id, `${folder}/`, '--home', bob])).toEqual({ exitCode: 0, stdout: `saved ${target}\n`, stderr: '' })
    expect(readFileSync(target).equals(bytes)).toBe(true)
  })

  test('says in one sentence what cannot be', async () => {
    const { id } = await sentTo('plain.txt')
    const none = homes.path('none')
    const says = async (args: readonly string[], sentence: string): Promise<void> =>
      expect(await runCli(['file', ...args])).toEqual({ exitCode: 3, stdout: '', stderr: `sealwire: ${sentence}.\n` })
    await says(['send', 'bob', none, '--home', alice], `there is no file ${none}. check the path`)
    await says(['send', 'bob', alice, '--home', alice], `${alice} is a folder. name a file`)
    await says(['send', 'bob', '/dev/null', '--home', alice], '/dev/null is not an ordinary file. name a file')
    const make = 'make it, or name another path'
    await says(['get', id, join(none, 'x'), '--home', bob], `there is no folder ${none}. ${make}`)
    await says(['get', id, `${none}/`, '--home', bob], `there is no folder ${none}. ${make}`)
    expect(await runCli(['file', 'get', 'xyz', '--home', bob])).toMatchObject({ exitCode: 2, stdout: '' })
  })

  test('says of who and what is not there what can be done about it', async () => {
    const { path } = file('for-nobody.txt', 10)
    const next = 'check the name or the id; you have to be in the conversation'
    const send = await runCli(['file', 'send', 'nobody', path, '--home', alice])
    expect(send).toEqual({ exitCode: 6, stdout: '', stderr: `sealwire: there is no account of that name. ${next}.\n` })
    const get = await runCli(['file', 'get', '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5f', '--home', alice])
    expect(get).toEqual({ exitCode: 6, stdout: '', stderr: `sealwire: there is no such file. ${next}.\n` })
  })

  test('ends in time, and says why, where no first connection comes about', async () => {
    const late = await homes.join(server, 'late')
    reachNobody(late)
    const banned = await homes.join(server, 'banned')
    expect((await runCli(['admin', 'ban', 'banned', '--data', server.data])).exitCode).toBe(0)
    const { path } = file('unsent.txt', 10)
    const ends = async (home: string, why: RegExp): Promise<void> => {
      const send = ['file', 'send', 'bob', path, '--home', home]
      const get = ['file', 'get', '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5f', '--home', home]
      for (const { exitCode, stdout, stderr } of await Promise.all([runCli(send), runCli(get)])) {
        expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' })
        expect(stderr).toMatch(why)
      }
    }
    await Promise.all([
      ends(late, /^sealwire: 127\.0\.0\.1:1 refused the connection\. start the server, or check the port\.\n$/),
      ends(banned, /^sealwire: .*; if it stays so, ask the operator whether the account is banned; .*\n$/),
    ])
  }, 120_000)

  test('tells, when it is interrupted, the command that goes on', async () => {
    using relay = await CuttingRelay.to(server.port)
    const dora = await homes.join({ port: relay.port, fingerprint: server.fingerprint }, 'dora')
    await runCli(['contacts', 'request', 'bob', '--home', dora])
    await runCli(['contacts', 'accept', 'dora', '--home', bob])
    const { path, bytes } = file("dora's file.bin", 3_000_000)
    // Nothing is answered from the first bytes of the file on.
    relay.muteFrom(chunkBytesMin)
    await using cli = new CliProcess(['file', 'send', 'bob', path, '--home', dora])
    await cli.printed(/ under the id [\da-f-]{36}\n/, 'stderr')
    while (!relay.isMute) await Bun.sleep(2)
    cli.child.kill('SIGINT')
    expect(await cli.ended()).toBe(130)
    expect(cli.stdout).toBe('')
    const [, id, again = ''] =
      /^sending .* under the id (\S+)\nsealwire: ended by SIGINT\. .*: sealwire (.*) \(nothing is sent twice\)\.\n$/.exec(cli.stderr) ?? []
    // As the shell that it is shown to reads it.
    const words = execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${again}`], { encoding: 'utf8' })
      .split('\n')
      .slice(0, -1)
    expect(words).toEqual(['file', 'send', 'bob', path, '--id', id ?? '', '--home', dora])
    expect(await runCli(words)).toEqual({ exitCode: 0, stdout: `sent ${id}\n`, stderr: '' })
    const target = homes.path('from-dora.bin')
    expect((await runCli(['file', 'get', id ?? '', target, '--home', bob])).exitCode).toBe(0)
    expect(readFileSync(target).equals(bytes)).toBe(true)
  }, 120_000)

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('says where what has come is, when %s ends it while it is saved', async (signal, exitCode) => {
    const sent = file(`half ${signal}.bin`, 30_000_000)
    const id = (await runCli(['file', 'send', 'alice', sent.path, '--home', bob])).stdout.slice('sent '.length, -1)
    const target = homes.path(`saved ${signal}.bin`)
    const get = ['file', 'get', id, target, '--home', alice]
    const part = `${target}.${id.replaceAll('-', '')}.part`
    await using cli = new CliProcess(get)
    while (!existsSync(part)) await Bun.sleep(1)
    cli.child.kill(signal)
    const told = `sealwire: ended by ${signal}. the same command goes on where it stopped; what has come is in ${part}.\n`
    expect([await cli.ended(), cli.stdout, cli.stderr]).toEqual([exitCode, '', told])
    expect((await runCli(get)).exitCode).toBe(0)
    expect(readFileSync(target).equals(sent.bytes)).toBe(true)
  })

  test('says what to do too when it is interrupted before it has a connection', async () => {
    using relay = await CuttingRelay.to(server.port)
    const gil = await homes.join({ port: relay.port, fingerprint: server.fingerprint }, 'gil')
    relay.target = undefined
    const { path } = file('not-begun.bin', 10)
    for (const args of [
      ['send', 'bob', path],
      ['get', '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5f'],
    ]) {
      relay.refused = 0
      await using cli = new CliProcess(['file', ...args, '--home', gil])
      while (relay.refused === 0) await Bun.sleep(2)
      cli.child.kill('SIGTERM')
      const told = 'sealwire: ended by SIGTERM. run the same command again: nothing is done twice.\n'
      expect([await cli.ended(), cli.stdout, cli.stderr]).toEqual([143, '', told])
    }
  })

  test.skipIf(!onUnix)(
    'says on a terminal that the connection was lost, and goes on',
    async () => {
      using relay = await CuttingRelay.to(server.port)
      const finn = await homes.join({ port: relay.port, fingerprint: server.fingerprint }, 'finn')
      await runCli(['contacts', 'request', 'bob', '--home', finn])
      await runCli(['contacts', 'accept', 'finn', '--home', bob])
      const { path } = file('finn.bin', 3_000_000)
      relay.muteFrom(chunkBytesMin)
      let screen = ''
      const data = (_: unknown, bytes: Uint8Array): void => void (screen += Buffer.from(bytes).toString())
      const child = Bun.spawn([process.execPath, main, 'file', 'send', 'bob', path, '--home', finn], {
        terminal: { cols: 120, rows: 24, data },
      })
      try {
        while (!relay.isMute) await Bun.sleep(2)
        relay.target = undefined
        relay.cut()
        while (!/sending finn\.bin.*connection lost, trying again/.test(screen)) await Bun.sleep(2)
        relay.target = server.port
        expect(await child.exited).toBe(0)
        while (!/sent [\da-f-]{36}\r\n$/.test(screen)) await Bun.sleep(2)
      } finally {
        child.kill('SIGKILL')
        await child.exited
        child.terminal?.close()
      }
    },
    120_000,
  )
})

test('a line of progress tells how far it is', () => {
  expect(progressText('sending a.bin', { done: 5_000_000, size: 20_000_000, perSecond: 2_500_000 })).toBe(
    'sending a.bin [#####---------------] 25 % of 20.0 MB, 2.5 MB/s, 6 s left',
  )
  expect(progressText('sending a.bin', { done: 5_000_000, size: 20_000_000, perSecond: 2_500_000, note: 'connection lost' })).toBe(
    'sending a.bin [#####---------------] 25 % of 20.0 MB, connection lost',
  )
})

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** More than anything that is said before the first piece of a file. */
const chunkBytesMin = 10_000

interface Told {
  readonly id: string
}

/** A small file that bob has got from alice. */
async function sentTo(name: string): Promise<{ readonly id: string; readonly bytes: Buffer }> {
  const { path, bytes } = file(name, 3_000)
  const { stdout } = await runCli(['file', 'send', 'bob', path, '--home', alice])
  return { id: stdout.replace(/^sent /, '').trim(), bytes }
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
