import { describe, expect, test } from 'bun:test'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endCodeOf } from '../../src/cli/terminal/stop-signal.ts'
import { CliProcess, runCli } from '../cli/cli-process.ts'
import { form } from '../faults/form.ts'
import { until } from '../faults/until.ts'
import { isMissing } from '../support/python.ts'
import { command, mayMount, skipWithout } from '../support/store-contents.ts'
import { BackupStage, operate, Talker, whenGone } from './backup-stage.ts'

/** Messages of everybody before the backup, after it, and after the restore; at least. */
const each = form(40, 400)
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const skipFull = skipWithout('the right to mount a small file system', mayMount(), { skippable: true })
const waitMsMax = form(120_000, 600_000)
const testMsMax = 10 * waitMsMax

describe('backup', () => {
  test(
    'under load it restores to a server on which everybody goes on, and nothing that it has is lost',
    async () => {
      await using stage = await BackupStage.start()
      const { fingerprint } = stage.server
      const passphrase = ['--passphrase-file', stage.passphrase]
      await using alice = new Talker('alice', await stage.join('alice'))
      await using bob = new Talker('bob', await stage.join('bob'))
      await using carol = new Talker('carol', await stage.join('carol'))
      const everybody = [alice, bob, carol]
      const room = await alice.me.rooms.create('everybody')
      const link = await roomSecret(alice, room.number)
      for (const { me } of [bob, carol]) await me.rooms.join(link)
      await operate('admin', 'mint', 'alice', '1000', '--data', stage.server.data)
      for (const talker of everybody) talker.talk(room.number)
      const payments = new Payments(alice)

      const said = (count: number): boolean => everybody.every(({ acknowledged }) => acknowledged.length >= count)
      await until('everybody speaks', waitMsMax, () => said(each) && payments.posted.length >= 3)
      const before = everybody.map(({ acknowledged }) => [...acknowledged])
      const paidBefore = payments.posted.length
      const receivedBefore = carol.received.length
      const file = stage.path('server.age')
      const made = JSON.parse(await operate('backup', file, '--data', stage.server.data, ...passphrase, '--json')) as Made
      expect(made).toMatchObject({ file, damaged: 0 })
      expect([made.entries >= 3 * each, made.files > 0, made.bytes > made.database]).toEqual([true, true, true])
      const paidAtBackup = payments.posted.length
      const counts = everybody.map(({ acknowledged, received }) => [acknowledged.length, received.length])
      // What follows is lost: everybody has stored places behind those of the backup when the server dies.
      const isMore = ({ acknowledged, received }: Talker, at: number): boolean =>
        acknowledged.length >= (counts[at]?.[0] ?? 0) + each && received.length >= (counts[at]?.[1] ?? 0) + each
      await until('more is said', waitMsMax, () => everybody.every(isMore))
      const lost = carol.acknowledged.at(-1) ?? ''
      await carol.leave()
      await stage.server.kill()
      await operate('restore', file, '--data', stage.path('restored'), ...passphrase)
      await stage.startOn(stage.path('restored'))
      expect(stage.server.fingerprint).toBe(fingerprint)

      const marks = everybody.map(({ acknowledged }) => acknowledged.length)
      // Carol comes so late that more has come into her inbox than was lost of it.
      const missed = carol.received.length - receivedBefore
      const news = (): number => alice.acknowledged.length + bob.acknowledged.length - (marks[0] ?? 0) - (marks[1] ?? 0)
      await until('everybody goes on', waitMsMax, () => news() > missed + each)
      await carol.come(stage.homes.path('carol'))
      for (const talker of [alice, bob]) await talker.stop()
      await payments.stop()
      expect(payments.posted.length).toBeGreaterThan(paidAtBackup)

      // Everything that was acknowledged before the backup began is there, and of what came after it only what this server has stored.
      const history: string[] = []
      for await (const entry of (await alice.me.conversation(room.number)).history())
        if (entry.kind === 'message') history.unshift(entry.id)
      const known = new Set(history)
      expect(before.flat().filter((id) => !known.has(id))).toEqual([])
      expect(known.has(lost)).toBe(false)

      // What was said since reaches every device once, in the one order that the history has.
      const fresh = new Set(everybody.flatMap(({ acknowledged }, at) => acknowledged.slice(marks[at])))
      const order = history.filter((id) => fresh.has(id))
      expect(order.length).toBe(fresh.size)
      for (const talker of everybody) {
        const own = new Set(talker.acknowledged)
        const expected = order.filter((id) => !own.has(id))
        await until(`${talker.name} gets everything`, waitMsMax, () => expected.every((id) => talker.received.includes(id)))
        expect(talker.received.filter((id) => expected.includes(id))).toEqual(expected)
      }
      expect(everybody.map(({ rewound }) => rewound)).toEqual([1, 1, 1])

      const verified = JSON.parse(await operate('backup', 'verify', file, ...passphrase, '--json'))
      expect(verified).toMatchObject({ good: true, entries: made.entries, fingerprint })
      const { data } = stage.server
      expect(await operate('ledger', 'verify', '--data', data)).toStartWith('good: ')
      const legs = (await operate('ledger', 'export', '--data', data))
        .trimEnd()
        .split('\n')
        .flatMap((line) => (JSON.parse(line) as Posting).legs)
      expect(legs.reduce((sum, { delta }) => sum + Math.round(Number(delta) * 100), 0)).toBe(0)
      const units = legs.filter(({ name }) => name === 'bob').length
      expect(units).toBeGreaterThanOrEqual(paidBefore)
    },
    testMsMax,
  )

  test(
    'what is killed leaves no file behind; a whole one is for age and tar too',
    async () => {
      await using stage = await BackupStage.start()
      await using alice = new Talker('alice', await stage.join('alice'))
      const room = await alice.me.rooms.create('files')
      await room.send('hello')
      const file = stage.path('killed.age')
      const args = ['backup', file, '--data', stage.server.data, '--passphrase-file', stage.passphrase]
      for (const signal of ['SIGKILL', 'SIGTERM', 'SIGHUP'] as const) {
        const left = new Set(readdirSync(stage.path('.')))
        await using cli = new CliProcess(args)
        const isNew = (name: string): boolean => name.startsWith('.killed.age.') && !left.has(name)
        await until('the backup has begun', waitMsMax, () => readdirSync(stage.path('.')).some(isNew))
        cli.child.kill(signal)
        const code = signal === 'SIGKILL' ? signal : endCodeOf(signal)
        expect([await cli.ended(), cli.stderr, existsSync(file)]).toEqual([
          code,
          endOf(signal, 'no backup was made. nothing of it is left:'),
          false,
        ])
      }
      expect(readdirSync(stage.path('.')).filter((name) => name.endsWith('.tmp')).length).toBeLessThanOrEqual(1)
      await operate(...args)
      expect(readdirSync(stage.path('.')).filter((name) => name.endsWith('.tmp'))).toEqual([])
      readWithoutUs(stage, file)
      const again = await runCli(args)
      expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('already')])
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGKILL'] as const) await killRestore(stage, file, signal)
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) await stopVerify(stage, file, signal)
    },
    testMsMax,
  )

  test(
    'ends on a signal too while nobody takes what it writes, and while nothing comes that it could read',
    async () => {
      await using stage = await BackupStage.start()
      const [input, output] = ['input', 'output'].map((name) => {
        command('mkfifo', stage.path(name))
        // Open for both: neither end of it is ever gone.
        return openSync(stage.path(name), 'r+')
      }) as [number, number]
      const ends = async (args: readonly string[], stands: () => Promise<void>): Promise<unknown> => {
        const child = spawn(process.execPath, [main, ...args, '--passphrase-file', stage.passphrase], { stdio: [input, output, 'pipe'] })
        const said = new Response(child.stderr).text()
        await stands()
        child.kill('SIGTERM')
        const late = setTimeout(() => child.kill('SIGKILL'), waitMsMax)
        const end = [await said, child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))[0]]
        clearTimeout(late)
        return end
      }
      try {
        const backup = await ends(['backup', '-', '--data', stage.server.data], async () => {
          readSync(output, Buffer.alloc(1))
          // A pipe holds less than a server has.
          await Bun.sleep(500)
        })
        expect(backup).toEqual([endOf('SIGTERM', 'no backup was made. what was written is no backup: remove it, and'), 143])
        const folder = stage.path('none')
        const restore = await ends(['restore', '-', '--data', folder], async () => {
          await until('the restore has begun', waitMsMax, () => existsSync(join(folder, 'restoring')))
        })
        expect(restore).toEqual([endOf('SIGTERM', `nothing was restored. nothing of it is left in ${folder}:`), 143])
      } finally {
        for (const pipe of [input, output]) closeSync(pipe)
      }
    },
    testMsMax,
  )

  test.skipIf(skipFull)(
    'on a full disk a backup and a restore say so, and nothing of them is left',
    async () => {
      await using stage = await BackupStage.start()
      using disk = new SmallDisk(stage.path('small'))
      const passphrase = ['--passphrase-file', stage.passphrase]
      const data = ['--data', stage.server.data]
      const full = await runCli(['backup', join(disk.path, 'a.age'), ...data, ...passphrase])
      expect([full.exitCode, full.stderr]).toEqual([3, expect.stringContaining('the disk is full')])
      expect(readdirSync(disk.path)).toEqual([])
      const file = stage.path('server.age')
      await operate('backup', file, ...data, ...passphrase)
      const restored = await runCli(['restore', file, '--data', join(disk.path, 'data'), ...passphrase])
      expect([restored.exitCode, restored.stderr]).toEqual([3, expect.stringContaining('bytes free')])
      expect(readdirSync(disk.path)).toEqual([])
      const verified = await runCli(['backup', 'verify', file, '--temp', disk.path, ...passphrase])
      expect(verified.exitCode).toBe(3)
      expect(readdirSync(disk.path)).toEqual([])
    },
    testMsMax,
  )
})

/** What was asked to stop leaves nothing; what was killed leaves a folder on which no server starts, and nothing is restored into. */
async function killRestore(stage: BackupStage, file: string, signal: 'SIGTERM' | 'SIGHUP' | 'SIGKILL'): Promise<void> {
  const folder = stage.path(signal)
  const args = ['restore', file, '--data', folder, '--passphrase-file', stage.passphrase]
  await using cli = new CliProcess(args)
  await until('the restore has begun', waitMsMax, () => existsSync(join(folder, 'restoring')))
  cli.child.kill(signal)
  const end = await cli.ended()
  if (signal !== 'SIGKILL') {
    const told = endOf(signal, `nothing was restored. nothing of it is left in ${folder}:`)
    return expect([end, cli.stderr, existsSync(folder)]).toEqual([endCodeOf(signal), told, false])
  }
  const started = await runCli(['serve', '--data', folder, '--listen', '127.0.0.1:0'])
  expect([started.exitCode, started.stderr]).toEqual([3, expect.stringContaining('not restored to its end')])
  const again = await runCli(args)
  expect([again.exitCode, again.stderr]).toEqual([3, expect.stringContaining('is not empty')])
}

/** The keys of the server lie in its temporary folder meanwhile. */
async function stopVerify(stage: BackupStage, file: string, signal: 'SIGTERM' | 'SIGHUP'): Promise<void> {
  const temp = stage.path(`verify ${signal}`)
  mkdirSync(temp)
  await using cli = new CliProcess(['backup', 'verify', file, '--temp', temp, '--passphrase-file', stage.passphrase])
  await until('it is verified', waitMsMax, () => readdirSync(temp).length > 0)
  cli.child.kill(signal)
  const told = endOf(signal, 'nothing is known of the backup. nothing is left of the look at it:')
  expect([await cli.ended(), cli.stderr, readdirSync(temp)]).toEqual([endCodeOf(signal), told, []])
}

/** What is said by what `signal` has ended. */
function endOf(signal: NodeJS.Signals, how: string): string {
  return signal === 'SIGKILL' ? '' : `sealwire: ended by ${signal}: ${how} run the same command again.\n`
}

/** With Debian's age and tar: the passphrase is typed at a terminal, and what comes out is a data folder. */
function readWithoutUs(stage: BackupStage, file: string): void {
  if (isMissing('age')) return
  const archive = stage.path('plain.tar')
  const { status } = spawnSync('script', ['-qec', `age -d -o '${archive}' '${file}'`, '/dev/null'], {
    input: readFileSync(stage.passphrase),
  })
  expect(status).toBe(0)
  const names = spawnSync('tar', ['-tf', archive], { encoding: 'utf8' }).stdout.trimEnd().split('\n')
  expect(names).toEqual(expect.arrayContaining(['backup.json', 'ca.key', 'server.key', 'ledger.key', 'sealwire.db', 'sealwire.db-wal']))
  const key = spawnSync('tar', ['-xOf', archive, 'ca.key'], { encoding: 'utf8' }).stdout
  expect(key).toBe(readFileSync(join(stage.server.data, 'ca.key'), 'utf8'))
}

/** A file system with room for a part of a backup. */
class SmallDisk implements Disposable {
  readonly path: string

  constructor(path: string) {
    this.path = path
    mkdirSync(path)
    command('mount', '-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', path)
  }

  [Symbol.dispose](): void {
    command('umount', this.path)
  }
}

interface Made {
  readonly bytes: number
  readonly database: number
  readonly entries: number
  readonly files: number
}

interface Posting {
  readonly legs: readonly { readonly name?: string; readonly delta: string }[]
}

/** Alice pays Bob, again and again. */
class Payments {
  readonly posted: string[] = []
  readonly #end = new AbortController()
  readonly #paying: Promise<void>

  constructor({ me }: Talker) {
    this.#paying = this.#pay(me)
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#paying
  }

  async #pay(me: Talker['me']): Promise<void> {
    while (!this.#end.signal.aborted) {
      // It gives up after half a minute without a server; then another one is begun.
      const paid = await me.payments.pay('bob', '0.01').catch(whenGone)
      if (paid !== undefined) this.posted.push(paid.id)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function roomSecret({ me }: Talker, room: number): Promise<Uint8Array> {
  return (await me.rooms.link(room)).secret
}
